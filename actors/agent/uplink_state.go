package agent

import (
	"slices"
	"time"

	"fodc/messages"
)

// Time limits for the end of a session.
const (
	// goodbyeGrace is how long the proxy has to end its streams after a goodbye.
	goodbyeGrace = 500 * time.Millisecond
	// closeGrace is how long an uplink waits for its goroutines and its connection to end.
	closeGrace = 500 * time.Millisecond
)

// uplinkState is the state machine of one session, from the attempt to connect to the end of
// its last goroutine.
type uplinkState struct {
	phase            uplinkPhase
	interval         time.Duration // between two heartbeats
	heartbeatPending bool          // a heartbeat waits for the node's health and configuration
	heartbeats       heartbeats
	end              sessionEnd
	// open are the parts of the session that have not ended yet.
	open map[part]struct{}

	// channels are the streams that the agent has something for, in the order in which they are opened.
	channels []*channelState
}

type uplinkPhase uint8

// An uplink is closing until all its parts have ended, then over.
const (
	uplinkConnecting uplinkPhase = iota
	uplinkLive
	uplinkLeaving
	uplinkClosing
	uplinkOver
)

// part is a goroutine or a connection of the session. Its end is one message to the actor.
type part struct {
	what partKind
	// stream is the one that a reader or a writer belongs to, or the number of an answer. of is the channel of
	// an opener or an answer.
	stream uint64
	of     messages.Stream
}

type partKind string

// The parts of a session. An opener opens the stream of a channel, an answer is one that a source makes.
const (
	partConnect    partKind = "connect"
	partConnection partKind = "connection"
	partOpener     partKind = "opener"
	partReader     partKind = "reader"
	partWriter     partKind = "writer"
	partAnswer     partKind = "answer"
)

// uplinkEffect is something that the uplink has to do.
type uplinkEffect interface{ isUplinkEffect() }

type (
	// reportRegistered tells the link that the session is registered.
	reportRegistered struct{}
	// armHeartbeat arms the uplink's one heartbeat timer.
	armHeartbeat struct{ after time.Duration }
	// askHealth asks for the node's health, and then for its configuration.
	askHealth     struct{}
	sendHeartbeat struct {
		clock  time.Time
		timing *messages.Timing
	}
	// armUnanswered arms the timer of the oldest unanswered heartbeat; 0 disarms it.
	armUnanswered struct{ after time.Duration }
	// openChannel opens the stream of a channel, armRetry arms the timer that opens it again.
	openChannel struct{ of messages.Stream }
	armRetry    struct {
		of    messages.Stream
		after time.Duration
	}
	// halfClose says goodbye on every stream.
	halfClose struct{}
	// armClose arms the timer of the session's last steps.
	armClose struct{ after time.Duration }
	// release ends the session's context, which ends all its parts.
	release struct{}
	// reportOver tells the link that all parts of the session have ended.
	reportOver struct{ end sessionEnd }
	logUplink  struct{ logEntry }
)

func (reportRegistered) isUplinkEffect() {}
func (armHeartbeat) isUplinkEffect()     {}
func (askHealth) isUplinkEffect()        {}
func (sendHeartbeat) isUplinkEffect()    {}
func (armUnanswered) isUplinkEffect()    {}
func (openChannel) isUplinkEffect()      {}
func (armRetry) isUplinkEffect()         {}
func (halfClose) isUplinkEffect()        {}
func (armClose) isUplinkEffect()         {}
func (release) isUplinkEffect()          {}
func (reportOver) isUplinkEffect()       {}
func (logUplink) isUplinkEffect()        {}

// newUplinkState returns the state of an uplink whose connect goroutine runs.
func newUplinkState(interval time.Duration, streams ...messages.Stream) *uplinkState {
	return &uplinkState{interval: interval, channels: newChannelStates(streams),
		open: map[part]struct{}{{what: partConnect}: {}}}
}

func (s *uplinkState) started(p part) { s.open[p] = struct{}{} }

// ended records that a part has ended. If the session is closing and it was the last one, the
// session is over.
func (s *uplinkState) ended(p part) []uplinkEffect {
	delete(s.open, p)
	if s.phase != uplinkClosing || len(s.open) > 0 {
		return nil
	}
	return s.over()
}

func (s *uplinkState) over() []uplinkEffect {
	s.phase = uplinkOver
	return []uplinkEffect{reportOver{s.end}}
}

// close starts to end the session. The first reason is the one that is reported.
func (s *uplinkState) close(end sessionEnd) []uplinkEffect {
	if s.phase >= uplinkClosing {
		return nil
	}
	s.phase, s.end = uplinkClosing, end
	if len(s.open) == 0 {
		return append([]uplinkEffect{release{}}, s.over()...)
	}
	return []uplinkEffect{release{}, armClose{closeGrace}}
}

// connected takes a registered session: its registration stream, when the registration was
// sent, and the proxy's answer, which arrived now. If the uplink is closing meanwhile, the
// session's context has ended already, and that closes the connection.
func (s *uplinkState) connected(stream uint64, sent time.Time, a heartbeatAnswer, now time.Time) []uplinkEffect {
	delete(s.open, part{what: partConnect})
	s.started(part{what: partConnection})
	if s.phase != uplinkConnecting {
		return nil
	}
	s.started(part{what: partReader, stream: stream})
	s.started(part{what: partWriter, stream: stream})
	s.phase = uplinkLive
	if a.interval > 0 {
		s.interval = a.interval
	}
	s.heartbeats.expectAnswers = a.answersHeartbeats
	s.heartbeats.record(sent)
	s.heartbeats.answered(a, now)
	if !a.streamAnswers {
		s.channels = slices.DeleteFunc(s.channels, func(ch *channelState) bool { return withoutBaseline(ch.of) })
	}
	effects := []uplinkEffect{reportRegistered{}, armHeartbeat{s.interval}}
	for _, ch := range s.channels {
		effects = append(effects, s.openChannel(ch)...)
	}
	return effects
}

// connectFailed records that the attempt to connect has failed.
func (s *uplinkState) connectFailed(end sessionEnd) []uplinkEffect {
	effects := s.ended(part{what: partConnect})
	return append(effects, s.close(end)...)
}

// streamClosed records that the reader of a stream has ended. registration says that it was
// the registration stream, whose end is the end of the session.
func (s *uplinkState) streamClosed(stream uint64, registration bool, failure streamFailure, end sessionEnd, now time.Time) []uplinkEffect {
	effects := s.ended(part{what: partReader, stream: stream})
	lost := s.streamless(stream)
	switch {
	case s.phase == uplinkLeaving && s.streams() == 0:
		return append(effects, s.close(sessionEnd{why: "disconnected"})...)
	case s.phase != uplinkLive:
		return effects
	case registration:
		return append(effects, s.close(end)...)
	case lost != nil:
		return append(effects, s.channelLost(lost, failure, end, now)...)
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
		return []uplinkEffect{halfClose{}, armClose{goodbyeGrace}}
	default:
		return nil
	}
}

// closeDue stops waiting for the proxy after a goodbye, or for the session's parts to end.
func (s *uplinkState) closeDue() []uplinkEffect {
	switch s.phase {
	case uplinkLeaving:
		return s.close(sessionEnd{why: "disconnected"})
	case uplinkClosing:
		return s.over()
	default:
		return nil
	}
}
