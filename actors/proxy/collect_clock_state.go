package proxy

import (
	"time"

	"fodc/messages"
)

// clockOffset returns by how much a clock is to be corrected: 0 where that is not known, or where
// it is off by at most messages.MaxClockOffset.
func clockOffset(t *messages.Timing) time.Duration {
	if t == nil || -messages.MaxClockOffset <= t.ClockOffset && t.ClockOffset <= messages.MaxClockOffset {
		return 0
	}
	return t.ClockOffset
}

// correctClocks lets the collection ask nodes by their own clocks. It is called once, after begin.
func (s *collectState) correctClocks() {
	for i := range s.nodes {
		s.nodes[i].ClockOffset = clockOffset(s.nodes[i].Timing)
	}
}

// windowFor returns the window to ask an agent for that is awaited, by its clock.
func (s *collectState) windowFor(agentID string, w messages.Window) messages.Window {
	if i, ok := s.byAgent[agentID]; ok && s.nodes[i].ClockOffset != 0 {
		w.Start, w.End = earlier(w.Start, s.nodes[i].ClockOffset), earlier(w.End, s.nodes[i].ClockOffset)
	}
	return w
}

// earlier returns the bound by a clock that is behind by the offset. It stays open, or closed.
func earlier(bound time.Time, offset time.Duration) time.Time {
	if bound.IsZero() {
		return bound
	}
	if bound = bound.Add(-offset); bound.IsZero() {
		bound = bound.Add(1)
	}
	return bound
}
