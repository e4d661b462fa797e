package recorder

import "slices"

// head is the newest stretch of scrapes of one target, which still grows: one column
// of times, and a column of values for each series. Times ascend strictly.
type head struct {
	// times is in unix milliseconds, one a row, with room for rows.
	times    []int64
	capacity int
	// columns are sorted up to the index sorted, then in the order of arrival.
	columns []*column
	sorted  int
	samples int
	// bytes is what the head takes. Over the limit it is sealed.
	bytes, limit int64
	// newestAppend is the number of the append that made the newest row.
	newestAppend uint64
}

const (
	headBytes    = 96
	timeBytes    = 8
	pointerBytes = 8
	columnBytes  = 40
	// carryScrapes is how many rows a series may be absent before a new head does without
	// a column of it, until it returns.
	carryScrapes = 10
)

// newHead returns a head for so many rows.
func newHead(rows int) *head {
	return &head{
		times:    make([]int64, 0, rows),
		capacity: rows,
		bytes:    headBytes + sizeOf(rows*timeBytes),
	}
}

// lastIndex is the index of the newest row.
func (h *head) lastIndex() int { return len(h.times) - 1 }

func (h *head) lastTime() int64 { return h.times[len(h.times)-1] }

func (h *head) full() bool { return len(h.times) == h.capacity }

// put sets the value of the series in the newest row. It returns false if the
// series has one there already.
func (h *head) put(s *series, v float64) bool {
	c := s.column
	if c == nil {
		c = &column{series: s}
		h.bytes += sizeOf(columnBytes)
		h.add(c)
	} else if !c.empty() && c.next() > h.lastIndex() {
		return false
	}
	h.bytes += c.put(h.lastIndex(), v, h.capacity)
	h.samples++
	return true
}

// add makes the column a part of the head. The caller accounts for the column itself.
func (h *head) add(c *column) {
	c.series.column = c
	c.series.refs++
	if before := cap(h.columns); len(h.columns) == before {
		h.columns = slices.Grow(h.columns, 1)
		h.bytes += sizeOf(cap(h.columns)*pointerBytes) - sizeOf(before*pointerBytes)
	}
	h.columns = append(h.columns, c)
}

// preallocate gives the head, which must be new, an empty column for each of the given
// series, with room for all rows. They share one allocation, and keep the order.
func (h *head) preallocate(from []*series) {
	columns := make([]column, len(from))
	values := make([]float64, len(from)*h.capacity)
	h.columns = make([]*column, 0, len(from))
	h.bytes += sizeOf(len(from)*columnBytes) + sizeOf(len(values)*valueBytes) + sizeOf(len(from)*pointerBytes)
	for i, s := range from {
		columns[i] = column{series: s, values: values[i*h.capacity : i*h.capacity : (i+1)*h.capacity]}
		h.add(&columns[i])
	}
	h.sorted = len(from)
}

// recentSeries returns the series that had a sample in the newest rows, in order.
func (h *head) recentSeries() []*series {
	h.sort()
	found := make([]*series, 0, len(h.columns))
	for _, c := range h.columns {
		if !c.empty() && c.next() > h.lastIndex()-carryScrapes {
			found = append(found, c.series)
		}
	}
	return found
}

// sort brings the columns in order. It is cheap unless series were added.
func (h *head) sort() {
	if h.sorted == len(h.columns) {
		return
	}
	compare := func(a, b *column) int { return compareSeries(a.series, b.series) }
	fresh := slices.Clone(h.columns[h.sorted:])
	slices.SortFunc(fresh, compare)
	// Merge from behind: the room at the end is what was cloned.
	old := h.sorted
	for i := len(h.columns) - 1; len(fresh) > 0; i-- {
		if n := len(fresh); old > 0 && compare(h.columns[old-1], fresh[n-1]) > 0 {
			old--
			h.columns[i] = h.columns[old]
		} else {
			h.columns[i] = fresh[n-1]
			fresh = fresh[:n-1]
		}
	}
	h.sorted = len(h.columns)
}

// release takes the columns from their series, and calls gone for each series that
// has no other use.
func (h *head) release(gone func(*series)) {
	for _, c := range h.columns {
		if c.series.column == c {
			c.series.column = nil
		}
		c.series.release(gone)
	}
}

// newestScrape returns a head that holds a copy of the newest row alone.
func (h *head) newestScrape(rows int) *head {
	h.sort()
	kept := newHead(rows)
	kept.times, kept.newestAppend = append(kept.times, h.lastTime()), h.newestAppend
	for _, c := range h.columns {
		if c.empty() || c.next() <= h.lastIndex() {
			continue
		}
		last := c.newest()
		last.values = slices.Clone(last.values)
		kept.bytes += sizeOf(columnBytes) + sizeOf(cap(last.values)*valueBytes)
		kept.add(&last)
		kept.samples++
	}
	kept.sorted = len(kept.columns)
	return kept
}
