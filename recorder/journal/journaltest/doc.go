// Package journaltest has the disk of disktest as a journal.FS. Only tests may import it.
package journaltest
