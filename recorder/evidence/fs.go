package evidence

import "io"

// FS is the directory of all incidents. Names are relative to it, with slashes; "." is the directory itself.
// Its functions may block for as long as the disk does. Their errors name what was attempted and the file,
// and can be tested with errors.Is for fs.ErrNotExist and fs.ErrExist. No name leads out of the directory,
// whatever links there are.
type FS interface {
	// List returns what a directory has, in any order. The directory of all incidents may be missing: then
	// it has nothing.
	List(dir string) ([]Entry, error)
	// Mkdir makes a directory that must not exist, in one that does; the directory of all incidents is made
	// with it if need be.
	Mkdir(dir string) error
	// Create creates a file that must not exist.
	Create(name string) (WriteFile, error)
	// Append opens a file that exists, to write behind its end.
	Append(name string) (WriteFile, error)
	// Open opens a file for reading. It does not hinder its removal. What is no regular file is an error.
	Open(name string) (ReadFile, error)
	// Rename gives a file another name, and replaces the file of that name, both or neither.
	Rename(from, to string) error
	// Remove removes a file, a link or an empty directory.
	Remove(name string) error
	// SyncDir makes what was created, renamed and removed in a directory survive a power cut.
	SyncDir(dir string) error
	// Space returns the free bytes and all bytes of the file system.
	Space() (free, total uint64, err error)
}

// Entry is what a directory has under a name. What is neither a directory nor a regular file has no size.
type Entry struct {
	Name string
	Dir  bool
	Size int64
}

// WriteFile is a file that is being written. What was written survives a kill of the process at once, and a
// power cut after Sync.
type WriteFile interface {
	// Write appends. If it returns an error, a part may have been written.
	io.Writer
	Sync() error
	Close() error
}

// ReadFile is a file that is read.
type ReadFile interface {
	io.ReaderAt
	Size() (int64, error)
	Close() error
}
