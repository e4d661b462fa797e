package dirfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"fodc/recorder/evidence"
	"fodc/recorder/journal/diskfs"
)

// Permissions: profiles and configurations are nobody else's business.
const (
	filePermissions      = 0o600
	directoryPermissions = 0o700
)

// FS is a directory. It holds no state: a directory that vanishes is made again by Mkdir.
type FS struct {
	dir string
}

// New returns the file system of a directory, which need not exist.
func New(dir string) *FS { return &FS{dir: dir} }

// root opens the directory for one operation.
func (f *FS) root(do func(r *os.Root) error) error {
	r, err := os.OpenRoot(f.dir)
	if err != nil {
		return err
	}
	defer r.Close()
	return f.named(do(r))
}

// named has an error name the file from the top.
func (f *FS) named(err error) error {
	if e, is := err.(*fs.PathError); is {
		return &fs.PathError{Op: e.Op, Path: f.path(e.Path), Err: e.Err}
	}
	if e, is := err.(*os.LinkError); is {
		return &os.LinkError{Op: e.Op, Old: f.path(e.Old), New: f.path(e.New), Err: e.Err}
	}
	return err
}

func (f *FS) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

// List returns the files and directories of a directory. Links and devices are there, without a size.
func (f *FS) List(dir string) (list []evidence.Entry, err error) {
	err = f.root(func(r *os.Root) error {
		d, err := r.Open(filepath.FromSlash(dir))
		if err != nil {
			return err
		}
		defer d.Close()
		entries, err := d.ReadDir(-1)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			found := evidence.Entry{Name: entry.Name(), Dir: entry.IsDir()}
			if entry.Type().IsRegular() {
				info, err := entry.Info()
				if errors.Is(err, fs.ErrNotExist) {
					continue // Removed since the directory was read.
				}
				if err != nil {
					return err
				}
				found.Size = info.Size()
			}
			list = append(list, found)
		}
		return nil
	})
	if dir == "." && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return list, err
}

// Mkdir makes a directory, and that of all incidents if need be.
func (f *FS) Mkdir(dir string) error {
	do := func(r *os.Root) error { return r.Mkdir(filepath.FromSlash(dir), directoryPermissions) }
	err := f.root(do)
	if _, missing := os.Stat(f.dir); err != nil && errors.Is(missing, fs.ErrNotExist) {
		if err := makeDirectory(f.dir); err != nil {
			return err
		}
		err = f.root(do)
	}
	return err
}

// makeDirectory makes a directory and those above it, and makes that survive a power cut.
func makeDirectory(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeDirectory(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, directoryPermissions); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return diskfs.New(parent).SyncDir()
}

// Create creates a file that must not exist.
func (f *FS) Create(name string) (evidence.WriteFile, error) {
	return f.open(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND)
}

// Append opens a file to write behind its end.
func (f *FS) Append(name string) (evidence.WriteFile, error) {
	return f.open(name, os.O_WRONLY|os.O_APPEND)
}

// Open opens a file for reading.
func (f *FS) Open(name string) (evidence.ReadFile, error) { return f.open(name, os.O_RDONLY) }

// open opens a regular file, and nothing that a link names.
func (f *FS) open(name string, flag int) (*file, error) {
	var opened *os.File
	err := f.root(func(r *os.Root) (err error) {
		name := filepath.FromSlash(name)
		if flag&os.O_EXCL == 0 {
			// Before it is opened: a named pipe would wait for somebody at its other end.
			info, err := r.Lstat(name)
			if err != nil {
				return err
			}
			if !info.Mode().IsRegular() {
				return &fs.PathError{Op: "open", Path: name, Err: errors.New("no regular file")}
			}
		}
		opened, err = r.OpenFile(name, flag, filePermissions)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &file{File: opened, path: f.path(name)}, nil
}

// Rename gives a file another name.
func (f *FS) Rename(from, to string) error {
	return f.root(func(r *os.Root) error { return r.Rename(filepath.FromSlash(from), filepath.FromSlash(to)) })
}

// Remove removes a file, a link or an empty directory.
func (f *FS) Remove(name string) error {
	return f.root(func(r *os.Root) error { return r.Remove(filepath.FromSlash(name)) })
}

// SyncDir makes what was created, renamed and removed survive a power cut.
func (f *FS) SyncDir(dir string) error { return diskfs.New(f.path(dir)).SyncDir() }

// Space returns what the file system of the directory has free for this user, and all that this user could
// have.
func (f *FS) Space() (free, total uint64, err error) { return diskfs.New(f.dir).Space() }
