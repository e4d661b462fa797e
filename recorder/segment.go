package recorder

import "slices"

// segment is a stretch of scrapes of one target: one column of times, and a column
// of values for each series. Times ascend strictly. The newest segment of a target
// is its head; the others are sealed, and never change.
type segment struct {
	// times is in unix milliseconds, one a row, with room for rows.
	times []int64
	rows  int
	// columns are sorted up to the index sorted, then in the order of arrival.
	columns []*column
	sorted  int
	samples int
	// bytes is what the segment takes, about. Over the limit a head is sealed.
	bytes, limit int64
	// newest is the number of the append that made the newest row.
	newest uint64
}

const (
	segmentBytes = 256
	timeBytes    = 8
	// columnBytes is a column with the pointer to it.
	columnBytes = 56
	// carryRows is how many rows a series may be absent before a new segment does
	// without a column of it, until it returns.
	carryRows = 10
)

// newSegment returns a segment for so many rows.
func newSegment(rows int) *segment {
	return &segment{
		times: make([]int64, 0, rows),
		rows:  rows,
		bytes: segmentBytes + int64(rows)*timeBytes,
	}
}

// row is the index of the newest row.
func (g *segment) row() int { return len(g.times) - 1 }

func (g *segment) lastTime() int64 { return g.times[len(g.times)-1] }

func (g *segment) full() bool { return len(g.times) == g.rows }

// put sets the value of the series in the newest row. It returns false if the
// series has one there already.
func (g *segment) put(s *series, v float64) bool {
	c := s.column
	if c == nil {
		c = &column{series: s}
		g.add(c)
	} else if !c.empty() && c.next() > g.row() {
		return false
	}
	g.bytes += c.put(g.row(), v, g.rows)
	g.samples++
	return true
}

// add makes the column a part of the segment, the head.
func (g *segment) add(c *column) {
	c.series.column = c
	c.series.columns++
	g.columns = append(g.columns, c)
	g.bytes += columnBytes + int64(cap(c.values))*valueBytes
}

// carry gives the segment, which must be new, an empty column for each of the given
// series, with room for all rows. They share one allocation, and keep the order.
func (g *segment) carry(from []*series) {
	columns := make([]column, len(from))
	values := make([]float64, len(from)*g.rows)
	g.columns = make([]*column, 0, len(from))
	for i, s := range from {
		columns[i] = column{series: s, values: values[i*g.rows : i*g.rows : (i+1)*g.rows]}
		g.add(&columns[i])
	}
	g.sorted = len(from)
}

// recent returns the series that had a sample in the newest rows, in order.
func (g *segment) recent() []*series {
	g.sort()
	found := make([]*series, 0, len(g.columns))
	for _, c := range g.columns {
		if !c.empty() && c.next() > g.row()-carryRows {
			found = append(found, c.series)
		}
	}
	return found
}

// mostlyDead reports whether most of the series are in no other segment.
func (g *segment) mostlyDead() bool {
	dead := 0
	for _, c := range g.columns {
		if c.series.columns == 1 {
			dead++
		}
	}
	return 2*dead > len(g.columns)
}

// sort brings the columns in order. It is cheap unless series were added.
func (g *segment) sort() {
	if g.sorted == len(g.columns) {
		return
	}
	compare := func(a, b *column) int { return compareSeries(a.series, b.series) }
	fresh := slices.Clone(g.columns[g.sorted:])
	slices.SortFunc(fresh, compare)
	// Merge from behind: the room at the end is what was cloned.
	old := g.sorted
	for i := len(g.columns) - 1; len(fresh) > 0; i-- {
		if n := len(fresh); old > 0 && compare(g.columns[old-1], fresh[n-1]) > 0 {
			old--
			g.columns[i] = g.columns[old]
		} else {
			g.columns[i] = fresh[n-1]
			fresh = fresh[:n-1]
		}
	}
	g.sorted = len(g.columns)
}

// seal drops the columns without a sample, and returns their series. The segment
// does not change any more.
func (g *segment) seal() (dropped []*series) {
	g.sort()
	for _, c := range g.columns {
		c.series.column = nil
		if c.empty() {
			dropped = append(dropped, c.series)
		}
	}
	if len(dropped) > 0 {
		g.columns = slices.DeleteFunc(g.columns, (*column).empty)
		g.sorted = len(g.columns)
	}
	return dropped
}

// newestRow returns a segment that holds a copy of the newest row alone.
func (g *segment) newestRow(rows int) *segment {
	g.sort()
	kept := newSegment(rows)
	kept.times, kept.newest = append(kept.times, g.lastTime()), g.newest
	for _, c := range g.columns {
		if c.empty() || c.next() <= g.row() {
			continue
		}
		last := c.last()
		last.values = slices.Clone(last.values)
		kept.add(&last)
		kept.samples++
	}
	kept.sorted = len(kept.columns)
	return kept
}
