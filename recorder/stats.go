package recorder

import "time"

// Stats is the state of a window and its counters.
type Stats struct {
	// Oldest and Newest are the times of the oldest and the newest scrape, zero while
	// there is none.
	Oldest, Newest time.Time
	// Bytes is what the window takes of the heap, LimitBytes what it may take.
	Bytes, LimitBytes int64
	// Series and Samples count what is held now, LimitSeries is the most of Series.
	Series, LimitSeries, Samples int
	// Since the process was started: samples that were recorded, and those that were evicted.
	// Replayed samples count only when they are evicted, and not by a replay.
	Appended, Evicted uint64
	// Since the process was started: samples that were dropped because their series was there
	// twice in a scrape, because their name or labels are not allowed, and because there was
	// no room for a new series.
	DroppedDuplicate, DroppedNotAllowed, DroppedNoRoom uint64
}

// Span is the time between the oldest scrape and the newest.
func (s Stats) Span() time.Duration { return s.Newest.Sub(s.Oldest) }

// counts are the counters of Stats.
type counts struct {
	appended, evicted, duplicate, notAllowed, noRoom uint64
}

func (c *counts) add(done *AppendResult) {
	c.appended += uint64(done.Samples)
	c.duplicate += uint64(done.Dropped.Duplicate)
	c.notAllowed += uint64(done.Dropped.NotAllowed())
	c.noRoom += uint64(done.Dropped.NoRoom())
}

// Stats returns the state of the window. Its cost grows with the number of chunks, not of
// samples.
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
		for _, c := range t.chunks {
			s.span(c.times)
		}
		s.span(t.head.times)
	}
	return s
}

// span extends the time from Oldest to Newest to the times of a chunk.
func (s *Stats) span(times []int64) {
	first, last := time.UnixMilli(times[0]), time.UnixMilli(times[len(times)-1])
	if s.Oldest.IsZero() || first.Before(s.Oldest) {
		s.Oldest = first
	}
	if s.Newest.IsZero() || last.After(s.Newest) {
		s.Newest = last
	}
}
