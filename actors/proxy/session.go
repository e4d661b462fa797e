package proxy

import (
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"

	"go.uber.org/zap"
	"google.golang.org/grpc/status"
)

// Limits of one session.
const (
	// maxDrainedStreams bounds the drained streams of a session.
	maxDrainedStreams = 16
	// readersGrace is how long an ended session waits for the readers of its streams to end.
	readersGrace = time.Second
	// maxUnsolicited bounds the frames in a row that answer no request.
	maxUnsolicited = 16
)

// session is the actor of one agent's session. It owns the session's streams and the requests
// under way.
type session struct {
	sys          *actors.System
	cfg          Config
	log          *zap.Logger
	registry     *actors.PID
	agentID      string // the session's public id
	key          string // sent to the agent only
	identity     messages.Identity
	capabilities messages.Capabilities
	clock        time.Time // the agent's, in its registration

	registration    *registrationStream
	channels        []*channel
	drained         map[actors.StreamID]*drainedStream
	collections     map[uint64]*actors.PID
	readers         map[actors.StreamID]struct{} // the streams whose readers have not ended
	tooManyLogged   bool
	ending          bool
	unreadSince     time.Time // zero unless the newest answer to a heartbeat did not fit the queue
	endAcknowledged bool
	rejectedLogged  bool // invalid series are logged once a session
	grace           actors.Timer
	announcements   announcementState
	announce        actors.Timer
	offset          time.Duration // to be added to times by the agent's clock
}

func (s *session) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		actors.Subject(c, s.identity.NodeID)
		s.onStarted()
	case *actors.Stopping, *actors.Restarting:
		// In an orderly stop the session has ended before. Here it or the registry has panicked.
		s.finish(c, endedFailed, whyFailed, errFailed)
		s.grace.Disarm()
		s.announce.Disarm()
		for _, ch := range s.channels {
			ch.timer.Disarm()
		}
	case *actors.Stopped:
	case actors.Frame[*heartbeatFrame]:
		s.onHeartbeat(c, m)
	case heartbeatAcknowledged:
		s.identity = m.identity
		s.registration.credits.Return()
	case actors.Frame[*answerFrame]:
		s.onAnswer(c, m)
	case actors.StreamClosed:
		s.onStreamClosed(c, m)
	case attach:
		s.onAttach(c, m)
	case attachDrained:
		s.onAttachDrained(c, m)
	case ask:
		s.onAsk(c, m)
	case cancelRequest:
		s.onCancel(m)
	case consumed:
		s.onConsumed(m)
	case endSession:
		s.finish(c, endReasonOf(m.err), status.Convert(m.err).Message(), m.err)
	case endAcknowledged:
		s.endAcknowledged = true
		s.stopWhenReadersEnded(c)
	case actors.Tick:
		s.onTick(c, m)
	default:
		unknownMessage(s.log, m)
	}
}

func (s *session) onTick(c actors.Context, m actors.Tick) {
	if s.grace.Fired(m) {
		s.sys.StopAsync(c.Self())
	}
	if s.announce.Fired(m) && !s.ending {
		s.onAnnounceDue()
	}
	for _, ch := range s.channels {
		if ch.timer.Fired(m) && !s.ending {
			s.onChannelTick(c, ch)
		}
	}
}

func (s *session) onCancel(m cancelRequest) {
	for _, ch := range s.channels {
		ch.state.cancel(m.collectionID)
		ch.settle()
	}
	delete(s.collections, m.collectionID)
}

func (s *session) onConsumed(m consumed) {
	for _, ch := range s.channels {
		ch.state.consumed(m.collectionID, time.Now())
		ch.settle()
	}
}

func (s *session) onStarted() {
	s.channels, s.offset = s.newChannels(), s.estimatedOffset()
	s.drained = map[actors.StreamID]*drainedStream{}
	s.collections = map[uint64]*actors.PID{}
	s.readers = map[actors.StreamID]struct{}{s.registration.id: {}}
	s.sendWelcome("registered", s.clock)
}

// sendWelcome queues an answer to the registration or to a heartbeat. It returns false if the
// queue is full: the agent does not read.
func (s *session) sendWelcome(text string, echoed time.Time) (queued bool) {
	return s.registration.out.Offer(wire.WelcomeFrame(wire.Welcome{
		Success: true, Message: text, Key: s.key, AgentID: s.agentID, HeartbeatInterval: s.cfg.HeartbeatInterval,
		Capabilities: messages.Capabilities{ColumnarAnswers: true, HeartbeatAnswers: true, Dictionary: true, StreamAnswers: true},
		Clock:        time.Now(), EchoedClock: echoed,
	}))
}

// onHeartbeat passes a heartbeat to the registry. The stream's credit is returned when the
// registry acknowledges it, so a flood of heartbeats does not fill the registry's mailbox.
func (s *session) onHeartbeat(c actors.Context, m actors.Frame[*heartbeatFrame]) {
	defer m.Body.free()
	if s.ending {
		return
	}
	reg, err := wire.ReadRegistration(m.Body.Bytes())
	if err != nil {
		s.finish(c, endedLost, "a heartbeat is no message", errBroken)
		return
	}
	s.cfg.counters.heartbeat()
	if reg.Timing != nil {
		s.offset = clockOffset(reg.Timing)
	}
	for _, ch := range s.channels {
		ch.protocol.rest(len(ch.state.requests) > 0, time.Now())
	}
	actors.Request(c, s.registry, heartbeat{agentID: s.agentID, identity: s.identity, registration: reg})
	if s.capabilities.HeartbeatAnswers {
		s.answerHeartbeat(c, reg.Clock)
	}
}

// answerHeartbeat drops the answer while the queue is full, since heartbeats that a bad network
// has delayed come all at once. The session ends if the queue stays full for the heartbeat
// timeout.
func (s *session) answerHeartbeat(c actors.Context, echoed time.Time) {
	now := time.Now()
	switch {
	case s.sendWelcome("", echoed):
		s.unreadSince = time.Time{}
	case s.unreadSince.IsZero():
		s.unreadSince = now
	case now.Sub(s.unreadSince) >= s.cfg.Limits.HeartbeatTimeout:
		s.finish(c, endedUnread, "the agent does not read the answers to its heartbeats", errStuck)
	}
}
