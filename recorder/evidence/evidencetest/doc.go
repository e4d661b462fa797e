// Package evidencetest has a file system in memory, for tests of what the store of incidents does when the disk
// fails, when the process is killed and when the power goes. Only tests may import it.
//
//   - disk.go: Disk, an evidence.FS that knows what is synced and what is not
//   - dirs.go: its operations on directories; file.go: its open files
//   - fault.go: errors, short writes and operations that hang
//   - crash.go: what a kill or a power cut leaves
//
// A Disk may be used by several goroutines at once. It has no clock.
package evidencetest
