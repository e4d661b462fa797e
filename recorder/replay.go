package recorder

import "fodc/messages"

// Past is a scrape that was recorded before: by a former process, or by another window.
type Past struct {
	// Number must be above that of all that the window has: below 1 for scrapes of former
	// processes.
	Number int64
	Target string
	// At is the time of the scrape in unix milliseconds.
	At      int64
	Failure string
	// Series are those that may have a sample, and Values their values. messages.Gap is none.
	Series []*PastSeries
	Values []float64
}

// PastSeries is a series of scrapes that are replayed. It is made once for a series of a
// target, and anew, as all of its family are, when the family's type or help has changed.
type PastSeries struct {
	key    SeriesKey
	family Family
	// series is that of the target, both nil before the first use.
	series *series
	target *target
}

// NewPastSeries returns the series with the key, whose family is the one given.
func NewPastSeries(k SeriesKey, f Family) *PastSeries { return &PastSeries{key: k, family: f} }

// Replay records a scrape of the past as Append did then: events come out the same. The
// counters do not change. A series for which there is no room is left out.
func (w *Window) Replay(p Past) {
	w.replay(p.Target, p.At, p.Number, p.Failure, func(t *target, done *AppendResult) {
		t.listed = listed{}
		for i, of := range p.Series {
			v := p.Values[i]
			if messages.IsGap(v) {
				continue
			}
			// One that has no column any more was evicted.
			if of.target != t || of.series == nil || of.series.refs == 0 {
				of.target, of.series = t, w.resolvePast(t, of.key, of.family)
			}
			if of.series != nil {
				w.put(t, of.series, v, done)
			}
		}
	})
}

// ReplayBatch is Replay of a batch of another window of this process.
func (w *Window) ReplayBatch(b *Batch) {
	w.replay(b.Target, b.At, b.Number, b.Failure, func(t *target, done *AppendResult) {
		l, known := b.Series, t.listed
		t.listed = listed{}
		if known.list != l || known.version != t.families.version {
			known = listed{list: l, series: make([]*series, len(l.Keys))}
		}
		whole := true
		for i, k := range l.Keys {
			s := known.series[i]
			if s == nil || s.refs == 0 {
				if s = w.resolvePast(t, k, l.Families[l.FamilyOf[i]]); s == nil {
					whole = false
					continue
				}
				known.series[i] = s
			}
			w.put(t, s, b.Values[i], done)
		}
		if whole {
			known.version = t.families.version
			t.listed = known
		}
	})
}

// replay records a scrape whose samples are put by a function.
func (w *Window) replay(name string, at, number int64, failure string, put func(*target, *AppendResult)) {
	counts := w.counts
	t := w.targetNamed(name)
	w.appends = max(w.appends, number)
	w.beginScrape(t, at, number)
	bytes := t.head.bytes
	var done AppendResult
	put(t, &done)
	w.recordFailure(t, at, failure)
	w.sampleBytes += t.head.bytes - bytes
	w.samples += done.Samples
	w.evict()
	w.counts = counts
}

// resolvePast returns the series with the key, a new one if need be, and nil if there is no
// room for it.
func (w *Window) resolvePast(t *target, k SeriesKey, f Family) *series {
	s := t.series.entries[k]
	switch {
	case s != nil:
		t.families.set(s.family, f)
	case w.seriesCount < w.limits.Series && w.mayAddSeries():
		s = t.addSeries(identity{family: f, suffix: k.Suffix, labels: k.Labels})
		w.seriesCount++
	default:
		w.leftOut = true
	}
	return s
}

// HasRoomForSeries reports whether there is room for as many series again: all may have new labels
// after a restart.
func (w *Window) HasRoomForSeries() bool {
	return w.seriesCount <= w.limits.Series/2 && w.fixedBytes() <= w.limits.Bytes/seriesShare/2
}

// HasLeftOut reports whether a replay has left out a series for want of room.
func (w *Window) HasLeftOut() bool { return w.leftOut }

// TakeCounters sets the counters of Stats, and the number of the newest append, to those of
// another window: this one takes its place.
func (w *Window) TakeCounters(from *Window) {
	w.counts = from.counts
	w.appends = max(w.appends, from.appends)
}
