package agent

import (
	"time"

	"fodc/messages"
)

// The pace of one session.
const (
	// goodbyeGrace is how long the proxy has to end its streams after a goodbye.
	goodbyeGrace = 500 * time.Millisecond
	// closeGrace is how long an uplink that is over waits for its goroutines and its
	// connection to be gone.
	closeGrace = 500 * time.Millisecond
)

// uplinkState is the rules of one session, from the attempt to connect to the end of
// the last goroutine that belonged to it.
type uplinkState struct {
	phase    uplinkPhase
	interval time.Duration // between two heartbeats
	beating  bool          // a heartbeat waits for what is said of the node
	beats    heartbeats
	end      sessionEnd
	// open is what has been started for the session and has not ended yet.
	open map[part]struct{}

	metrics   uint64 // the metrics stream; 0 = none
	metricsAt time.Time
	opening   bool
	retry     time.Duration
	unserved  lasting
	// untold is told if the session still lives when the stream is opened again: if not,
	// the stream broke with it, and the link tells that.
	untold *note
}

type uplinkPhase uint8

// An uplink is closing until all its parts are gone, then over.
const (
	uplinkConnecting uplinkPhase = iota
	uplinkLive
	uplinkLeaving
	uplinkClosing
	uplinkOver
)

// part is something that lives beside the actor, and ends with one message to it.
type part struct {
	what   partKind
	stream uint64
}

type partKind string

// The parts of a session. An opener opens a metrics stream.
const (
	partConnect    partKind = "connect"
	partConnection partKind = "connection"
	partOpener     partKind = "opener"
	partReader     partKind = "reader"
	partWriter     partKind = "writer"
)

// uplinkEffect is something that the uplink has to do.
type uplinkEffect interface{ isUplinkEffect() }

type (
	// announce tells the link that the session is registered.
	announce struct{}
	// armHeartbeat arms the uplink's one heartbeat timer.
	armHeartbeat struct{ after time.Duration }
	// askHealth asks the recorder how the node is, and then how it is configured.
	askHealth     struct{}
	sendHeartbeat struct {
		clock  time.Time
		timing *messages.Timing
	}
	// armUnanswered arms the timer of the heartbeat that waits longest for its answer;
	// 0 disarms it.
	armUnanswered struct{ after time.Duration }
	openMetrics   struct{}
	armRetry      struct{ after time.Duration }
	// halfClose says goodbye on every stream.
	halfClose struct{}
	// armLast arms the timer of the session's last steps.
	armLast struct{ after time.Duration }
	// release ends the session's context, and with it all that is open.
	release struct{}
	// tellOver tells the link that nothing is left.
	tellOver  struct{ end sessionEnd }
	logUplink struct{ note }
)

func (announce) isUplinkEffect()      {}
func (armHeartbeat) isUplinkEffect()  {}
func (askHealth) isUplinkEffect()     {}
func (sendHeartbeat) isUplinkEffect() {}
func (armUnanswered) isUplinkEffect() {}
func (openMetrics) isUplinkEffect()   {}
func (armRetry) isUplinkEffect()      {}
func (halfClose) isUplinkEffect()     {}
func (armLast) isUplinkEffect()       {}
func (release) isUplinkEffect()       {}
func (tellOver) isUplinkEffect()      {}
func (logUplink) isUplinkEffect()     {}

// newUplinkState returns the state of an uplink whose connect goroutine runs.
func newUplinkState(interval time.Duration) *uplinkState {
	return &uplinkState{interval: interval, retry: metricsRetryBase,
		open: map[part]struct{}{{what: partConnect}: {}}}
}

func (s *uplinkState) started(p part) { s.open[p] = struct{}{} }

// ended takes note that a part is gone. While the session is closing, the last one
// ends it.
func (s *uplinkState) ended(p part) []uplinkEffect {
	delete(s.open, p)
	if s.phase != uplinkClosing || len(s.open) > 0 {
		return nil
	}
	return s.over()
}

func (s *uplinkState) over() []uplinkEffect {
	s.phase = uplinkOver
	return []uplinkEffect{tellOver{s.end}}
}

// close ends the session. The first reason counts.
func (s *uplinkState) close(end sessionEnd) []uplinkEffect {
	if s.phase >= uplinkClosing {
		return nil
	}
	s.phase, s.end = uplinkClosing, end
	if len(s.open) == 0 {
		return append([]uplinkEffect{release{}}, s.over()...)
	}
	return []uplinkEffect{release{}, armLast{closeGrace}}
}

// connected takes a registered session: the stream on which it was registered, when
// the registration was sent, and the proxy's answer, which came now. If the session is
// not wanted any more, the connection ends by itself: its context has ended already.
func (s *uplinkState) connected(stream uint64, sent time.Time, a heartbeatAnswer, now time.Time) []uplinkEffect {
	delete(s.open, part{what: partConnect})
	s.started(part{what: partConnection})
	if s.phase != uplinkConnecting {
		return nil
	}
	s.started(part{partReader, stream})
	s.started(part{partWriter, stream})
	s.phase = uplinkLive
	if a.interval > 0 {
		s.interval = a.interval
	}
	s.beats.awaited = a.promised
	s.beats.went(sent)
	s.beats.answered(a, now)
	return append([]uplinkEffect{announce{}, armHeartbeat{s.interval}}, s.openStream()...)
}

// connectFailed takes note that there is no session.
func (s *uplinkState) connectFailed(end sessionEnd) []uplinkEffect {
	effects := s.ended(part{what: partConnect})
	return append(effects, s.close(end)...)
}

// streamClosed takes note that the reader of a stream has ended. registration says
// that it was the registration stream: that one is the session.
func (s *uplinkState) streamClosed(stream uint64, registration bool, fault streamFault, end sessionEnd, now time.Time) []uplinkEffect {
	effects := s.ended(part{partReader, stream})
	wasMetrics := !registration && stream == s.metrics
	if wasMetrics {
		s.metrics = 0
	}
	switch {
	case s.phase == uplinkLeaving && s.streams() == 0:
		return append(effects, s.close(sessionEnd{why: "disconnected"})...)
	case s.phase != uplinkLive:
		return effects
	case registration:
		return append(effects, s.close(end)...)
	case wasMetrics:
		return append(effects, s.metricsLost(fault, end, now)...)
	default:
		return effects
	}
}

// streams counts the streams whose readers have not ended.
func (s *uplinkState) streams() int {
	n := 0
	for p := range s.open {
		if p.what == partReader {
			n++
		}
	}
	return n
}

// goodbye leaves the proxy in an orderly way.
func (s *uplinkState) goodbye() []uplinkEffect {
	switch s.phase {
	case uplinkConnecting:
		return s.close(sessionEnd{why: "disconnected"})
	case uplinkLive:
		s.phase = uplinkLeaving
		return []uplinkEffect{halfClose{}, armLast{goodbyeGrace}}
	default:
		return nil
	}
}

// lastDue takes note that the time for the session's last step is over.
func (s *uplinkState) lastDue() []uplinkEffect {
	switch s.phase {
	case uplinkLeaving:
		return s.close(sessionEnd{why: "disconnected"})
	case uplinkClosing:
		return s.over()
	default:
		return nil
	}
}
