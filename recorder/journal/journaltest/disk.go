package journaltest

import (
	"io/fs"
	"maps"
	"slices"
	"sync"
	"syscall"

	"fodc/recorder/journal"
)

// Op is a kind of operation.
type Op string

// The operations of a journal.FS and of its files.
const (
	List    Op = "list"
	Create  Op = "create"
	Open    Op = "open"
	Remove  Op = "remove"
	SyncDir Op = "syncdir"
	Space   Op = "space"
	Write   Op = "write"
	Sync    Op = "sync"
	Present Op = "present"
	Close   Op = "close"
	Read    Op = "read"
	Size    Op = "size"
)

// Disk is a journal.FS in memory.
type Disk struct {
	mu sync.Mutex
	// names is the directory as a process sees it, synced as it was at the last SyncDir.
	names, synced map[string]*inode
	// total is the size of the file system in bytes, other what is used by others.
	total, other uint64
	faults       []*fault
	ops          int
	stop         *stop
	stopped      bool
	watch        func(op Op, name string)
}

// inode is the contents of a file. The first synced bytes survive a power cut.
type inode struct {
	data   []byte
	synced int
}

// New returns a disk without files, of 1 TiB.
func New() *Disk {
	return &Disk{names: map[string]*inode{}, synced: map[string]*inode{}, total: 1 << 40}
}

// SetSpace sets the size of the file system, and how much of it others use, in bytes. A write
// over it does as much as there is room for, and fails with ENOSPC.
func (d *Disk) SetSpace(total, other uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.total, d.other = total, other
}

// Watch has f called after each operation, whatever came of it. f may read the disk with Files, Total and
// Bytes.
func (d *Disk) Watch(f func(op Op, name string)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watch = f
}

// Ops returns how many operations there were.
func (d *Disk) Ops() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ops
}

// Files returns the files by name, without counting as an operation.
func (d *Disk) Files() []journal.FileInfo {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.list()
}

// Total returns the size of all files in bytes.
func (d *Disk) Total() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return int64(d.used())
}

// Bytes returns a copy of a file's contents, nil if there is none.
func (d *Disk) Bytes(name string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.names[name]; n != nil {
		return slices.Clone(n.data)
	}
	return nil
}

// Put makes a file with these contents, or replaces it, as if it had always been there.
func (d *Disk) Put(name string, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := &inode{data: slices.Clone(data), synced: len(data)}
	d.names[name], d.synced[name] = n, n
}

// Flip flips a bit of a file.
func (d *Disk) Flip(name string, bit int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names[name].data[bit/8] ^= 1 << (bit % 8)
}

// Vanish removes files as somebody else would, all of them and the directory if none are named.
// Files that are open stay writable.
func (d *Disk) Vanish(names ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(names) == 0 {
		names = slices.Collect(maps.Keys(d.names))
	}
	for _, name := range names {
		delete(d.names, name)
		delete(d.synced, name)
	}
}

func (d *Disk) List() (files []journal.FileInfo, err error) {
	err = d.do(List, "", func() error {
		files = d.list()
		return nil
	})
	return files, err
}

func (d *Disk) Create(name string) (f journal.File, err error) {
	err = d.do(Create, name, func() error {
		if d.names[name] != nil {
			return fs.ErrExist
		}
		if d.used()+d.other >= d.total {
			return syscall.ENOSPC
		}
		n := &inode{}
		d.names[name] = n
		f = &file{disk: d, name: name, inode: n}
		return nil
	})
	return f, err
}

func (d *Disk) Open(name string) (f journal.ReadFile, err error) {
	err = d.do(Open, name, func() error {
		n := d.names[name]
		if n == nil {
			return fs.ErrNotExist
		}
		f = &readFile{disk: d, name: name, inode: n}
		return nil
	})
	return f, err
}

func (d *Disk) Remove(name string) error {
	return d.do(Remove, name, func() error {
		if d.names[name] == nil {
			return fs.ErrNotExist
		}
		delete(d.names, name)
		return nil
	})
}

func (d *Disk) SyncDir() error {
	return d.do(SyncDir, "", func() error {
		d.synced = maps.Clone(d.names)
		return nil
	})
}

func (d *Disk) Space() (free, total uint64, err error) {
	err = d.do(Space, "", func() error {
		total = d.total
		if used := d.used() + d.other; used < total {
			free = total - used
		}
		return nil
	})
	return free, total, err
}

func (d *Disk) list() []journal.FileInfo {
	files := make([]journal.FileInfo, 0, len(d.names))
	for _, name := range slices.Sorted(maps.Keys(d.names)) {
		files = append(files, journal.FileInfo{Name: name, Size: int64(len(d.names[name].data))})
	}
	return files
}

// used is the bytes of all files. What is removed is free at once, even while it is open.
func (d *Disk) used() uint64 {
	var used uint64
	for _, n := range d.names {
		used += uint64(len(n.data))
	}
	return used
}
