package recorder

import "slices"

// seriesWithin returns a reader of the selected series that may have a sample within the bounds,
// each once: with the value 0, at the time of the newest scrape there. It decodes no values: a
// series counts for all scrapes of a chunk, and in the head from its first sample to its last.
func (v *targetView) seriesWithin(t *target, from, to int64) chunkReader {
	c := &seriesCursor{view: v}
	var newest int64
	var last *seriesList
	for _, k := range t.chunks {
		first, end := indexesWithin(k.times, from, to)
		if first == end {
			continue
		}
		newest = k.times[end-1]
		if k.list != last {
			c.lists = append(c.lists, k.list.all)
			last = k.list
		}
	}
	if first, end := indexesWithin(t.head.times, from, to); first < end {
		newest = t.head.times[end-1]
		c.lists = append(c.lists, v.headSeries(t.head, first, end))
	}
	if len(c.lists) == 0 {
		return chunkReader{}
	}
	return chunkReader{targetView: *v, times: []int64{newest}, to: 1, columns: c}
}

// headSeries returns the series of the head that are selected and may have a sample in the scrapes
// from <= i < to, in order.
func (v *targetView) headSeries(h *head, from, to int) []*series {
	h.sort()
	found := make([]*series, 0, len(h.columns))
	for _, c := range h.columns {
		if v.selects(c.series) && c.overlaps(from, to) {
			found = append(found, c.series)
		}
	}
	return found
}

// seriesCursor iterates over the series of several lists, each of which is in order, as over
// columns of zeros. The lists are merged when it is read: that is the reader's time, not that of
// the owner of the window.
type seriesCursor struct {
	view  *targetView
	lists [][]*series
	// merged are the series that are left.
	merged []*series
}

func (c *seriesCursor) left() int {
	for _, list := range c.lists {
		c.merged = mergeSeries(c.merged, c.selected(list))
	}
	c.lists = nil
	return len(c.merged)
}

// selected returns the series of the list that are selected.
func (c *seriesCursor) selected(list []*series) []*series {
	if c.view.selected == nil {
		return list
	}
	var found []*series
	for _, s := range list {
		if c.view.selects(s) {
			found = append(found, s)
		}
	}
	return found
}

// mergeSeries returns the series that are in one of the lists, which are in order.
func mergeSeries(a, b []*series) []*series {
	switch {
	case len(a) == 0, slices.Equal(a, b):
		return b
	case len(b) == 0:
		return a
	}
	merged := make([]*series, 0, max(len(a), len(b)))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] == b[0]:
			merged = append(merged, a[0])
			a, b = a[1:], b[1:]
		case compareSeries(a[0], b[0]) < 0:
			merged = append(merged, a[0])
			a = a[1:]
		default:
			merged = append(merged, b[0])
			b = b[1:]
		}
	}
	return append(append(merged, a...), b...)
}

func (c *seriesCursor) series() *series { return c.merged[0] }

func (c *seriesCursor) advance() { c.merged = c.merged[1:] }

func (c *seriesCursor) read(dst []float64, _ int) (first, end int) {
	clear(dst)
	return 0, len(dst)
}
