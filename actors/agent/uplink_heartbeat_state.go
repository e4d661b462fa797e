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
	// timingsKept is how many measurements are kept. The one with the least round trip is sent.
	timingsKept = 8
)

// heartbeats tracks the heartbeats of one session, and the proxy's answers to them.
type heartbeats struct {
	// expectAnswers says that the proxy answers heartbeats. If it does not, none is tracked.
	expectAnswers bool
	unanswered    []time.Time // clocks of the heartbeats not answered yet, oldest first
	// timings are the newest measurements, oldest first.
	timings []messages.Timing
}

// heartbeatAnswer is what the state needs to know of a proxy's answer.
type heartbeatAnswer struct {
	rejection         string        // empty: none
	interval          time.Duration // between heartbeats, as the proxy wants it; 0: no change
	answersHeartbeats bool          // the proxy answers heartbeats
	streamAnswers     bool          // the proxy sends request ids on all streams
	// clock is the proxy's, echoed the agent's of the heartbeat that this answers.
	clock, echoed time.Time
}

// record records a heartbeat that was sent with the clock.
func (h *heartbeats) record(clock time.Time) {
	if h.expectAnswers {
		h.unanswered = append(h.unanswered, clock)
	}
}

// answered takes an answer. It answers the heartbeat whose clock it echoes and all before, or,
// where it echoes none, the oldest one. Only an answer that echoes a clock is measured.
func (h *heartbeats) answered(a heartbeatAnswer, now time.Time) {
	if len(h.unanswered) == 0 {
		return
	}
	for i, sent := range h.unanswered {
		if sent.UnixNano() == a.echoed.UnixNano() {
			h.measure(sent, a.clock, now)
			h.unanswered = h.unanswered[i+1:]
			return
		}
	}
	h.unanswered = h.unanswered[1:]
}

// measure records the round trip and the clock offset. The offset assumes that the heartbeat
// and its answer took equally long. The round trip is of the monotonic clock, so that a clock
// that is set meanwhile does not matter.
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

// timing returns the measurement with the least round trip, which has the smallest error; nil
// if there is none.
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

// remaining returns how much longer the oldest unanswered heartbeat may wait; 0 if there is
// none.
func (h *heartbeats) remaining(limit time.Duration, now time.Time) time.Duration {
	if len(h.unanswered) == 0 {
		return 0
	}
	return max(1, limit-now.Sub(h.unanswered[0]))
}

// unansweredLimit returns how long a heartbeat may wait for its answer.
func (s *uplinkState) unansweredLimit() time.Duration {
	return max(unansweredIntervals*s.interval, minUnanswered)
}

// heartbeatDue starts a heartbeat: it is sent when the node's health and configuration have
// come, or, if they have not by then, when the next one is due.
//
// It also ends the failures of channels.
func (s *uplinkState) heartbeatDue(now time.Time) []uplinkEffect {
	if s.phase != uplinkLive {
		return nil
	}
	effects := []uplinkEffect{askHealth{}, armHeartbeat{s.interval}}
	if s.heartbeatPending {
		effects = append(effects, s.send(now)...)
	}
	s.heartbeatPending = true
	return append(effects, s.channelsStable(now)...)
}

// send sends a heartbeat, and arms the timer of its answer if the proxy answers heartbeats.
func (s *uplinkState) send(now time.Time) []uplinkEffect {
	effects := []uplinkEffect{sendHeartbeat{now, s.heartbeats.timing()}}
	s.heartbeats.record(now)
	if len(s.heartbeats.unanswered) == 1 {
		effects = append(effects, armUnanswered{s.unansweredLimit()})
	}
	return effects
}

// nodeRead sends the heartbeat that is due: the node's health and configuration have come.
func (s *uplinkState) nodeRead(now time.Time) []uplinkEffect {
	if s.phase != uplinkLive || !s.heartbeatPending {
		return nil
	}
	s.heartbeatPending = false
	return s.send(now)
}

// heartbeatAnswered takes the proxy's answer to a heartbeat. A rejection ends the
// session; another interval counts from the next heartbeat on.
func (s *uplinkState) heartbeatAnswered(a heartbeatAnswer, now time.Time) []uplinkEffect {
	if s.phase != uplinkLive {
		return nil
	}
	if a.rejection != "" {
		return s.close(sessionEnd{why: a.rejection})
	}
	if a.interval > 0 {
		s.interval = a.interval
	}
	if !s.heartbeats.expectAnswers {
		return nil
	}
	s.heartbeats.answered(a, now)
	return []uplinkEffect{armUnanswered{s.heartbeats.remaining(s.unansweredLimit(), now)}}
}

// unansweredDue ends the session if a heartbeat has waited for too long, since the proxy may
// be gone.
func (s *uplinkState) unansweredDue(now time.Time) []uplinkEffect {
	if s.phase != uplinkLive || len(s.heartbeats.unanswered) == 0 {
		return nil
	}
	limit := s.unansweredLimit()
	if now.Sub(s.heartbeats.unanswered[0]) < limit {
		return []uplinkEffect{armUnanswered{s.heartbeats.remaining(limit, now)}}
	}
	return s.close(sessionEnd{why: "the proxy has not answered a heartbeat for " + limit.String()})
}
