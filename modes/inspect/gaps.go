package inspect

import "fodc/recorder/journal"

// Gap is a time of which the journal has no samples, in unix milliseconds.
type Gap struct {
	From, To int64
	Why      Why
}

// Why says why a journal has no samples of a time.
type Why string

// The reasons of a gap.
const (
	// Stopped: the agent was stopped, and another one started at the end of the gap.
	Stopped Why = "stopped"
	// Killed: the agent ended without being stopped, and another one started at the end of the
	// gap.
	Killed Why = "killed"
	// NotWritten: an agent ran, but could not write, or segments were removed.
	NotWritten Why = "not_written"
)

func (w Why) text() string {
	switch w {
	case Stopped:
		return "the agent was stopped"
	case Killed:
		return "the agent was killed, or the machine failed"
	default:
		return "nothing could be written, or segments were removed"
	}
}

// missedScrapes is how many scrapes in a row must be missing between two segments for a gap.
const missedScrapes = 3

// findGaps returns the gaps between segments, which are ascending by number. A new process and a
// writer that resumes always begin a new segment, so there are none within.
func findGaps(segments []journal.SegmentInfo) []Gap {
	var gaps []Gap
	last, stopped := int64(0), false
	interval := int64(0)
	for i := range segments {
		s := &segments[i]
		begin, started := begins(s)
		if last != 0 && begin != 0 {
			gap := Gap{From: last, To: begin, Why: NotWritten}
			switch {
			case started && stopped:
				gap.Why = Stopped
			case started:
				gap.Why = Killed
			}
			if gap.To > gap.From && (started || gap.To-gap.From > missedScrapes*interval) {
				gaps = append(gaps, gap)
			}
		}
		if end, isStop := ends(s); end != 0 {
			last, stopped = end, isStop
		}
		if found := scrapeInterval(s); found != 0 {
			interval = found
		}
	}
	return gaps
}

// begins returns the time of the segment's first scrape, or at which an agent was started before
// that; 0: there is neither.
func begins(s *journal.SegmentInfo) (at int64, started bool) {
	for _, m := range s.Marks {
		if m.Kind == journal.MarkAgentStarted {
			return m.At, true
		}
	}
	return s.MinTime, false
}

// ends returns the time of the segment's last scrape, or at which the agent was stopped after it.
func ends(s *journal.SegmentInfo) (at int64, stopped bool) {
	for _, m := range s.Marks {
		if m.Kind == journal.MarkAgentStopped {
			return max(m.At, s.MaxTime), true
		}
	}
	if s.MaxTime == 0 { // An agent that was killed before its first scrape.
		at, _ = begins(s)
		return at, false
	}
	return s.MaxTime, false
}

// scrapeInterval returns the mean time between two scrapes of the target that is scraped least
// often, in milliseconds; 0: no target has two.
func scrapeInterval(s *journal.SegmentInfo) (longest int64) {
	for _, t := range s.Targets {
		if t.Scrapes > 1 {
			longest = max(longest, (t.MaxTime-t.MinTime)/int64(t.Scrapes-1))
		}
	}
	return longest
}
