package dirfs

import (
	"io/fs"
	"os"
)

// file is an open file. Its errors name it from the top.
type file struct {
	*os.File
	path string
}

func (f *file) named(err error) error {
	if e, is := err.(*fs.PathError); is {
		return &fs.PathError{Op: e.Op, Path: f.path, Err: e.Err}
	}
	return err
}

// Write appends.
func (f *file) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.named(err)
}

// ReadAt implements io.ReaderAt.
func (f *file) ReadAt(p []byte, offset int64) (int, error) {
	n, err := f.File.ReadAt(p, offset)
	return n, f.named(err)
}

// Sync makes what was written survive a power cut.
func (f *file) Sync() error { return f.named(f.File.Sync()) }

// Close closes it.
func (f *file) Close() error { return f.named(f.File.Close()) }

// Size returns the size that the file has now.
func (f *file) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, f.named(err)
	}
	return info.Size(), nil
}
