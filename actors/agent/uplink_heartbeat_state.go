package agent

import (
	"time"

	"fodc/messages"
)

const (
	// unansweredIntervals is how many intervals a heartbeat waits for its answer before
	// the session is given up, and minUnanswered the least time that it waits.
	unansweredIntervals = 3
	minUnanswered       = 10 * time.Second
	// timingsKept is how many measurements the one that is told is chosen from.
	timingsKept = 8
)

// heartbeats is the heartbeats of one session with a proxy that answers them.
type heartbeats struct {
	// awaited: the proxy has promised to answer. If it has not, nothing is kept.
	awaited bool
	sent    []time.Time // clocks of the heartbeats not answered yet, oldest first
	// timings are the newest measurements, oldest first.
	timings []messages.Timing
}

// heartbeatAnswer is what the rules need to know of a proxy's answer.
type heartbeatAnswer struct {
	refusal  string        // empty: none
	interval time.Duration // that the proxy wants; 0: none
	promised bool          // heartbeats will be answered
	// clock is the proxy's, echoed the agent's of the heartbeat that this answers.
	clock, echoed time.Time
}

// went takes note of a heartbeat that was sent with the clock.
func (h *heartbeats) went(clock time.Time) {
	if h.awaited {
		h.sent = append(h.sent, clock)
	}
}

// answered takes an answer: it stands for the heartbeat that it echoes and those
// before, or, where it echoes none, for the oldest. Only the former is measured.
func (h *heartbeats) answered(a heartbeatAnswer, now time.Time) {
	if len(h.sent) == 0 {
		return
	}
	for i, sent := range h.sent {
		if sent.UnixNano() == a.echoed.UnixNano() {
			h.measure(sent, a.clock, now)
			h.sent = h.sent[i+1:]
			return
		}
	}
	h.sent = h.sent[1:]
}

// measure takes it that the answer was as long on its way as the heartbeat. What the
// clock does between the two does not count for the round trip.
func (h *heartbeats) measure(sent, proxyClock, now time.Time) {
	roundTrip := now.Sub(sent)
	if proxyClock.IsZero() || roundTrip < 0 {
		return
	}
	if len(h.timings) == timingsKept {
		h.timings = h.timings[1:]
	}
	h.timings = append(h.timings, messages.Timing{RoundTrip: roundTrip,
		ClockOffset: proxyClock.Sub(sent.Round(0).Add(roundTrip / 2))})
}

// timing returns the measurement with the least round trip of those kept, as that one
// was disturbed least; nil if there is none.
func (h *heartbeats) timing() *messages.Timing {
	var best *messages.Timing
	for i := range h.timings {
		if best == nil || h.timings[i].RoundTrip < best.RoundTrip {
			t := h.timings[i]
			best = &t
		}
	}
	return best
}

// patience returns how long from now the oldest heartbeat may still wait; 0 if none
// waits.
func (h *heartbeats) patience(limit time.Duration, now time.Time) time.Duration {
	if len(h.sent) == 0 {
		return 0
	}
	return max(1, limit-now.Sub(h.sent[0]))
}

// unansweredLimit is how long a heartbeat may wait for its answer.
func (s *uplinkState) unansweredLimit() time.Duration {
	return max(unansweredIntervals*s.interval, minUnanswered)
}

// beat takes note that a heartbeat is due: it goes out with what the recorder says of
// the node's health, and with its configuration. If these do not come within an
// interval, they are not waited for.
//
// It also looks whether the metrics stream has lasted: one that breaks again and again
// stays broken until then.
func (s *uplinkState) beat(now time.Time) []uplinkEffect {
	if s.phase != uplinkLive {
		return nil
	}
	effects := []uplinkEffect{askHealth{}, armHeartbeat{s.interval}}
	if s.beating {
		effects = append(effects, s.send(now)...)
	}
	s.beating = true
	if s.metrics != 0 && now.Sub(s.metricsAt) >= stableAfter {
		if lasted, times, was := s.unserved.over(now); was {
			effects = append(effects, logUplink{note{text: "the metrics stream works again", lasted: lasted, times: times}})
		}
	}
	return effects
}

// send sends a heartbeat, and waits for its answer if there will be one.
func (s *uplinkState) send(now time.Time) []uplinkEffect {
	effects := []uplinkEffect{sendHeartbeat{now, s.beats.timing()}}
	s.beats.went(now)
	if len(s.beats.sent) == 1 {
		effects = append(effects, armUnanswered{s.unansweredLimit()})
	}
	return effects
}

// nodeHeard takes note that all is known of the node that a heartbeat says.
func (s *uplinkState) nodeHeard(now time.Time) []uplinkEffect {
	if s.phase != uplinkLive || !s.beating {
		return nil
	}
	s.beating = false
	return s.send(now)
}

// heartbeatAnswered takes the proxy's answer to a heartbeat. A refusal ends the
// session; another interval counts from the next heartbeat on.
func (s *uplinkState) heartbeatAnswered(a heartbeatAnswer, now time.Time) []uplinkEffect {
	if s.phase != uplinkLive {
		return nil
	}
	if a.refusal != "" {
		return s.close(sessionEnd{why: a.refusal})
	}
	if a.interval > 0 {
		s.interval = a.interval
	}
	if !s.beats.awaited {
		return nil
	}
	s.beats.answered(a, now)
	return []uplinkEffect{armUnanswered{s.beats.patience(s.unansweredLimit(), now)}}
}

// unansweredDue takes note that a heartbeat may have waited for too long: then the
// session is given up, as nobody may be there.
func (s *uplinkState) unansweredDue(now time.Time) []uplinkEffect {
	if s.phase != uplinkLive || len(s.beats.sent) == 0 {
		return nil
	}
	limit := s.unansweredLimit()
	if now.Sub(s.beats.sent[0]) < limit {
		return []uplinkEffect{armUnanswered{s.beats.patience(limit, now)}}
	}
	return s.close(sessionEnd{why: "the proxy has not answered a heartbeat for " + limit.String()})
}
