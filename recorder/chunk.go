package recorder

import (
	"encoding/binary"
	"slices"

	"fodc/messages"
)

// chunk is a stretch of scrapes of one target that never changes any more. Readers
// hold on to it without a lock.
type chunk struct {
	times []int64
	list  *seriesList
	// data is the columns in the order of the list: the length of each as a uvarint,
	// then its packed values; and readPad bytes at the end.
	data    []byte
	samples int
	bytes   int64
	// newestAppend is the number of the append that made the newest row.
	newestAppend uint64
}

// seriesList is who has columns in a sealed stretch, in order. As long as these stay
// the same, the stretches of a target share one.
type seriesList struct {
	all []*series
	// refs counts the stretches; owned by the window, not for readers.
	refs int
}

const (
	chunkBytes      = 80
	seriesListBytes = 32
)

func (l *seriesList) bytes() int64 { return seriesListBytes + sizeOf(cap(l.all)*pointerBytes) }

// seal packs the head, which must not be used any more: the columns without a value
// are left out. before is the stretch before, or nil. It returns by how many bytes the
// lists grew.
func seal(h *head, e *encoder, before *chunk) (g *chunk, grown int64) {
	h.sort()
	g = &chunk{times: slices.Clone(h.times), samples: h.samples, newestAppend: h.newestAppend}
	all := make([]*series, 0, len(h.columns))
	values := make([]float64, len(h.times))
	var data []byte
	if before != nil {
		data = make([]byte, 0, len(before.data)+len(before.data)/growPart)
	}
	for _, c := range h.columns {
		if c.empty() {
			continue
		}
		all = append(all, c.series)
		c.read(values, 0)
		e.buf = e.buf[:0]
		e.encode(values)
		data = binary.AppendUvarint(data, uint64(len(e.buf)))
		data = append(data, e.buf...)
	}
	g.data = make([]byte, len(data)+readPadding)
	copy(g.data, data)
	if before != nil && slices.Equal(before.list.all, all) {
		g.list = before.list
	} else {
		g.list = &seriesList{all: slices.Clip(slices.Clone(all))}
		grown = g.list.bytes()
	}
	g.list.refs++
	for _, s := range all {
		s.refs++
	}
	g.bytes = chunkBytes + sizeOf(cap(g.times)*timeBytes) + sizeOf(cap(g.data))
	return g, grown
}

// release calls gone for each series that has no other use. It returns by how many
// bytes the lists shrink.
func (g *chunk) release(gone func(*series)) (shrunk int64) {
	for _, s := range g.list.all {
		s.release(gone)
	}
	if g.list.refs--; g.list.refs == 0 {
		shrunk = g.list.bytes()
	}
	return shrunk
}

// mostlyChurned reports whether most of the series are nowhere else.
func (g *chunk) mostlyChurned() bool {
	dead := 0
	for _, s := range g.list.all {
		if s.refs == 1 {
			dead++
		}
	}
	return 2*dead > len(g.list.all)
}

// chunkCursor goes through the columns of a sealed stretch.
type chunkCursor struct {
	*chunk
	// index is of the column, at where its packed values begin, end where they end.
	index, at, end int
	scratch        []float64
}

func newChunkCursor(g *chunk) *chunkCursor {
	c := &chunkCursor{chunk: g}
	c.find()
	return c
}

func (c *chunkCursor) left() int { return len(c.list.all) - c.index }

func (c *chunkCursor) series() *series { return c.list.all[c.index] }

func (c *chunkCursor) advance() {
	c.index++
	c.find()
}

// find looks for the column behind end.
func (c *chunkCursor) find() {
	length, n := binary.Uvarint(c.data[c.end:])
	c.at = c.end + n
	c.end = c.at + int(length)
}

func (c *chunkCursor) read(dst []float64, from int) (first, end int) {
	if from == 0 {
		decode(dst, c.data[c.at:], len(c.times))
		return extent(dst)
	}
	if c.scratch == nil {
		c.scratch = make([]float64, len(c.times))
	}
	rows := c.scratch[:from+len(dst)]
	decode(rows, c.data[c.at:], len(c.times))
	copy(dst, rows[from:])
	return extent(dst)
}

// extent returns the index of the first value that is not a gap and that behind the
// last one; both are 0 if there is none.
func extent(values []float64) (first, end int) {
	end = len(values)
	for end > 0 && messages.IsGap(values[end-1]) {
		end--
	}
	for first < end && messages.IsGap(values[first]) {
		first++
	}
	return first, end
}
