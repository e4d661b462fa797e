// Package simulation plays real agents and a real proxy against a network that is
// disturbed.
package simulation
