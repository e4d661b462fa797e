package promstore

import (
	"slices"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

const (
	// upStep is the time between two samples of the series that says when a node was up.
	upStep = 10 * time.Second
	// upAge is how long before a sample a scrape may be that shows that the node was up: at least
	// this, and missedScrapes of the node's intervals.
	upAge         = 30 * time.Second
	missedScrapes = 3
	// upLead is how long before a range the scrapes are read that show that a node was up when it
	// began: enough for an interval of a minute.
	upLead = missedScrapes * time.Minute
	// maxUpRange bounds the time for which it is said, before the end of what was asked for.
	maxUpRange = 31 * 24 * time.Hour
)

// upSeries says when a node was up: at times that are whole steps, it is 1 if the agent had scraped
// a target not long before, else 0. It takes no memory for its samples.
type upSeries struct {
	labels labels.Labels
	// from and to are the times of the first and the last sample, age is the age that a scrape
	// may have, all in milliseconds.
	from, to, age int64
	// scrapes are the times of all scrapes, ascending.
	scrapes []int64
	// always says that all samples are 1, since the agent does not say when it scraped.
	always bool
}

// newUpSeries returns the series of a node, nil if the selection has none of its samples.
func newUpSeries(l labels.Labels, from source, s *selection) *upSeries {
	step := upStep.Milliseconds()
	u := &upSeries{labels: l, to: min(s.end, from.of.at)}
	u.from = max(s.start, u.to-maxUpRange.Milliseconds())
	if rest := u.from % step; rest > 0 {
		u.from += step - rest
	} else {
		u.from -= rest
	}
	if u.from > u.to {
		return nil
	}
	if from.answer.Missing == messages.MissingNone {
		u.scrapes, u.age = from.recorded()
		u.always = len(u.scrapes) == 0 && from.answer.AgentVersion == ""
	}
	return u
}

// recorded returns the times of the scrapes of all targets, and how old the newest may be while the
// agent works. Where the agent does not say them, they are those of its samples.
func (n *node) recorded() (times []int64, age int64) {
	age = upAge.Milliseconds()
	lists := n.scrapes
	if lists == nil {
		lists = make(map[string]scrapeTimes)
		for _, b := range n.data {
			lists[b.Target] = append(lists[b.Target], b.Times)
		}
	}
	interval := int64(0)
	for _, parts := range lists {
		list := slices.Concat(parts.sorted()...)
		if of := medianInterval(list); of > 0 && (interval == 0 || of < interval) {
			interval = of
		}
		for _, at := range list {
			times = append(times, at+n.offset)
		}
	}
	slices.Sort(times)
	return slices.Compact(times), max(age, missedScrapes*interval)
}

// medianInterval returns the usual time between two of the times, 0 if there are less.
func medianInterval(times []int64) int64 {
	if len(times) < 2 {
		return 0
	}
	steps := make([]int64, len(times)-1)
	for i := range steps {
		steps[i] = times[i+1] - times[i]
	}
	slices.Sort(steps)
	return steps[len(steps)/2]
}

// Labels implements storage.Series.
func (u *upSeries) Labels() labels.Labels { return u.labels }

// Iterator implements storage.Series.
func (u *upSeries) Iterator(chunkenc.Iterator) chunkenc.Iterator {
	return &upIterator{upSeries: u, at: u.from - upStep.Milliseconds()}
}

// upIterator is over the samples of an upSeries.
type upIterator struct {
	*upSeries
	at int64
	// next is the index of the first scrape that is newer.
	next int
}

// Next implements chunkenc.Iterator.
func (it *upIterator) Next() chunkenc.ValueType { return it.move(it.at + upStep.Milliseconds()) }

// Seek implements chunkenc.Iterator.
func (it *upIterator) Seek(t millis) chunkenc.ValueType {
	step := upStep.Milliseconds()
	to := max(it.at, it.from)
	if t > to {
		to += (min(t, it.to+1) - to + step - 1) / step * step
	}
	return it.move(to)
}

func (it *upIterator) move(to int64) chunkenc.ValueType {
	if it.at = to; to > it.to {
		return chunkenc.ValNone
	}
	for it.next < len(it.scrapes) && it.scrapes[it.next] <= to {
		it.next++
	}
	return chunkenc.ValFloat
}

// At implements chunkenc.Iterator.
func (it *upIterator) At() (int64, float64) {
	if it.always || it.next > 0 && it.at-it.scrapes[it.next-1] <= it.age {
		return it.at, 1
	}
	return it.at, 0
}

// AtT implements chunkenc.Iterator.
func (it *upIterator) AtT() int64 { return it.at }

// AtST implements chunkenc.Iterator.
func (it *upIterator) AtST() int64 { return 0 }

// AtHistogram implements chunkenc.Iterator. There are none.
func (it *upIterator) AtHistogram(*histogram.Histogram) (int64, *histogram.Histogram) {
	return it.at, nil
}

// AtFloatHistogram implements chunkenc.Iterator. There are none.
func (it *upIterator) AtFloatHistogram(*histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	return it.at, nil
}

// Err implements chunkenc.Iterator.
func (it *upIterator) Err() error { return nil }
