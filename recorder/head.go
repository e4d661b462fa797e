package recorder

import "slices"

// head is the open chunk of a target: its newest scrapes, with one column of times and a
// column of values for each series. Times ascend strictly.
type head struct {
	// times has the time of each scrape in unix milliseconds. The head is full when there are
	// capacity of them.
	times    []int64
	capacity int
	// columns[:sorted] are in the order of series, those behind in the order of arrival.
	columns []*column
	sorted  int
	samples int
	// bytes is the size of the head. When it reaches the limit, the head is sealed.
	bytes, limit int64
	// oldestAppend and newestAppend are the numbers of the appends that made the oldest and the
	// newest scrape.
	oldestAppend, newestAppend int64
}

const (
	headBytes    = 112
	timeBytes    = 8
	pointerBytes = 8
	columnBytes  = 40
	// carryScrapes is in how many of the newest scrapes of a head a series must have a sample
	// for its column to be allocated in the next head at once. Others get one when they
	// return.
	carryScrapes = 10
)

// newHead returns an empty head for so many scrapes.
func newHead(capacity int) *head {
	return &head{
		times:    make([]int64, 0, capacity),
		capacity: capacity,
		bytes:    headBytes + sizeOf(capacity*timeBytes),
	}
}

// lastIndex is the index of the newest scrape.
func (h *head) lastIndex() int { return len(h.times) - 1 }

func (h *head) lastTime() int64 { return h.times[len(h.times)-1] }

func (h *head) full() bool { return len(h.times) == h.capacity }

// begin adds a scrape without samples. Number is that of the append.
func (h *head) begin(at, number int64) {
	if len(h.times) == 0 {
		h.oldestAppend = number
	}
	h.times, h.newestAppend = append(h.times, at), number
}

// put sets the value of the series in the newest scrape. It returns false if the series has
// one there already.
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

// add adds a column to the head. The caller counts the bytes of the column itself.
func (h *head) add(c *column) {
	c.series.column = c
	c.series.refs++
	if before := cap(h.columns); len(h.columns) == before {
		h.columns = slices.Grow(h.columns, 1)
		h.bytes += sizeOf(cap(h.columns)*pointerBytes) - sizeOf(before*pointerBytes)
	}
	h.columns = append(h.columns, c)
}

// preallocate adds an empty column with room for all scrapes for each of the given series,
// in their order. The head must be new. All values share one allocation.
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

// recentSeries returns the series that have a sample in the newest carryScrapes scrapes, in
// order.
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

// sort sorts the columns. It is cheap unless series were added.
func (h *head) sort() {
	if h.sorted == len(h.columns) {
		return
	}
	compare := func(a, b *column) int { return compareSeries(a.series, b.series) }
	fresh := slices.Clone(h.columns[h.sorted:])
	slices.SortFunc(fresh, compare)
	// Merge from the end: its columns were cloned, so that they can be overwritten.
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

// release drops the references of the columns to their series, and calls gone for each
// series that has no other.
func (h *head) release(gone func(*series)) {
	for _, c := range h.columns {
		if c.series.column == c {
			c.series.column = nil
		}
		c.series.release(gone)
	}
}

// newestScrape returns a head with a copy of the newest scrape alone.
func (h *head) newestScrape(capacity int) *head {
	h.sort()
	kept := newHead(capacity)
	kept.begin(h.lastTime(), h.newestAppend)
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
