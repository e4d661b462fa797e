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
	// open are the chunks that have begun and have samples left: more than one where they overlap.
	// next is the index of the first chunk that has not begun, and nextTime that of its first sample.
	open     []openChunk
	next     int
	nextTime int64
	// memory is that of open, which has one element mostly.
	memory [2]openChunk

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
	// scrapes is behind the last time that was looked for.
	scrapes scrapePlace
}

// openChunk is a chunk with the index of its next sample, which is no gap.
type openChunk struct {
	*chunk
	at int32
}

// seek moves to the first sample that is not before t. It returns false if there is none.
func (o *openChunk) seek(t int64) bool {
	o.at += int32(search(o.times[o.at:o.to], t))
	o.passGaps()
	return o.at < o.to
}

func (o *openChunk) passGaps() {
	for o.at < o.to && messages.IsGap(o.values[o.at]) {
		o.at++
	}
}

// lastBefore returns the time of the last sample before t.
func (o *openChunk) lastBefore(t int64) (at int64, ok bool) {
	i := o.at + int32(search(o.times[o.at:o.to], t)) - 1
	for i >= o.at && messages.IsGap(o.values[i]) {
		i--
	}
	if i < o.at {
		return 0, false
	}
	return o.times[i], true
}

func (it *iterator) reset(s *series) {
	*it = iterator{s: s, open: it.open[:0]}
	if it.open == nil {
		it.open = it.memory[:0]
	}
	it.setNext(0)
	it.load()
}

func (it *iterator) setNext(index int) {
	it.next, it.nextTime = index, math.MaxInt64
	if index < len(it.s.chunks) {
		it.nextTime = it.s.chunks[index].first()
	}
}

// begin begins with the next chunk.
func (it *iterator) begin() openChunk {
	c := &it.s.chunks[it.next]
	it.setNext(it.next + 1)
	return openChunk{c, c.from}
}

// load sets the sample that follows.
func (it *iterator) load() {
	if len(it.open) == 1 && it.loadOnly(&it.open[0]) {
		return
	}
	it.ahead, it.aheadTime = nil, math.MaxInt64-1
	for i := range it.open {
		it.consider(&it.open[i])
	}
	for it.nextTime <= it.aheadTime {
		o := it.begin()
		it.open = append(it.open, o)
		it.consider(&o)
	}
	if it.ahead != nil {
		it.pass()
	}
}

// loadOnly is load for a single open chunk, if no other one begins at its next sample or before it:
// that is how it is for most samples.
func (it *iterator) loadOnly(o *openChunk) (loaded bool) {
	at := o.times[o.at]
	if at >= it.nextTime {
		return false
	}
	it.ahead, it.aheadTime, it.aheadValue = o.chunk, at, o.values[o.at]
	o.at++
	if o.passGaps(); o.at == o.to {
		it.open = it.open[:0]
	}
	return true
}

// consider sets the sample that follows if that of the chunk comes before it.
func (it *iterator) consider(o *openChunk) {
	at := o.times[o.at]
	if it.ahead == nil || at < it.aheadTime || at == it.aheadTime && o.order < it.ahead.order {
		it.ahead, it.aheadTime, it.aheadValue = o.chunk, at, o.values[o.at]
	}
}

// pass moves behind the sample that follows, in all chunks that have one of its time.
func (it *iterator) pass() {
	n := 0
	for i := range it.open {
		o := &it.open[i]
		if o.times[o.at] == it.aheadTime {
			o.at++
			o.passGaps()
		}
		if o.at == o.to {
			continue
		}
		if n < i {
			it.open[n] = *o
		}
		n++
	}
	it.open = it.open[:n]
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
	if !it.scrapes.is(c.scrapes) {
		it.scrapes.reset(c.scrapes, it.time)
	}
	at, ok := it.scrapes.after(it.time)
	if !ok {
		return
	}
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

// skip moves on, so that of the samples before t only the last one follows.
func (it *iterator) skip(t int64) {
	last, found := int64(0), false
	look := func(o *openChunk) {
		if at, ok := o.lastBefore(t); ok && (!found || at > last) {
			last, found = at, true
		}
	}
	for i := range it.open {
		look(&it.open[i])
	}
	first := it.next
	for it.nextTime < t {
		o := it.begin()
		look(&o)
	}
	if !found {
		return
	}
	kept := it.open[:0]
	for _, o := range it.open {
		if o.seek(last) {
			kept = append(kept, o)
		}
	}
	for i := first; i < it.next; i++ {
		if o := (openChunk{&it.s.chunks[i], it.s.chunks[i].from}); o.seek(last) {
			kept = append(kept, o)
		}
	}
	it.open = kept
	it.load()
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
