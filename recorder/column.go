package recorder

import "fodc/messages"

// column is the values of one series in a head. A copy of it, made by the owner, is
// a view: it stays as it is while values are appended to the original.
type column struct {
	series *series
	// start is the row of the first value. Rows before it and behind the last value
	// are gaps.
	start  int
	values []float64
}

const (
	valueBytes = 8
	// firstValues is the room of the column of a series that is new in its head,
	// valuesGrowth the factor by which it grows.
	firstValues  = 8
	valuesGrowth = 4
)

// next is the first row that put accepts.
func (c *column) next() int { return c.start + len(c.values) }

func (c *column) empty() bool { return len(c.values) == 0 }

// put sets the value of a row, which must not be before next. Of the rows that the
// head is to have it makes room for as many as it needs, and returns by how many
// bytes it grew.
func (c *column) put(row int, v float64, rows int) (grown int64) {
	if c.empty() {
		c.start = row
	}
	if need := row + 1 - c.start; need > cap(c.values) {
		room := max(need, min(max(firstValues, cap(c.values)*valuesGrowth), rows-c.start))
		grown = sizeOf(room*valueBytes) - sizeOf(cap(c.values)*valueBytes)
		c.values = append(make([]float64, 0, room), c.values...)
	}
	for c.next() < row {
		c.values = append(c.values, messages.Gap)
	}
	c.values = append(c.values, v)
	return grown
}

// overlaps reports whether the column may have a sample within the rows from <= row < to.
func (c *column) overlaps(from, to int) bool { return c.start < to && c.next() > from }

// newest returns a view of the newest value alone, as row 0.
func (c *column) newest() column {
	n := len(c.values)
	return column{series: c.series, values: c.values[n-1 : n : n]}
}

// read sets dst to the values of the rows from the given one on.
func (c *column) read(dst []float64, from int) {
	for i := range dst {
		dst[i] = messages.Gap
		if at := from + i - c.start; at >= 0 && at < len(c.values) {
			dst[i] = c.values[at]
		}
	}
}

// headCursor goes through views of columns.
type headCursor struct{ columns []column }

func (c *headCursor) left() int { return len(c.columns) }

func (c *headCursor) series() *series { return c.columns[0].series }

func (c *headCursor) advance() { c.columns = c.columns[1:] }

func (c *headCursor) read(dst []float64, from int) (first, end int) {
	c.columns[0].read(dst, from)
	return extent(dst)
}
