package disktest

import (
	"io"
	"io/fs"
	"syscall"
)

// File is an open file: a file that is being written, and one that is read.
type File struct {
	disk   *Disk
	name   string
	inode  *inode
	closed bool
}

// opened returns an open file. The caller holds mu.
func (d *Disk) opened(name string, n *inode) *File {
	d.handles++
	return &File{disk: d, name: name, inode: n}
}

// Write appends.
func (f *File) Write(p []byte) (written int, err error) {
	d := f.disk
	hit := d.begin(Write, f.name)
	defer d.end(Write, f.name)
	if f.closed {
		return 0, failure(Write, f.name, fs.ErrClosed)
	}
	part, err := len(p), hit.err
	if err != nil {
		part = min(part, hit.written)
	}
	if hit.stop != nil {
		part, err = hit.stop.rng.IntN(len(p)+1), ErrStopped
	}
	if used := d.used() + d.other; used+uint64(part) > d.total {
		part, err = int(d.total-min(used, d.total)), syscall.ENOSPC
	}
	f.inode.data = append(f.inode.data, p[:part]...)
	d.bytes = d.bytesAfter(f, part)
	return part, failure(Write, f.name, err)
}

// bytesAfter returns the size of all files after a write: what has no name any more does not count.
func (d *Disk) bytesAfter(f *File, written int) uint64 {
	if d.find(f.name) == f.inode {
		return d.bytes + uint64(written)
	}
	return d.root.size()
}

// Sync has what was written survive a power cut.
func (f *File) Sync() error {
	return f.disk.do(Sync, f.name, func() error {
		if f.closed {
			return fs.ErrClosed
		}
		f.inode.synced = len(f.inode.data)
		return nil
	})
}

// Present returns an error unless the name in the directory still is this file.
func (f *File) Present() error {
	return f.disk.do(Present, f.name, func() error {
		if f.disk.find(f.name) != f.inode {
			return fs.ErrNotExist
		}
		return nil
	})
}

// Close closes the file even if it returns an error.
func (f *File) Close() error {
	hit := f.disk.begin(Close, f.name)
	defer f.disk.end(Close, f.name)
	if f.closed {
		return failure(Close, f.name, fs.ErrClosed)
	}
	f.closed = true
	f.disk.handles--
	if hit.stop != nil {
		return failure(Close, f.name, ErrStopped)
	}
	return failure(Close, f.name, hit.err)
}

// ReadAt implements io.ReaderAt.
func (f *File) ReadAt(p []byte, offset int64) (n int, err error) {
	err = f.disk.do(Read, f.name, func() error {
		if f.closed {
			return fs.ErrClosed
		}
		if offset < 0 {
			return syscall.EINVAL
		}
		if offset < int64(len(f.inode.data)) {
			n = copy(p, f.inode.data[offset:])
		}
		if n < len(p) {
			return io.EOF
		}
		return nil
	})
	return n, err
}

// Size returns the length.
func (f *File) Size() (size int64, err error) {
	err = f.disk.do(Size, f.name, func() error {
		size = int64(len(f.inode.data))
		return nil
	})
	return size, err
}
