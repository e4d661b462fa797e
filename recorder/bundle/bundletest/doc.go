// Package bundletest writes the directory of an incident with evidence of all kinds, for tests of what reads one.
package bundletest
