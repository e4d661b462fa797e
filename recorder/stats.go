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
	// Since the window was made: samples that were recorded, that were evicted, and
	// those that were not recorded: see Appended.
	Appended, Evicted, Shed, Rejected, Duplicates uint64
}

// Span is the time between the oldest row and the newest.
func (s Stats) Span() time.Duration { return s.Newest.Sub(s.Oldest) }

// counts are the parts of Stats that only grow.
type counts struct {
	appended, evicted, shed, rejected, duplicates uint64
}

func (c *counts) add(done *Appended) {
	c.appended += uint64(done.Samples)
	c.shed += uint64(done.Shed)
	c.rejected += uint64(done.Rejected)
	c.duplicates += uint64(done.Duplicates)
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
		Shed:        w.counts.shed,
		Rejected:    w.counts.rejected,
		Duplicates:  w.counts.duplicates,
	}
	for _, t := range w.order {
		for _, g := range t.sealed {
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
