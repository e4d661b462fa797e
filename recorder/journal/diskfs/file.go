package diskfs

import (
	"io/fs"
	"os"
)

// file is a file that is being written.
type file struct {
	*os.File
}

// Present returns an error unless the name still is this file.
func (f *file) Present() error {
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	found, err := os.Stat(f.Name())
	if err != nil {
		return err
	}
	if !os.SameFile(mine, found) {
		return &fs.PathError{Op: "find", Path: f.Name(), Err: fs.ErrNotExist}
	}
	return nil
}

// readFile is a file that is read.
type readFile struct {
	*os.File
}

// Size returns the size that the file has now.
func (f *readFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
