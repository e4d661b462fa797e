package proxy

import (
	"errors"
	"io"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"

	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Limits of one session.
const (
	// maxHeldStreams bounds the streams of a session that are held and not served.
	maxHeldStreams = 16
	// readersGrace is how long an ended session waits for its readers to be gone.
	readersGrace = time.Second
)

type metricsStream = stream[*wire.StreamMetricsResponse]

// session is one agent's session: the streams, and the requests under way.
type session struct {
	sys          *actors.System
	cfg          Config
	log          *zap.Logger
	registry     *actors.PID
	agentID      string
	identity     messages.Identity
	capabilities messages.Capabilities
	clock        time.Time // the agent's, in its registration

	state        *sessionState
	registration *registrationStream
	metrics      *metricsStream // nil: not attached
	held         map[actors.StreamID]*heldStream
	askers       map[uint64]*actors.PID
	readers      map[actors.StreamID]struct{} // readers that have not said their last word
	ending       bool
	released     bool
	grace        actors.Timer
}

func (s *session) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		s.onStarted()
	case *actors.Stopping, *actors.Restarting:
		s.finish(c, false, "the proxy is stopping, or the session failed", errStopping)
		s.grace.Disarm()
	case *actors.Stopped:
	case actors.Frame[*wire.RegisterAgentRequest]:
		s.onHeartbeat(m)
	case actors.Frame[*wire.StreamMetricsRequest]:
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
		s.finish(c, false, status.Convert(m.err).Message(), m.err)
	case released:
		s.released = true
		s.stopWhenAlone(c)
	case actors.Tick:
		if s.grace.Fired(m) {
			s.sys.StopAsync(c.Self())
		}
	default:
		unknownMessage(s.log, m)
	}
}

func (s *session) onStarted() {
	s.state = newSessionState(s.capabilities.ColumnarAnswers, time.Now())
	s.held = map[actors.StreamID]*heldStream{}
	s.askers = map[uint64]*actors.PID{}
	s.readers = map[actors.StreamID]struct{}{s.registration.id: {}}
	s.welcome("registered", s.clock)
}

func (s *session) welcome(text string, echoed time.Time) {
	s.registration.out.Offer(wire.WelcomeFrame(wire.Welcome{
		Success: true, Message: text, AgentID: s.agentID, HeartbeatInterval: s.cfg.HeartbeatInterval,
		Capabilities: messages.Capabilities{ColumnarAnswers: true, HeartbeatAnswers: true},
		Clock:        time.Now(), EchoedClock: echoed,
	}))
}

func (s *session) onHeartbeat(m actors.Frame[*wire.RegisterAgentRequest]) {
	defer s.registration.credits.Return()
	if s.ending {
		return
	}
	reg := wire.FromRegistration(m.Body)
	s.sys.Send(s.registry, heartbeat{agentID: s.agentID, registration: reg})
	if s.capabilities.HeartbeatAnswers {
		s.welcome("", reg.Clock)
	}
}

func (s *session) onAttachMetrics(c actors.Context, m attachMetrics) {
	if s.ending {
		m.stream.close(errLost)
		actors.Reply(c, errUnknownID)
		return
	}
	s.metrics.close(errNewStream)
	s.metrics = m.stream
	s.readers[m.stream.id] = struct{}{}
	lost, send := s.state.attach(time.Now())
	s.deliver(lost...)
	for _, r := range send {
		s.send(c, r)
	}
	actors.Reply(c, attached{})
}

func (s *session) onAttachHeld(c actors.Context, m attachHeld) {
	switch {
	case s.ending:
		actors.Reply(c, errUnknownID)
	case len(s.held) >= maxHeldStreams:
		actors.Reply(c, status.Errorf(codes.ResourceExhausted, "the session has %d further streams, at most %d are allowed",
			len(s.held), maxHeldStreams))
	default:
		s.held[m.stream.id] = m.stream
		s.readers[m.stream.id] = struct{}{}
		actors.Reply(c, attached{})
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
	}
}

// send queues a request. A full queue means that the agent does not read: whatever
// else it owes would never come.
func (s *session) send(c actors.Context, r sending) {
	req := wire.Request{Selection: r.selection, TimeLeft: r.timeLeft}
	if s.state.columnar {
		req.ID, req.Columnar = r.id, true
	}
	if !s.metrics.out.Offer(wire.RequestFrame(req)) {
		s.finish(c, false, "the agent does not read its requests", errStuck)
	}
}

