package disktest

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"syscall"
)

// Entry is what a directory has under a name.
type Entry struct {
	Name string
	Dir  bool
	Size int64
}

// List returns what a directory has, by name.
func (d *Disk) List(dir string) (list []Entry, err error) {
	err = d.do(List, dir, func() error {
		n := d.find(dir)
		if n == nil || n.names == nil {
			return fs.ErrNotExist
		}
		for _, name := range slices.Sorted(maps.Keys(n.names)) {
			child := n.names[name]
			list = append(list, Entry{Name: name, Dir: child.names != nil, Size: int64(len(child.data))})
		}
		return nil
	})
	return list, err
}

// add gives a new file or directory a name.
func (d *Disk) add(name string, n *inode) error {
	dir := d.find(path.Dir(name))
	switch {
	case dir == nil:
		return fs.ErrNotExist
	case dir.names == nil:
		return syscall.ENOTDIR
	case dir.names[path.Base(name)] != nil:
		return fs.ErrExist
	case d.used()+d.other >= d.total:
		return syscall.ENOSPC
	}
	dir.names[path.Base(name)] = n
	return nil
}

// Mkdir makes a directory in one that is there.
func (d *Disk) Mkdir(dir string) error {
	return d.do(Mkdir, dir, func() error { return d.add(dir, newDirectory()) })
}

// Create creates a file.
func (d *Disk) Create(name string) (f *File, err error) {
	err = d.do(Create, name, func() error {
		n := &inode{}
		if err := d.add(name, n); err != nil {
			return err
		}
		f = d.opened(name, n)
		return nil
	})
	return f, err
}

// Append opens a file to write behind its end.
func (d *Disk) Append(name string) (*File, error) { return d.existing(Append, name) }

// Open opens a file for reading.
func (d *Disk) Open(name string) (*File, error) { return d.existing(Open, name) }

func (d *Disk) existing(op Op, name string) (f *File, err error) {
	err = d.do(op, name, func() error {
		n := d.find(name)
		if n == nil || n.names != nil {
			return fs.ErrNotExist
		}
		f = d.opened(name, n)
		return nil
	})
	return f, err
}

// Rename gives a file another name, and replaces the file of that name.
func (d *Disk) Rename(from, to string) error {
	return d.do(Rename, from, func() error {
		n, source, target := d.find(from), d.find(path.Dir(from)), d.find(path.Dir(to))
		if n == nil || n.names != nil || target == nil || target.names == nil {
			return fs.ErrNotExist
		}
		if old := target.names[path.Base(to)]; old != nil && old.names != nil {
			return syscall.EISDIR
		} else if old != nil {
			d.bytes -= uint64(len(old.data))
		}
		delete(source.names, path.Base(from))
		target.names[path.Base(to)] = n
		return nil
	})
}

// Remove removes a file or an empty directory.
func (d *Disk) Remove(name string) error {
	return d.do(Remove, name, func() error {
		n := d.find(name)
		switch {
		case n == nil:
			return fs.ErrNotExist
		case len(n.names) > 0:
			return syscall.ENOTEMPTY
		}
		d.bytes -= uint64(len(n.data))
		delete(d.find(path.Dir(name)).names, path.Base(name))
		return nil
	})
}

// SyncDir has what was created, renamed and removed in a directory survive a power cut.
func (d *Disk) SyncDir(dir string) error {
	return d.do(SyncDir, dir, func() error {
		n := d.find(dir)
		if n == nil || n.names == nil {
			return fs.ErrNotExist
		}
		n.syncedNames = maps.Clone(n.names)
		return nil
	})
}

// Space returns the free bytes and all bytes of the file system.
func (d *Disk) Space() (free, total uint64, err error) {
	err = d.do(Space, ".", func() error { return nil })
	if err == nil {
		free, total = d.Free()
	}
	return free, total, err
}
