package exposition

import (
	"fmt"
	"io"
	"sync"
)

// How much of a page is gathered before it is handed on: the first part is there soon, and
// the later ones of a long page are few.
const (
	firstFlushBytes = 32 << 10
	lastFlushBytes  = 256 << 10
	// bufferSlack is room for the line that crosses the limit.
	bufferSlack = 4 << 10
)

// The memory of a page is for the next one when it is written.
type (
	firstMemory [firstFlushBytes + bufferSlack]byte
	lastMemory  [lastFlushBytes + bufferSlack]byte
)

var (
	firstMemories = sync.Pool{New: func() any { return new(firstMemory) }}
	lastMemories  = sync.Pool{New: func() any { return new(lastMemory) }}
)

// buffer gathers a page. Its user appends to b, calls spill now and then, and finish in
// the end. The first error ends it: what comes later is dropped.
type buffer struct {
	b []byte
	// limit is how much is gathered of the part in progress.
	limit int
	first *firstMemory
	last  *lastMemory // nil in the first part
	w     io.Writer
	err   error
}

func newBuffer(w io.Writer) *buffer {
	o := &buffer{w: w, limit: firstFlushBytes, first: firstMemories.Get().(*firstMemory)}
	o.b = o.first[:0]
	return o
}

// spill hands on what was gathered if it is enough, and reports whether to go on.
func (o *buffer) spill() bool {
	if len(o.b) >= o.limit {
		o.flush()
		if o.last == nil {
			o.last, o.limit = lastMemories.Get().(*lastMemory), lastFlushBytes
			o.b = o.last[:0]
		}
	}
	return o.err == nil
}

// pass takes b as what was gathered so far, and spills it if it is enough. It returns what
// to append to, and whether to go on.
func (o *buffer) pass(b []byte) ([]byte, bool) {
	if len(b) < o.limit {
		return b, true
	}
	o.b = b
	ok := o.spill()
	return o.b, ok
}

func (o *buffer) flush() {
	if o.err == nil && len(o.b) > 0 {
		if _, err := o.w.Write(o.b); err != nil {
			o.err = fmt.Errorf("write the page: %w", err)
		}
	}
	o.b = o.b[:0]
}

// finish hands on the rest and returns the first error.
func (o *buffer) finish() error {
	o.flush()
	o.b = nil
	firstMemories.Put(o.first)
	if o.last != nil {
		lastMemories.Put(o.last)
	}
	return o.err
}
