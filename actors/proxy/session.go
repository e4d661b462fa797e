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
	// maxHeldStreams bounds the streams of a session that are held and not served.
	maxHeldStreams = 16
	// readersGrace is how long an ended session waits for its readers to be gone.
	readersGrace = time.Second
	// valueBytes is what a value takes.
	valueBytes = 8
)

type metricsStream = stream[*wire.StreamMetricsResponse]

// session is one agent's session: the streams, and the requests under way.
type session struct {
	sys          *actors.System
	cfg          Config
	log          *zap.Logger
	registry     *actors.PID
	agentID      string // the session's public id
	key          string // for the agent alone
	identity     messages.Identity
	capabilities messages.Capabilities
	clock        time.Time // the agent's, in its registration

	state        *sessionState
	registration *registrationStream
	metrics      *metricsStream // nil: not attached
	held         map[actors.StreamID]*heldStream
	askers       map[uint64]*actors.PID
	readers      map[actors.StreamID]struct{} // readers that have not said their last word
	tooManyTold  bool
	ending       bool
	unreadSince  time.Time // zero unless the newest answer to a heartbeat had no room
	released     bool
	rejectedTold bool // that an answer had invalid series: it will have them each time
	grace        actors.Timer
	wait         actors.Timer // for a metrics stream, on behalf of requests
	decoder      *fastframe.Decoder
	decoded      time.Time // when the decoder was last needed, or began anew
}

func (s *session) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		actors.Subject(c, s.identity.NodeID)
		s.onStarted()
	case *actors.Stopping, *actors.Restarting:
		// An orderly stop has ended it before: it has panicked, or the registry has.
		s.finish(c, endedFailed, whyFailed, errFailed)
		s.grace.Disarm()
		s.wait.Disarm()
	case *actors.Stopped:
	case actors.Frame[*heartbeatFrame]:
		s.onHeartbeat(c, m)
	case heard:
		s.registration.credits.Return()
	case actors.Frame[*answerFrame]:
		s.onAnswer(c, m)
	case actors.StreamClosed:
		s.onStreamClosed(c, m)
	case attachMetrics:
		s.onAttachMetrics(c, m)
	case attachHeld:
		s.onAttachHeld(c, m)
	case askMetrics:
		s.onAsk(c, m)
	case forget:
		s.state.forget(m.asker)
		delete(s.askers, m.asker)
	case endSession:
		s.finish(c, reasonOf(m.err), status.Convert(m.err).Message(), m.err)
	case released:
		s.released = true
		s.stopWhenAlone(c)
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
	case s.wait.Fired(m):
		s.deliver(s.state.giveUpWaiting(time.Now())...)
	}
}

func (s *session) onStarted() {
	s.state = newSessionState(s.capabilities, s.cfg.MaxAgentSeries, time.Now())
	s.decoder = fastframe.New()
	s.decoder.Renew(s.state.dictionary)
	s.held = map[actors.StreamID]*heldStream{}
	s.askers = map[uint64]*actors.PID{}
	s.readers = map[actors.StreamID]struct{}{s.registration.id: {}}
	s.welcome("registered", s.clock)
}

// welcome queues an answer to the registration or to a heartbeat; false means that the
// agent does not read them.
func (s *session) welcome(text string, echoed time.Time) (queued bool) {
	return s.registration.out.Offer(wire.WelcomeFrame(wire.Welcome{
		Success: true, Message: text, Key: s.key, AgentID: s.agentID, HeartbeatInterval: s.cfg.HeartbeatInterval,
		Capabilities: messages.Capabilities{ColumnarAnswers: true, HeartbeatAnswers: true, Dictionary: true},
		Clock:        time.Now(), EchoedClock: echoed,
	}))
}

// onHeartbeat passes a heartbeat on. The next ones are read as the registry has heard
// it: a flood of them fills nobody's mailbox.
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
	s.cfg.tally.heartbeat()
	s.rest(time.Now())
	actors.Request(c, s.registry, heartbeat{agentID: s.agentID, registration: reg})
	if s.capabilities.HeartbeatAnswers {
		s.answerHeartbeat(c, reg.Clock)
	}
}

// answerHeartbeat leaves an answer out while the queue is full: heartbeats that a bad
// network held up come all at once. An agent that has read none for the heartbeat
// timeout is cut off.
func (s *session) answerHeartbeat(c actors.Context, echoed time.Time) {
	now := time.Now()
	switch {
	case s.welcome("", echoed):
		s.unreadSince = time.Time{}
	case s.unreadSince.IsZero():
		s.unreadSince = now
	case now.Sub(s.unreadSince) >= s.cfg.Limits.HeartbeatTimeout:
		s.finish(c, endedUnread, "the agent does not read the answers to its heartbeats", errStuck)
	}
}

func (s *session) onAsk(c actors.Context, m askMetrics) {
	if s.ending {
		s.sys.Send(c.Sender(), gotFailure{s.agentID, messages.MissingError})
		return
	}
	r, missing := s.state.ask(m.asker, m.selection, m.deadline, time.Now())
	if missing != messages.MissingNone {
		s.sys.Send(c.Sender(), gotFailure{s.agentID, missing})
		return
	}
	s.askers[m.asker] = c.Sender()
	if r != nil {
		s.send(c, *r)
		return
	}
	s.wait.Arm(c, time.Until(s.state.waitOver()))
}

// send queues a request. A full queue means that the agent does not read: whatever
// else it owes would never come. A stream that is over takes nothing, either, nor does one
// on which a write has failed; the news of its end is on its way, and will fail the request.
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

// deliver tells collections that their answer will not come.
func (s *session) deliver(failures ...delivery) {
	for _, d := range failures {
		s.log.Debug("no answer", zap.Uint64("collection", d.asker), zap.String("reason", d.why))
		s.sys.Send(s.askers[d.asker], gotFailure{s.agentID, d.missing})
		delete(s.askers, d.asker)
	}
}
