package proxy

import (
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"
	"fodc/messages/wire/fastframe"

	"go.uber.org/zap"
	"google.golang.org/grpc/status"
)

// Limits of one session.
const (
	// maxDrainedStreams bounds the drained streams of a session.
	maxDrainedStreams = 16
	// readersGrace is how long an ended session waits for the readers of its streams to end.
	readersGrace = time.Second
	// valueBytes is the size of a sample's value in memory.
	valueBytes = 8
)

type metricsStream = stream[*wire.StreamMetricsResponse]

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

	state           *sessionState
	registration    *registrationStream
	metrics         *metricsStream // nil: not attached
	drained         map[actors.StreamID]*drainedStream
	collections     map[uint64]*actors.PID
	readers         map[actors.StreamID]struct{} // the streams whose readers have not ended
	tooManyLogged   bool
	ending          bool
	unreadSince     time.Time // zero unless the newest answer to a heartbeat did not fit the queue
	endAcknowledged bool
	rejectedLogged  bool // invalid series are logged once a session
	grace           actors.Timer
	metricsWait     actors.Timer // the time of the requests that wait for a metrics stream
	decoder         *fastframe.Decoder
	decoded         time.Time // when the decoder was last used, or replaced
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
		s.metricsWait.Disarm()
	case *actors.Stopped:
	case actors.Frame[*heartbeatFrame]:
		s.onHeartbeat(c, m)
	case heartbeatAcknowledged:
		s.registration.credits.Return()
	case actors.Frame[*answerFrame]:
		s.onAnswer(c, m)
	case actors.StreamClosed:
		s.onStreamClosed(c, m)
	case attachMetrics:
		s.onAttachMetrics(c, m)
	case attachDrained:
		s.onAttachDrained(c, m)
	case askMetrics:
		s.onAsk(c, m)
	case cancelRequest:
		s.state.cancel(m.collectionID)
		delete(s.collections, m.collectionID)
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
	switch {
	case s.grace.Fired(m):
		s.sys.StopAsync(c.Self())
	case s.metricsWait.Fired(m):
		s.deliverFailures(s.state.failWaiting(time.Now())...)
	}
}

func (s *session) onStarted() {
	s.state = newSessionState(s.capabilities, s.cfg.MaxAgentSeries, time.Now())
	s.decoder = fastframe.New()
	s.decoder.Renew(s.state.dictionary)
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
		Capabilities: messages.Capabilities{ColumnarAnswers: true, HeartbeatAnswers: true, Dictionary: true},
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
	s.dropIdleDecoder(time.Now())
	actors.Request(c, s.registry, heartbeat{agentID: s.agentID, registration: reg})
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

func (s *session) onAsk(c actors.Context, m askMetrics) {
	if s.ending {
		s.sys.Send(c.Sender(), answerFailure{s.agentID, messages.MissingError})
		return
	}
	r, missing := s.state.ask(m.collectionID, m.selection, m.deadline, time.Now())
	if missing != messages.MissingNone {
		s.sys.Send(c.Sender(), answerFailure{s.agentID, missing})
		return
	}
	s.collections[m.collectionID] = c.Sender()
	if r != nil {
		s.send(c, *r)
		return
	}
	s.metricsWait.Arm(c, time.Until(s.state.waitDeadline()))
}

// send queues a request. If the queue is full, the agent does not read, and the session ends.
// A stream that has ended, or on which a write has failed, accepts nothing either; then the
// StreamClosed that is on its way fails the request.
func (s *session) send(c actors.Context, r sending) {
	req := wire.Request{Selection: r.selection, TimeLeft: r.timeLeft, Dictionary: r.dictionary}
	if s.state.columnar {
		req.ID, req.Columnar = r.id, true
	}
	switch {
	case s.metrics.out.Offer(wire.RequestFrame(req)), s.metrics.ctx.Err() != nil:
	case s.metrics.out.Err() != nil:
		s.metrics.close(errLost)
	default:
		s.finish(c, endedUnread, "the agent does not read its requests", errStuck)
	}
}

// deliverFailures tells collections that their answers will not come.
func (s *session) deliverFailures(failures ...delivery) {
	for _, d := range failures {
		s.log.Debug("no answer", zap.Uint64("collection", d.collectionID), zap.String("reason", d.why))
		s.sys.Send(s.collections[d.collectionID], answerFailure{s.agentID, d.missing})
		delete(s.collections, d.collectionID)
	}
}
