package evidence

import (
	"io"
	"io/fs"
	"slices"
	"syscall"
)

// memoryChunk is the largest piece in which a file takes memory.
const memoryChunk = 64 << 10

// memoryFile is a file: chunks that are full, but for the last one.
type memoryFile struct {
	chunks [][]byte
	starts []int64
	size   int64
	gone   bool
}

// memoryHandle is an open file.
type memoryHandle struct {
	m      *Memory
	name   string
	f      *memoryFile
	closed bool
}

// check returns why the file cannot be used. The caller holds mu.
func (h *memoryHandle) check(op string) error {
	switch {
	case h.closed:
		return memoryError(op, h.name, fs.ErrClosed)
	case h.f.gone:
		return memoryError(op, h.name, fs.ErrNotExist)
	}
	return nil
}

// Write appends.
func (h *memoryHandle) Write(p []byte) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if err := h.check("write"); err != nil {
		return 0, err
	}
	part := p[:min(int64(len(p)), max(0, h.m.max-h.m.used))]
	h.f.append(part)
	h.m.used += int64(len(part))
	if len(part) < len(p) {
		return len(part), memoryError("write", h.name, syscall.ENOSPC)
	}
	return len(p), nil
}

// append takes memory in chunks of a quarter of the file, so that little of it is not used.
func (f *memoryFile) append(p []byte) {
	for len(p) > 0 {
		if n := len(f.chunks); n == 0 || len(f.chunks[n-1]) == cap(f.chunks[n-1]) {
			size := min(memoryChunk, max(int64(len(p)), f.size/4))
			f.chunks = append(f.chunks, make([]byte, 0, size))
			f.starts = append(f.starts, f.size)
		}
		last := &f.chunks[len(f.chunks)-1]
		n := min(len(p), cap(*last)-len(*last))
		*last = append(*last, p[:n]...)
		f.size += int64(n)
		p = p[n:]
	}
}

// ReadAt implements io.ReaderAt.
func (h *memoryHandle) ReadAt(p []byte, offset int64) (n int, err error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if err := h.check("read"); err != nil {
		return 0, err
	}
	if offset < 0 {
		return 0, memoryError("read", h.name, syscall.EINVAL)
	}
	at, found := slices.BinarySearch(h.f.starts, offset)
	if !found {
		at--
	}
	for at = max(0, at); at < len(h.f.chunks) && n < len(p); at++ {
		skip := min(offset+int64(n)-h.f.starts[at], int64(len(h.f.chunks[at])))
		n += copy(p[n:], h.f.chunks[at][skip:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Size returns the length.
func (h *memoryHandle) Size() (int64, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	return h.f.size, h.check("size")
}

// Sync does nothing: memory survives nothing.
func (h *memoryHandle) Sync() error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	return h.check("sync")
}

// Close gives back what the file has too much.
func (h *memoryHandle) Close() error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if h.closed {
		return memoryError("close", h.name, fs.ErrClosed)
	}
	h.closed = true
	if n := len(h.f.chunks); n > 0 {
		h.f.chunks[n-1] = slices.Clone(h.f.chunks[n-1])
	}
	return nil
}
