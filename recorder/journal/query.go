package journal

import (
	"fodc/messages"
	"fodc/recorder"
)

// Query says what is read of a journal: what a selection wants and memory does not hold.
type Query struct {
	// Selection has the bounds of time. Without bounds it wants everything; ScrapeTimes and
	// SeriesOnly hold then, too.
	Selection messages.Selection
	// Held are the scrapes that memory holds. All scrapes of a target that is not among them are
	// read.
	Held []recorder.Held
	// Base is by how much the numbers of scrapes in the journal are above those of Held.
	Base int64
}

// selector decides which scrapes a query wants.
type selector struct {
	// from and to are in unix milliseconds, both included.
	from, to int64
	held     map[string]heldTarget
	names    map[string]bool
	// scrapeTimes and seriesOnly are those of the selection.
	scrapeTimes, seriesOnly bool
}

// heldTarget has the number, as it is in the journal, and the time of the oldest scrape that
// memory holds.
type heldTarget struct{ oldest, at int64 }

func newSelector(q *Query) *selector {
	s := &selector{held: make(map[string]heldTarget, len(q.Held)),
		scrapeTimes: q.Selection.ScrapeTimes, seriesOnly: q.Selection.SeriesOnly}
	s.from, s.to = recorder.Bounds(q.Selection.Window)
	for _, h := range q.Held {
		s.held[h.Target] = heldTarget{q.Base + h.Oldest, h.At}
	}
	if len(q.Selection.Names) > 0 {
		s.names = make(map[string]bool, len(q.Selection.Names))
		for _, name := range q.Selection.Names {
			s.names[name] = true
		}
	}
	return s
}

// wantsFamily reports whether the samples of a family are wanted.
func (s *selector) wantsFamily(name string) bool { return s.names == nil || s.names[name] }

// wantsScrape reports whether a scrape is wanted.
func (s *selector) wantsScrape(target string, number, at int64) bool {
	if at < s.from || at > s.to {
		return false
	}
	h, isHeld := s.held[target]
	return !isHeld || number < h.oldest
}

// wantsSegment reports whether a segment may have a scrape that is wanted.
func (s *selector) wantsSegment(i *SegmentInfo) bool {
	for t := range i.Targets {
		if s.wantsTarget(&i.Targets[t]) {
			return true
		}
	}
	return false
}

func (s *selector) wantsTarget(t *TargetInfo) bool {
	if t.MaxTime < s.from || t.MinTime > s.to {
		return false
	}
	h, isHeld := s.held[t.Name]
	if !isHeld {
		return true
	}
	if t.LastNumber >= h.oldest {
		// The segment has the oldest scrape that is held. Those before it are not much newer.
		return t.FirstNumber < h.oldest && h.at+maxStepBack.Milliseconds() >= s.from
	}
	return true
}

// isPast reports whether all later scrapes of a segment are behind the bounds, too.
func (s *selector) isPast(at int64) bool {
	return at > s.to && uint64(at)-uint64(s.to) > uint64(maxStepBack.Milliseconds())
}

// Reaches reports whether the journal may have scrapes that the query wants.
func (v *View) Reaches(q Query) bool {
	s := newSelector(&q)
	for i := range v.Segments {
		if s.wantsSegment(&v.Segments[i]) {
			return true
		}
	}
	return false
}
