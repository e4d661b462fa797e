package ramps

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"syscall"
)

// maxEntries bounds what is looked at of the directory.
const maxEntries = 10_000

// files is where the bytes of profiles are.
type files interface {
	// list returns the names of the files, and their sizes.
	list() (map[string]int64, error)
	create(name string) (io.WriteCloser, error)
	// commit makes a file that was written and closed last, under its name.
	commit(half, name string) error
	open(name string) (io.ReadCloser, error)
	remove(name string) error
}

// directory is files on disk.
type directory struct{ path string }

func (d directory) root() (*os.Root, error) { return os.OpenRoot(d.path) }

func (d directory) list() (map[string]int64, error) {
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return nil, err
	}
	dir, err := os.Open(d.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	entries, err := dir.ReadDir(maxEntries)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	all := map[string]int64{}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() { // no link
			all[e.Name()] = info.Size()
		}
	}
	return all, nil
}

// syncedFile is a file that is on disk when it is closed.
type syncedFile struct{ *os.File }

func (f syncedFile) Close() error { return errors.Join(f.Sync(), f.File.Close()) }

func (d directory) create(name string) (io.WriteCloser, error) {
	root, err := d.root()
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return syncedFile{file}, nil
}

func (d directory) commit(half, name string) error {
	root, err := d.root()
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	if err := root.Rename(half, name); err != nil {
		return err
	}
	if runtime.GOOS == "windows" { // It has no such call.
		return nil
	}
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	if err := dir.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

func (d directory) open(name string) (io.ReadCloser, error) {
	root, err := d.root()
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	return root.Open(name)
}

func (d directory) remove(name string) error {
	root, err := d.root()
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	return root.Remove(name)
}

// memory is files in memory. A Store uses it from one goroutine at a time.
type memory struct{ all map[string][]byte }

func (m memory) list() (map[string]int64, error) { return map[string]int64{}, nil }

type memoryFile struct {
	bytes.Buffer
	of   memory
	name string
}

func (f *memoryFile) Close() error { f.of.all[f.name] = f.Bytes(); return nil }

func (m memory) create(name string) (io.WriteCloser, error) {
	return &memoryFile{of: m, name: name}, nil
}

func (m memory) commit(half, name string) error {
	m.all[name] = m.all[half]
	delete(m.all, half)
	return nil
}

func (m memory) open(name string) (io.ReadCloser, error) {
	data, has := m.all[name]
	if !has {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (m memory) remove(name string) error { delete(m.all, name); return nil }
