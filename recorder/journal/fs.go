package journal

import "io"

// FS is the directory of a journal. Its functions may block for as long as the disk does. Their
// errors name what was attempted, and can be tested with errors.Is for fs.ErrNotExist and
// fs.ErrExist.
type FS interface {
	// List returns the files of the directory, in any order. A directory that does not exist has
	// none.
	List() ([]FileInfo, error)
	// Create creates a file that must not exist, and the directory if need be.
	Create(name string) (File, error)
	// Open opens a file for reading.
	Open(name string) (ReadFile, error)
	// Remove removes a file.
	Remove(name string) error
	// SyncDir makes what was created and removed survive a power cut.
	SyncDir() error
	// Space returns the free bytes and all bytes of the file system.
	Space() (free, total uint64, err error)
}

// FileInfo is a file of the directory.
type FileInfo struct {
	Name string
	Size int64
}

// File is a file that is being written. What was written survives a kill of the process at
// once, and a power cut after Sync.
type File interface {
	// Write appends. If it returns an error, a part may have been written.
	io.Writer
	Sync() error
	// Present returns an error unless the name in the directory still is this file.
	Present() error
	Close() error
}

// ReadFile is a file that is read, while it may still grow.
type ReadFile interface {
	io.ReaderAt
	Size() (int64, error)
	Close() error
}
