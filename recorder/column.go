package recorder

import "fodc/messages"

// column has the values of one series in a head. A copy of the struct, made by the owner of
// the window, is a view: it does not change while values are appended to the original.
type column struct {
	series *series
	// start is the index of the scrape of the first value. The series has no sample in the
	// scrapes before it and after the last value.
	start  int
	values []float64
}

const (
	valueBytes = 8
	// firstValues is the capacity of the column of a series that is new in its head,
	// valuesGrowth the factor by which it grows.
	firstValues  = 8
	valuesGrowth = 4
)

// next is the index of the first scrape that put accepts.
func (c *column) next() int { return c.start + len(c.values) }

func (c *column) empty() bool { return len(c.values) == 0 }

// put sets the value of the scrape at the index, which must not be below next. Capacity is
// how many scrapes the head may have. It returns by how many bytes the column grew.
func (c *column) put(index int, v float64, capacity int) (grown int64) {
	if c.empty() {
		c.start = index
	}
	if need := index + 1 - c.start; need > cap(c.values) {
		newCap := max(need, min(max(firstValues, cap(c.values)*valuesGrowth), capacity-c.start))
		grown = sizeOf(newCap*valueBytes) - sizeOf(cap(c.values)*valueBytes)
		c.values = append(make([]float64, 0, newCap), c.values...)
	}
	for c.next() < index {
		c.values = append(c.values, messages.Gap)
	}
	c.values = append(c.values, v)
	return grown
}

// overlaps reports whether the column may have a sample in the scrapes from <= i < to.
func (c *column) overlaps(from, to int) bool { return c.start < to && c.next() > from }

// newest returns a view of the newest value alone, at index 0.
func (c *column) newest() column {
	n := len(c.values)
	return column{series: c.series, values: c.values[n-1 : n : n]}
}

// read sets dst to the values of the scrapes from the index on.
func (c *column) read(dst []float64, from int) {
	for i := range dst {
		dst[i] = messages.Gap
		if at := from + i - c.start; at >= 0 && at < len(c.values) {
			dst[i] = c.values[at]
		}
	}
}

// headCursor iterates over views of a head's columns.
type headCursor struct{ views []column }

func (c *headCursor) left() int { return len(c.views) }

func (c *headCursor) series() *series { return c.views[0].series }

func (c *headCursor) advance() { c.views = c.views[1:] }

func (c *headCursor) read(dst []float64, from int) (first, end int) {
	c.views[0].read(dst, from)
	return extent(dst)
}
