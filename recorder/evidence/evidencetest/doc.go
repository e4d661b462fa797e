// Package evidencetest has the disk of disktest as an evidence.FS. Only tests may import it.
package evidencetest
