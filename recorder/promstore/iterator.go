package promstore

import (
	"math"

	"fodc/messages"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// millis is a time in unix milliseconds. It is an alias, since go vet takes a method Seek(int64) for
// one of an io.Seeker.
type millis = int64

// iterator is over the samples of a series, with a staleness marker where the series was absent
// from the next scrape of the target that its sample is from.
type iterator struct {
	s *series
	// The chunks from one index to another are read now: they overlap. at has, for each of them, the
	// index of its next sample, which is no gap.
	from, to int
	at       []int32
	// at0 is the memory of at, which has one element mostly.
	at0 [2]int32

	valid bool
	// time and value are the current sample's, by the node's clock.
	time  int64
	value float64
	// marker says that a staleness marker follows, at markerTime.
	marker     bool
	markerTime int64
	// ahead is the chunk of the sample that follows, nil if there is none.
	ahead      *chunk
	aheadTime  int64
	aheadValue float64
	// scrape is the index in scrapes behind the last time that was looked for.
	scrapes []int64
	scrape  int
}

func (it *iterator) reset(s *series) {
	*it = iterator{s: s, at: it.at[:0]}
	it.open(0)
	it.load()
}

// open begins with the chunk at the index, and those that overlap.
func (it *iterator) open(from int) {
	it.from, it.to = from, from
	if it.at == nil {
		it.at = it.at0[:0]
	}
	it.at = it.at[:0]
	last := int64(math.MinInt64)
	for it.to < len(it.s.chunks) {
		c := &it.s.chunks[it.to]
		if it.to > from && c.first() > last {
			break
		}
		it.at, last = append(it.at, c.from), max(last, c.last())
		it.to++
	}
}

// load sets the sample that follows.
func (it *iterator) load() {
	for it.ahead = nil; it.from < len(it.s.chunks); it.open(it.to) {
		for i := range it.at {
			c := &it.s.chunks[it.from+i]
			if it.at[i] == c.to {
				continue
			}
			at := c.times[it.at[i]]
			if it.ahead == nil || at < it.aheadTime || at == it.aheadTime && c.order < it.ahead.order {
				it.ahead, it.aheadTime, it.aheadValue = c, at, c.values[it.at[i]]
			}
		}
		if it.ahead != nil {
			it.pass()
			return
		}
	}
}

// pass moves behind the sample that follows, in all chunks that have one of its time.
func (it *iterator) pass() {
	for i := range it.at {
		c := &it.s.chunks[it.from+i]
		at := it.at[i]
		if at == c.to || c.times[at] != it.aheadTime {
			continue
		}
		for at++; at < c.to && messages.IsGap(c.values[at]); at++ {
		}
		it.at[i] = at
	}
}

// Next implements chunkenc.Iterator.
func (it *iterator) Next() chunkenc.ValueType {
	if it.marker {
		it.marker, it.time, it.value = false, it.markerTime, messages.Gap
		return chunkenc.ValFloat
	}
	c := it.ahead
	if it.valid = c != nil; !it.valid {
		return chunkenc.ValNone
	}
	it.time, it.value = it.aheadTime, it.aheadValue
	it.load()
	it.mark(c)
	return chunkenc.ValFloat
}

// mark sets the marker behind the current sample, which is one of c: at the next scrape of its
// target, unless there is a sample until then.
func (it *iterator) mark(c *chunk) {
	if len(it.scrapes) != len(c.scrapes) || len(c.scrapes) > 0 && &it.scrapes[0] != &c.scrapes[0] {
		it.scrapes, it.scrape = c.scrapes, search(c.scrapes, it.time)
	}
	for it.scrape < len(it.scrapes) && it.scrapes[it.scrape] <= it.time {
		it.scrape++
	}
	if it.scrape == len(it.scrapes) {
		return
	}
	at := it.scrapes[it.scrape]
	if at <= it.s.bounds.end && (it.ahead == nil || at < it.aheadTime) {
		it.marker, it.markerTime = true, at
	}
}

// Seek implements chunkenc.Iterator.
func (it *iterator) Seek(t millis) chunkenc.ValueType {
	t = min(max(t, -maxMillis), maxMillis) - it.s.bounds.offset
	if it.valid && it.time >= t {
		return chunkenc.ValFloat
	}
	if it.ahead != nil && it.aheadTime < t {
		it.skip(t)
	}
	for v := it.Next(); v != chunkenc.ValNone; v = it.Next() {
		if it.time >= t {
			return v
		}
	}
	return chunkenc.ValNone
}

// skip moves on, to a sample before t that all are behind that are before t.
func (it *iterator) skip(t int64) {
	chunks := it.s.chunks
	group := it.from
	for next := it.to; next < len(chunks) && chunks[next].first() < t; next = it.to {
		it.open(next)
	}
	moved := it.from != group
	for i := range it.at {
		c := &chunks[it.from+i]
		from := it.at[i]
		to := from + int32(search(c.times[from:c.to], t))
		for to--; to > from && messages.IsGap(c.values[to]); to-- {
		}
		if to > from {
			it.at[i], moved = to, true
		}
	}
	if moved {
		it.load()
	}
}

// At implements chunkenc.Iterator.
func (it *iterator) At() (int64, float64) { return it.time + it.s.bounds.offset, it.value }

// AtT implements chunkenc.Iterator.
func (it *iterator) AtT() int64 { return it.time + it.s.bounds.offset }

// AtST implements chunkenc.Iterator.
func (it *iterator) AtST() int64 { return 0 }

// AtHistogram implements chunkenc.Iterator. There are none.
func (it *iterator) AtHistogram(*histogram.Histogram) (int64, *histogram.Histogram) {
	return it.AtT(), nil
}

// AtFloatHistogram implements chunkenc.Iterator. There are none.
func (it *iterator) AtFloatHistogram(*histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	return it.AtT(), nil
}

// Err implements chunkenc.Iterator.
func (it *iterator) Err() error { return nil }