func (s *session) onAnswer(c actors.Context, m actors.Frame[*wire.StreamMetricsRequest]) {
	if s.ending || s.metrics == nil || m.Stream != s.metrics.id {
		return // of a stream that was replaced; its reader ends by itself
	}
	defer s.metrics.credits.Return()
	now := time.Now()
	info := frameInfo{requestID: m.Body.GetRequestId(), more: m.Body.GetMoreFollows(), errorText: m.Body.GetError()}
	var answer wire.Answer
	if s.state.wants(info.requestID, now) {
		answer = wire.FromAnswer(m.Body, now)
		info.samples = countSamples(answer.Blocks)
	}
	v := s.state.answered(info, now)
	if v.flood {
		s.finish(c, false, "the agent sent "+itoa(maxUnasked)+" answers that nobody asked for", errFlood)
		return
	}
	if v.deliver == nil {
		return
	}
	if answer.Rejected > 0 {
		s.log.Warn("invalid series left out of an answer", zap.Int("series", answer.Rejected), zap.Error(answer.FirstRejected))
	}
	if v.deliver.missing != messages.MissingNone {
		s.deliver(*v.deliver)
		return
	}
	s.sys.Send(s.askers[v.deliver.asker], gotChunk{agentID: s.agentID, blocks: answer.Blocks, rejected: answer.Rejected, last: v.deliver.last})
	if v.deliver.last {
		delete(s.askers, v.deliver.asker)
	}
}

func countSamples(blocks []messages.Block) int {
	n := 0
	for _, b := range blocks {
		for _, f := range b.Families {
			n += len(f.Series) * len(b.Times)
		}
	}
	return n
}

// deliver tells collections that their answer will not come.
func (s *session) deliver(failures ...delivery) {
	for _, d := range failures {
		s.log.Debug("no answer", zap.Uint64("collection", d.asker), zap.String("reason", d.why))
		s.sys.Send(s.askers[d.asker], gotFailure{s.agentID, d.missing})
		delete(s.askers, d.asker)
	}
}

func (s *session) onStreamClosed(c actors.Context, m actors.StreamClosed) {
	delete(s.readers, m.Stream)
	delete(s.held, m.Stream)
	switch {
	case s.ending:
		s.stopWhenAlone(c)
	case m.Stream == s.registration.id && errors.Is(m.Err, io.EOF):
		s.finish(c, true, "goodbye", nil)
	case m.Stream == s.registration.id:
		s.finish(c, false, lossOf(m.Err), errLost)
	case s.metrics != nil && m.Stream == s.metrics.id:
		s.onMetricsLost(m.Err)
	}
}

func (s *session) onMetricsLost(err error) {
	why := "the metrics stream ended: " + status.Convert(err).Message()
	switch {
	case errors.Is(err, io.EOF):
		why = "the agent ended the metrics stream"
		s.metrics.close(nil)
	case status.Code(err) == codes.ResourceExhausted:
		s.log.Error("an answer is larger than a message may be: raise --grpc-max-msg-size",
			zap.Int("grpc_max_msg_size", s.cfg.MaxMessageSize), zap.String("error", status.Convert(err).Message()))
		s.metrics.close(err)
	default:
		s.metrics.close(errLost)
	}
	s.metrics = nil
	s.deliver(s.state.detach(why, time.Now())...)
}

// finish ends the session, once: whoever waits for it learns of it now, and its
// streams end. The actor stops when the streams' readers are gone and the registry
// knows: the news of its stop would overtake that of its end.
func (s *session) finish(c actors.Context, goodbye bool, why string, err error) {
	if s.ending {
		return
	}
	s.ending = true
	s.deliver(s.state.end(why)...)
	s.sys.Send(s.registry, sessionEnded{agentID: s.agentID, goodbye: goodbye, why: why})
	s.registration.close(err)
	s.metrics.close(err)
	for _, h := range s.held {
		h.close(err)
	}
	s.grace.Arm(c, readersGrace)
}

func (s *session) stopWhenAlone(c actors.Context) {
	if s.released && len(s.readers) == 0 {
		s.sys.StopAsync(c.Self())
	}
}
