// Package journaltest has a file system in memory, for tests of what the journal does when the
// disk fails, when the process is killed and when the power goes. Only tests may import it.
//
//   - disk.go: Disk, a journal.FS that knows what is synced and what is not
//   - file.go: its open files
//   - fault.go: errors, short writes and operations that hang
//   - crash.go: what a kill or a power cut leaves
//
// A Disk may be used by several goroutines at once. It has no clock. An operation that hangs
// waits for a channel, so tests may run in a testing/synctest bubble.
package journaltest
