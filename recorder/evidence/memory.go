package evidence

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// memoryName is what a file or directory of Memory counts, besides its bytes and its name.
const memoryName = 512

// Memory is an FS in memory, for an agent without a storage directory. All its files take at most the bytes it
// was made for, and 64 KiB for each that is being written. Reading a file that was removed is an error, so
// that its memory is free at once.
type Memory struct {
	mu    sync.Mutex
	max   int64
	used  int64
	files map[string]*memoryFile
	dirs  map[string]bool
}

// NewMemory returns an FS of so many bytes.
func NewMemory(maxBytes int64) *Memory {
	return &Memory{max: maxBytes, files: map[string]*memoryFile{}, dirs: map[string]bool{".": true}}
}

func memoryError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// List implements FS.
func (m *Memory) List(dir string) (list []Entry, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dirs[dir] {
		return nil, memoryError("list", dir, fs.ErrNotExist)
	}
	for _, name := range slices.Sorted(maps.Keys(m.files)) {
		if path.Dir(name) == dir {
			list = append(list, Entry{Name: path.Base(name), Size: m.files[name].size})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.dirs)) {
		if name != "." && path.Dir(name) == dir {
			list = append(list, Entry{Name: path.Base(name), Dir: true})
		}
	}
	return list, nil
}

// add counts a new name. The caller holds mu.
func (m *Memory) add(op, name string) error {
	switch {
	case m.files[name] != nil || m.dirs[name]:
		return memoryError(op, name, fs.ErrExist)
	case !m.dirs[path.Dir(name)]:
		return memoryError(op, name, fs.ErrNotExist)
	case m.used+int64(memoryName+len(name)) > m.max:
		return memoryError(op, name, syscall.ENOSPC)
	}
	m.used += int64(memoryName + len(name))
	return nil
}

// Mkdir implements FS.
func (m *Memory) Mkdir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.add("mkdir", dir); err != nil {
		return err
	}
	m.dirs[dir] = true
	return nil
}

// Create implements FS.
func (m *Memory) Create(name string) (WriteFile, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.add("create", name); err != nil {
		return nil, err
	}
	f := &memoryFile{}
	m.files[name] = f
	return &memoryHandle{m: m, name: name, f: f}, nil
}

// Append implements FS.
func (m *Memory) Append(name string) (WriteFile, error) { return m.open(name) }

// Open implements FS.
func (m *Memory) Open(name string) (ReadFile, error) { return m.open(name) }

func (m *Memory) open(name string) (*memoryHandle, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.files[name]
	if f == nil {
		return nil, memoryError("open", name, fs.ErrNotExist)
	}
	return &memoryHandle{m: m, name: name, f: f}, nil
}

// Rename implements FS.
func (m *Memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.files[from]
	switch {
	case f == nil || !m.dirs[path.Dir(to)]:
		return memoryError("rename", from, fs.ErrNotExist)
	case m.dirs[to]:
		return memoryError("rename", to, fs.ErrExist)
	case from == to:
		return nil
	}
	m.drop(to)
	delete(m.files, from)
	m.files[to] = f
	m.used += int64(len(to) - len(from))
	return nil
}

// drop removes a file, if there is one. The caller holds mu.
func (m *Memory) drop(name string) {
	if f := m.files[name]; f != nil {
		delete(m.files, name)
		m.used -= f.size + int64(memoryName+len(name))
		*f = memoryFile{gone: true}
	}
}

// Remove implements FS.
func (m *Memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.files[name] != nil:
		m.drop(name)
	case !m.dirs[name] || name == ".":
		return memoryError("remove", name, fs.ErrNotExist)
	case m.hasBelow(name + "/"):
		return memoryError("remove", name, syscall.ENOTEMPTY)
	default:
		delete(m.dirs, name)
		m.used -= int64(memoryName + len(name))
	}
	return nil
}

func (m *Memory) hasBelow(prefix string) bool {
	for name := range m.files {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	for name := range m.dirs {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// SyncDir implements FS: memory survives nothing.
func (m *Memory) SyncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dirs[dir] {
		return memoryError("sync", dir, fs.ErrNotExist)
	}
	return nil
}

// Space implements FS.
func (m *Memory) Space() (free, total uint64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(max(0, m.max-m.used)), uint64(m.max), nil
}
