package modes

import "time"

// secondSignalAfter is how much later than the first a SIGINT or SIGTERM must come to count as
// a second one. Some programs, such as timeout, send a signal both to the process and to its
// group: then it comes twice within a millisecond.
const secondSignalAfter = 200 * time.Millisecond

// stopReaction is what a SIGINT or SIGTERM makes the process do.
type stopReaction int

const (
	stopInOrder stopReaction = iota
	ignoreCopy
	endAtOnce
)

// stopSignals decides on each SIGINT and SIGTERM.
type stopSignals struct {
	// first is when the first one came; zero: there was none.
	first time.Time
}

func (s *stopSignals) received(now time.Time) stopReaction {
	switch {
	case s.first.IsZero():
		s.first = now
		return stopInOrder
	case now.Sub(s.first) < secondSignalAfter:
		return ignoreCopy
	default:
		return endAtOnce
	}
}
