// Package disktest has a disk in memory, for tests of what a program does when the disk fails, when the process is killed and when
// the power goes. Only tests may import it: journaltest and evidencetest make of it what the journal and the store of incidents
// write to.
//
//   - disk.go: Disk, which knows what is synced and what is not
//   - dirs.go: its operations on directories; file.go: its open files
//   - fault.go: errors, short writes and operations that hang
//   - crash.go: what a kill or a power cut leaves
//
// A Disk may be used by several goroutines at once. It has no clock. An operation that hangs waits for a channel, so tests may run
// in a testing/synctest bubble.
package disktest
