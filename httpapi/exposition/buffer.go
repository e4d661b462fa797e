package exposition

import (
	"fmt"
	"io"
)

// flushBytes is how much of a page is gathered before it is handed on: the first part is
// there soon, and the later ones of a long page are few.
const (
	firstFlushBytes = 32 << 10
	lastFlushBytes  = 256 << 10
)

// buffer gathers a page. Its user appends to b and calls spill when b is full, or now
// and then. The first error ends it: what comes later is dropped.
type buffer struct {
	b []byte
	// limit is what is gathered of the part in progress.
	limit int
	w     io.Writer
	err   error
}

// bufferSlack is room for the line that crosses the limit.
const bufferSlack = 4 << 10

func newBuffer(w io.Writer) *buffer {
	return &buffer{w: w, limit: firstFlushBytes, b: make([]byte, 0, firstFlushBytes+bufferSlack)}
}

// spill hands on what was gathered if it is enough, and reports whether to go on.
func (o *buffer) spill() bool {
	if len(o.b) >= o.limit {
		o.flush()
		if o.limit < lastFlushBytes && o.err == nil {
			o.limit *= 2
			o.b = make([]byte, 0, o.limit+bufferSlack)
		}
	}
	return o.err == nil
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
	return o.err
}
