// Package masktest has the table of what must be masked and what must stay readable, for
// the tests of each place where a secret could leave the machine.
package masktest
