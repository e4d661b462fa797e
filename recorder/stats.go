package recorder

import "time"

// Stats is how a window does.
type Stats struct {
	// Oldest and Newest are the times of the oldest and the newest row, zero while
	// there is none.
	Oldest, Newest time.Time
	// Bytes is what the window takes of the heap; LimitBytes is what it may grow to.
	Bytes, LimitBytes int64
	// Series and Samples are those held, LimitSeries what Series may grow to.
	Series, LimitSeries, Samples int
	// Since the window was made: samples that were recorded, and those of them that were
	// evicted.
	Appended, Evicted uint64
	// Since the window was made: samples that were not recorded since their series was there
	// twice in a scrape, their name or labels are not allowed, or there was no room for a new
	// series.
	DroppedDuplicate, DroppedNotAllowed, DroppedNoRoom uint64
}

// Span is the time between the oldest row and the newest.
func (s Stats) Span() time.Duration { return s.Newest.Sub(s.Oldest) }

// counts are the parts of Stats that only grow.
type counts struct {
	appended, evicted, duplicate, notAllowed, noRoom uint64
}

func (c *counts) add(done *AppendResult) {
	c.appended += uint64(done.Samples)
	c.duplicate += uint64(done.Dropped.Duplicate)
	c.notAllowed += uint64(done.Dropped.NotAllowed())
	c.noRoom += uint64(done.Dropped.NoRoom())
}

// Stats returns how the window does. It looks at each stretch of scrapes, and at no
// sample.
func (w *Window) Stats() Stats {
	s := Stats{
		Bytes:       w.bytes(),
		LimitBytes:  w.limits.Bytes,
		Series:      w.seriesCount,
		LimitSeries: w.limits.Series,
		Samples:     w.samples,
		Appended:    w.counts.appended,
		Evicted:     w.counts.evicted,

		DroppedDuplicate: w.counts.duplicate, DroppedNotAllowed: w.counts.notAllowed, DroppedNoRoom: w.counts.noRoom,
	}
	for _, t := range w.sorted {
		for _, g := range t.chunks {
			s.span(g.times)
		}
		s.span(t.head.times)
	}
	return s
}

// span widens the time from Oldest to Newest by a stretch.
func (s *Stats) span(times []int64) {
	first, last := time.UnixMilli(times[0]), time.UnixMilli(times[len(times)-1])
	if s.Oldest.IsZero() || first.Before(s.Oldest) {
		s.Oldest = first
	}
	if s.Newest.IsZero() || last.After(s.Newest) {
		s.Newest = last
	}
}
