package diskfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"fodc/recorder/journal"
)

// Permissions: the group may read, as it may read a database's files and logs.
const (
	filePermissions      = 0o640
	directoryPermissions = 0o750
)

// FS is a directory. It holds no state: a directory that vanishes is made again by Create.
type FS struct {
	dir string
}

// New returns the file system of a directory, which need not exist.
func New(dir string) *FS { return &FS{dir: dir} }

// List returns the regular files of the directory.
func (f *FS) List() ([]journal.FileInfo, error) {
	entries, err := os.ReadDir(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var files []journal.FileInfo
	for _, entry := range entries {
		if !entry.Type().IsRegular() {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // Removed since the directory was read.
		}
		if err != nil {
			return nil, err
		}
		files = append(files, journal.FileInfo{Name: entry.Name(), Size: info.Size()})
	}
	return files, nil
}

// Create creates a file that must not exist, and the directory if need be.
func (f *FS) Create(name string) (journal.File, error) {
	path := filepath.Join(f.dir, name)
	made, err := create(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeDirectory(f.dir); err != nil {
			return nil, err
		}
		made, err = create(path)
	}
	if err != nil {
		return nil, err
	}
	return &file{made}, nil
}

func create(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, filePermissions)
}

// makeDirectory makes a directory and those above it, and makes that survive a power cut.
func makeDirectory(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := makeDirectory(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, directoryPermissions); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDirectory(filepath.Dir(dir))
}

// Open opens a file for reading. It does not hinder its removal.
func (f *FS) Open(name string) (journal.ReadFile, error) {
	opened, err := openShared(filepath.Join(f.dir, name))
	if err != nil {
		return nil, err
	}
	return &readFile{opened}, nil
}

// Remove removes a file.
func (f *FS) Remove(name string) error { return os.Remove(filepath.Join(f.dir, name)) }

// SyncDir makes what was created and removed survive a power cut. Windows has no such call: its
// file systems log changes of directories themselves.
func (f *FS) SyncDir() error { return syncDirectory(f.dir) }

// Space returns what the file system of the directory has free for this user, and all that this
// user could have. If the directory does not exist, that of the next one above it.
func (f *FS) Space() (free, total uint64, err error) {
	dir, err := filepath.Abs(f.dir)
	if err != nil {
		return 0, 0, err
	}
	for {
		free, total, err = space(dir)
		parent := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || parent == dir {
			return free, total, err
		}
		dir = parent
	}
}
