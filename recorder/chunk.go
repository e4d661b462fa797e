package recorder

import (
	"encoding/binary"
	"slices"

	"fodc/messages"
	"fodc/recorder/codec"
)

// chunk is a sealed chunk: scrapes of one target, compressed. It never changes, so that
// readers need no lock.
type chunk struct {
	times []int64
	list  *seriesList
	// data has the columns in the order of the list, each with its length as a uvarint and
	// then its encoded values. At its end are codec.ReadPadding bytes.
	data []byte
	// marks are the offsets in data of each markDistance-th column, the first one left out.
	marks   []uint32
	samples int
	bytes   int64
	// oldestAppend and newestAppend are the numbers of the appends that made the oldest and the
	// newest scrape.
	oldestAppend, newestAppend int64
}

// seriesList has the series of a chunk's columns, in order. Successive chunks of a target
// with the same series share one list.
type seriesList struct {
	all []*series
	// refs counts the chunks that have the list. It is for the owner of the window alone.
	refs int
}

const (
	chunkBytes      = 112
	markBytes       = 4
	seriesListBytes = 32
	// markDistance is how many columns a reader of one of them has to pass at most.
	markDistance = 16
)

func (l *seriesList) bytes() int64 { return seriesListBytes + sizeOf(cap(l.all)*pointerBytes) }

// seal encodes the head into a chunk. The head must not be used any more. Columns without a
// value are left out. Before is the chunk before, or nil: its list is shared if it is the
// same. Grown is the size of a new list.
func seal(h *head, e *encoder, before *chunk) (sealed *chunk, grown int64) {
	h.sort()
	sealed = &chunk{times: slices.Clone(h.times), samples: h.samples,
		oldestAppend: h.oldestAppend, newestAppend: h.newestAppend}
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
		if n := len(all); n > 0 && n%markDistance == 0 {
			sealed.marks = append(sealed.marks, uint32(len(data)))
		}
		all = append(all, c.series)
		c.read(values, 0)
		e.Buf = e.Buf[:0]
		e.encode(values)
		data = binary.AppendUvarint(data, uint64(len(e.Buf)))
		data = append(data, e.Buf...)
	}
	sealed.data = make([]byte, len(data)+codec.ReadPadding)
	copy(sealed.data, data)
	sealed.marks = slices.Clone(sealed.marks)
	if before != nil && slices.Equal(before.list.all, all) {
		sealed.list = before.list
	} else {
		sealed.list = &seriesList{all: slices.Clip(slices.Clone(all))}
		grown = sealed.list.bytes()
	}
	sealed.list.refs++
	for _, s := range all {
		s.refs++
	}
	sealed.bytes = chunkBytes + sizeOf(cap(sealed.times)*timeBytes) + sizeOf(cap(sealed.data)) + sizeOf(cap(sealed.marks)*markBytes)
	return sealed, grown
}

// release drops the references to the chunk's series, and calls gone for each series that
// has no other. Shrunk is the size of the list if no other chunk has it.
func (c *chunk) release(gone func(*series)) (shrunk int64) {
	for _, s := range c.list.all {
		s.release(gone)
	}
	if c.list.refs--; c.list.refs == 0 {
		shrunk = c.list.bytes()
	}
	return shrunk
}

// mostlyChurned reports whether most of the chunk's series are in no other chunk and not in
// the head.
func (c *chunk) mostlyChurned() bool {
	churned := 0
	for _, s := range c.list.all {
		if s.refs == 1 {
			churned++
		}
	}
	return 2*churned > len(c.list.all)
}

// chunkCursor iterates over some columns of a chunk.
type chunkCursor struct {
	*chunk
	// ranges are those that are left, count is how many columns they have.
	ranges []columnRange
	count  int
	// index is that of the column; its encoded values are data[at:end].
	index, at, end int
	scratch        []float64
}

// newChunkCursor returns a cursor over the columns of the ranges, which ascend and are not empty.
func newChunkCursor(of *chunk, ranges []columnRange) *chunkCursor {
	c := &chunkCursor{chunk: of, ranges: ranges, index: -1}
	for _, one := range ranges {
		c.count += one.to - one.from
	}
	if c.count > 0 {
		c.moveTo(ranges[0].from)
	}
	return c
}

func (c *chunkCursor) left() int { return c.count }

func (c *chunkCursor) series() *series { return c.list.all[c.index] }

func (c *chunkCursor) advance() {
	if c.count--; c.count == 0 {
		return
	}
	next := c.index + 1
	if next == c.ranges[0].to {
		c.ranges = c.ranges[1:]
		next = c.ranges[0].from
	}
	c.moveTo(next)
}

// moveTo moves to a column behind the present one.
func (c *chunkCursor) moveTo(index int) {
	if mark := index / markDistance; mark*markDistance > c.index+1 {
		c.index, c.end = mark*markDistance-1, int(c.marks[mark-1])
	}
	for ; c.index < index; c.index++ {
		length, n := binary.Uvarint(c.data[c.end:])
		c.at = c.end + n
		c.end = c.at + int(length)
	}
}

func (c *chunkCursor) read(dst []float64, from int) (first, end int) {
	if from == 0 {
		decode(dst, c.data[c.at:], len(c.times))
		return extent(dst)
	}
	if c.scratch == nil {
		c.scratch = make([]float64, len(c.times))
	}
	values := c.scratch[:from+len(dst)]
	decode(values, c.data[c.at:], len(c.times))
	copy(dst, values[from:])
	return extent(dst)
}

// extent returns the index of the first value that is not a gap, and the index behind the
// last one. Both are 0 if all are gaps.
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
