package promstore

import (
	"cmp"
	"slices"
	"sort"

	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// timeRange is what the series of a block have in common for a selection: times, of which those from
// one index to another are selected.
type timeRange struct {
	times    []int64
	from, to int
	// scrapes are the times of all scrapes of the target.
	scrapes scrapeTimes
	// order is the place of the block: of samples with equal times the one of the first block counts.
	order int
}

// trim selects the times from start to end, by the node's clock.
func (r *timeRange) trim(start, end int64) {
	r.from = search(r.times, start)
	r.to = r.from + search(r.times[r.from:], end+1)
}

// search returns the index of the first time that is not before at.
func search(times []int64, at int64) int {
	return sort.Search(len(times), func(i int) bool { return times[i] >= at })
}

// chunk is the samples of a series in one block: the first and the last are no gaps.
type chunk struct {
	*timeRange
	values   []float64
	from, to int32
}

// newChunk returns the samples of a series. ok is false if there are none.
func newChunk(r *timeRange, values []float64) (c chunk, ok bool) {
	from, to := r.from, r.to
	for from < to && messages.IsGap(values[from]) {
		from++
	}
	for from < to && messages.IsGap(values[to-1]) {
		to--
	}
	return chunk{r, values, int32(from), int32(to)}, from < to
}

func (c *chunk) first() int64 { return c.times[c.from] }
func (c *chunk) last() int64  { return c.times[c.to-1] }

// bounds is what the series of a node have in common for a selection.
type bounds struct {
	// offset is what is added to their times, end the last time by the node's clock.
	offset, end int64
}

// series is a series with the samples of a selection. It does not change once it was returned.
type series struct {
	labels labels.Labels
	// chunks are sorted by their first time.
	chunks []chunk
	bounds *bounds
}

// Labels implements storage.Series.
func (s *series) Labels() labels.Labels { return s.labels }

// Iterator implements storage.Series.
func (s *series) Iterator(reuse chunkenc.Iterator) chunkenc.Iterator {
	it, ok := reuse.(*iterator)
	if !ok {
		it = &iterator{}
	}
	it.reset(s)
	return it
}

// maxOverlap bounds the chunks of a series that have samples of the same time: one of memory and one
// of disk for each target. The iterator looks at all of them for each sample.
const maxOverlap = 64

// isTangled reports whether more chunks overlap than maxOverlap.
func (s *series) isTangled() bool {
	if len(s.chunks) <= maxOverlap {
		return false
	}
	var ends []int64
	for i := range s.chunks {
		c := &s.chunks[i]
		ends = append(slices.DeleteFunc(ends, func(end int64) bool { return end < c.first() }), c.last())
		if len(ends) > maxOverlap {
			return true
		}
	}
	return false
}

func (s *series) sort() {
	compare := func(a, b chunk) int { return cmp.Compare(a.first(), b.first()) }
	if !slices.IsSortedFunc(s.chunks, compare) {
		slices.SortStableFunc(s.chunks, compare)
	}
}
