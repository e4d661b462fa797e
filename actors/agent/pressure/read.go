package pressure

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// File is a profile that is read.
type File struct {
	file *os.File
	// Size is that of the whole file.
	Size int64
}

// ErrGone says that a profile is not there, or not any more.
var ErrGone = errors.New("there is no such pressure profile, or it was evicted")

// OpenProfile opens the profile of a type of the artifact with the id. The path may be empty; any other one
// must be the path that the artifact's record has. Only files of an artifact's meta.json are
// opened, and only regular ones, within the directory: no link is followed out of it.
func (s *Store) OpenProfile(id, profileType, path string) (*File, error) {
	if _, ok := parseID(id); !ok {
		return nil, fmt.Errorf("%.80q is no id of a pressure profile", id)
	}
	root, err := s.openToRead()
	if err != nil {
		return nil, gone(id, err)
	}
	defer root.Close()
	info, err := root.Lstat(id)
	if err == nil && !info.IsDir() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, gone(id, err)
	}
	a, err := load(root, id)
	if err != nil {
		return nil, gone(id, err)
	}
	for _, f := range a.meta.Profiles {
		if f.Type != profileType {
			continue
		}
		if path != "" && path != filepath.Join(s.cfg.Dir, id, f.Filename) {
			return nil, fmt.Errorf("%.200q is not the path of the %s profile %s", path, f.Type, id)
		}
		return openFile(root, id+"/"+f.Filename, f.SizeBytes)
	}
	return nil, fmt.Errorf("%s has no profile of the type %.80q: %w", id, profileType, ErrGone)
}

// gone returns the error of something that is not there as ErrGone.
func gone(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrGone
	}
	return fmt.Errorf("%s: %w", name, err)
}

// openFile opens a regular file of the size.
func openFile(root *os.Root, name string, size int64) (*File, error) {
	before, err := root.Lstat(name)
	if err != nil || !before.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", name, ErrGone)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, gone(name, err)
	}
	info, err := f.Stat()
	if err != nil || !os.SameFile(before, info) || info.Size() != size {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", name, ErrGone)
	}
	return &File{file: f, Size: size}, nil
}

// ReadAt reads exactly so many bytes. It returns an error if they are not there.
func (f *File) ReadAt(p []byte, offset int64) error {
	n, err := f.file.ReadAt(p, offset)
	if n == len(p) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return diskError(err)
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }
