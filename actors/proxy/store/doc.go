// Package store is the directory in which a proxy keeps what must outlive it: the records of crashes.
//
//   - crashes.go: a file for each record
//   - crashfile.go: what is in such a file
//   - sync_unix.go, sync_windows.go: what makes the names of files survive a power cut
//
// Its functions block as long as the disk does. They are called by one goroutine at a time, never by an
// actor. A file is there wholly or not at all, however the process or the machine ends.
package store
