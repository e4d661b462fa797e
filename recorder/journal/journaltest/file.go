package journaltest

import (
	"io"
	"io/fs"
	"syscall"
)

// file is a file that is being written.
type file struct {
	disk   *Disk
	name   string
	inode  *inode
	closed bool
}

func (f *file) Write(p []byte) (written int, err error) {
	d := f.disk
	hit := d.begin(Write, f.name)
	defer d.end(Write, f.name)
	if f.closed {
		return 0, d.failure(Write, f.name, fs.ErrClosed)
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
	return part, d.failure(Write, f.name, err)
}

func (f *file) Sync() error {
	return f.disk.do(Sync, f.name, func() error {
		if f.closed {
			return fs.ErrClosed
		}
		f.inode.synced = len(f.inode.data)
		return nil
	})
}

func (f *file) Present() error {
	return f.disk.do(Present, f.name, func() error {
		if f.disk.names[f.name] != f.inode {
			return fs.ErrNotExist
		}
		return nil
	})
}

// Close closes the file even if it returns an error.
func (f *file) Close() error {
	return f.disk.do(Close, f.name, func() error { return setClosed(&f.closed) })
}

// readFile is a file that is read.
type readFile struct {
	disk   *Disk
	name   string
	inode  *inode
	closed bool
}

func (f *readFile) ReadAt(p []byte, offset int64) (n int, err error) {
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

func (f *readFile) Size() (size int64, err error) {
	err = f.disk.do(Size, f.name, func() error {
		size = int64(len(f.inode.data))
		return nil
	})
	return size, err
}

func (f *readFile) Close() error {
	return f.disk.do(Close, f.name, func() error { return setClosed(&f.closed) })
}

func setClosed(closed *bool) error {
	if *closed {
		return fs.ErrClosed
	}
	*closed = true
	return nil
}
