package disktest

import (
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
)

// Op is a kind of operation.
type Op string

// The operations of a disk and of its files.
const (
	List    Op = "list"
	Mkdir   Op = "mkdir"
	Create  Op = "create"
	Append  Op = "append"
	Open    Op = "open"
	Rename  Op = "rename"
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

// Disk is a directory on a disk in memory. Names are relative to it, with slashes; "." is the directory itself.
type Disk struct {
	mu sync.Mutex
	// root is the directory, and total what the file system has, of which others use other.
	root         *inode
	total, other uint64
	// bytes is the size of all files.
	bytes        uint64
	faults       []*fault
	stop         *stop
	stopped      bool
	ops, handles int
	watch        func(op Op, name string)
}

// inode is a file, or a directory if names is not nil. A power cut leaves the first synced bytes of a file,
// and of each name of a directory what it is in names or in syncedNames.
type inode struct {
	data               []byte
	synced             int
	names, syncedNames map[string]*inode
}

func newDirectory() *inode {
	return &inode{names: map[string]*inode{}, syncedNames: map[string]*inode{}}
}

// New returns an empty disk of one TiB.
func New() *Disk { return &Disk{root: newDirectory(), total: 1 << 40} }

// SetSpace says how large the file system is, and how much of it others use.
func (d *Disk) SetSpace(total, other uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.total, d.other = total, other
}

// Watch has a function called after each operation, outside of it: it may use Files and Total.
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

// Handles returns how many files are open.
func (d *Disk) Handles() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.handles
}

// Files returns the sizes of all files by name, without counting as an operation.
func (d *Disk) Files() map[string]int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	files := map[string]int64{}
	d.root.walk(".", func(name string, n *inode) { files[name] = int64(len(n.data)) })
	return files
}

// Dirs returns how many directories there are at the top.
func (d *Disk) Dirs() (dirs int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range d.root.names {
		if n.names != nil {
			dirs++
		}
	}
	return dirs
}

// Total returns the size of all files in bytes.
func (d *Disk) Total() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return int64(d.used())
}

// Free returns what Space does, without counting as an operation.
func (d *Disk) Free() (free, total uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if used := d.used() + d.other; used < d.total {
		free = d.total - used
	}
	return free, d.total
}

// Bytes returns a copy of a file's contents, nil if there is none.
func (d *Disk) Bytes(name string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.find(name); n != nil && n.names == nil {
		return append([]byte{}, n.data...)
	}
	return nil
}

// Put makes a file with these contents, or replaces it, as if it and its directories had always been there.
func (d *Disk) Put(name string, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir := d.root
	for _, part := range strings.Split(path.Dir(name), "/") {
		if part == "." {
			break
		}
		if dir.names[part] == nil {
			next := newDirectory()
			dir.names[part], dir.syncedNames[part] = next, next
		}
		dir = dir.names[part]
	}
	n := &inode{data: slices.Clone(data), synced: len(data)}
	dir.names[path.Base(name)], dir.syncedNames[path.Base(name)] = n, n
	d.bytes = d.root.size()
}

// Flip flips a bit of a file.
func (d *Disk) Flip(name string, bit int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.find(name).data[bit/8] ^= 1 << (bit % 8)
}

// Vanish removes a file or directory with all that is in it, as somebody else would; "." is everything.
func (d *Disk) Vanish(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer func() { d.bytes = d.root.size() }()
	if name == "." {
		d.root = newDirectory()
		return
	}
	if dir := d.find(path.Dir(name)); dir != nil {
		delete(dir.names, path.Base(name))
		delete(dir.syncedNames, path.Base(name))
	}
}

// find returns what has a name, nil if there is nothing.
func (d *Disk) find(name string) *inode {
	n := d.root
	if name == "." {
		return n
	}
	for _, part := range strings.Split(name, "/") {
		if n == nil || n.names == nil {
			return nil
		}
		n = n.names[part]
	}
	return n
}

// walk calls f for each file below a directory.
func (n *inode) walk(dir string, f func(name string, n *inode)) {
	for _, name := range slices.Sorted(maps.Keys(n.names)) {
		if child := n.names[name]; child.names != nil {
			child.walk(path.Join(dir, name), f)
		} else {
			f(path.Join(dir, name), child)
		}
	}
}

// used is the bytes of all files. What is removed is free at once, even while it is open.
func (d *Disk) used() uint64 { return d.bytes }

func (n *inode) size() uint64 {
	size := uint64(len(n.data))
	for _, child := range n.names {
		size += child.size()
	}
	return size
}
