// Package diskfs is the real file system, as the journal sees it: one directory.
//
//   - fs.go: FS, a journal.FS; file.go: its open files
//   - lock.go: Lock, so that a directory has one process; lock_unix.go, lock_windows.go: how
//   - sys_unix.go, sys_windows.go: free space, syncs of directories, and opening a file so that
//     it can be removed meanwhile
package diskfs
