package agent

import (
	"context"
	"errors"
	"maps"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

// Messages to an uplink.
type (
	// sayGoodbye makes the uplink leave the proxy in an orderly way.
	sayGoodbye struct{}
	// connectDone is the result of the connect goroutine: a session, or an error.
	connectDone struct {
		session *session
		err     error
	}
	// connectionClosed says that the session's connection is closed.
	connectionClosed struct{}
)

// errReleased is why the context of a session ends when the session is over.
var errReleased = errors.New("the session is over")

// uplink is one attempt to connect, and the session that it results in. When it sends
// sessionOver, all goroutines, streams and the connection of the session have ended.
type uplink struct {
	sys        *actors.System
	log        *zap.Logger
	link       *actors.PID
	generation uint64
	cfg        sessionConfig
	health     string // the node's last known health
	// config is the node's last known configuration, sentConfig the one that the proxy has.
	config, sentConfig *messages.NodeConfig

	state  *uplinkState
	ctx    context.Context // of all goroutines and streams of the session
	cancel context.CancelCauseFunc

	session      *session
	registration *stream[*wire.RegisterAgentRequest]
	channels     []*channel
	metrics      *metricsResponder // of the metrics channel

	heartbeat, unanswered, closing actors.Timer
}

func newUplink(sys *actors.System, link *actors.PID, generation uint64, cfg sessionConfig, health string) *uplink {
	u := &uplink{sys: sys, log: sys.Log().With(zap.String("proxy", cfg.address)), link: link, generation: generation,
		cfg: cfg, health: health}
	u.metrics = newMetricsResponder(u)
	var streams []messages.Stream
	u.channels, streams = newChannels(u)
	u.state = newUplinkState(cfg.heartbeat, streams...)
	return u
}

func (u *uplink) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		actors.Subject(c, u.cfg.address)
		u.onStarted(c)
	case *actors.Stopping, *actors.Restarting:
		u.cfg.announcer.unsubscribe(c.Self())
		u.cancel(errStopped)
		u.disarm()
	case *actors.Stopped:
	case connectDone:
		u.onConnectDone(c, m)
	case connectionClosed:
		u.do(c, u.state.ended(part{what: partConnection}))
	case channelDone:
		u.onChannelDone(c, m)
	case actors.Frame[*wire.RegisterAgentResponse]:
		u.onHeartbeatAnswer(c, m)
	case actors.Frame[proto.Message]:
		u.onQuestion(c, m)
	case snapshotTaken:
		u.metrics.onSnapshot(c, m)
	case pastPart:
		u.metrics.onPastPart(c, m)
	case pastEnded:
		u.metrics.onPastEnded(c, m)
	case announced:
		u.onAnnounced(c, m)
	case answerFrame:
		u.onAnswerFrame(c, m)
	case answerEnded:
		u.onAnswerEnded(c, m)
	case actors.FrameWritten:
		u.onFrameWritten(c, m)
	case actors.StreamClosed:
		u.onStreamClosed(c, m)
	case writerEnded:
		u.do(c, u.state.ended(part{what: partWriter, stream: uint64(m.stream)}))
	case nodeHealth:
		u.onHealth(c, m)
	case configChecked:
		u.config = m.config
		u.do(c, u.state.nodeRead(time.Now()))
	case sayGoodbye:
		u.do(c, u.state.goodbye())
	case actors.Tick:
		u.onTick(c, m)
	default:
		unknownMessage(u.log, m)
	}
}

// onStarted starts the attempt to connect. An uplink makes one.
func (u *uplink) onStarted(c actors.Context) {
	u.ctx, u.cancel = context.WithCancelCause(context.Background())
	u.cfg.announcer.subscribe(c.Self())
	self, cfg, runtime := newSender(u.ctx, u.sys, c), u.cfg, nodeRuntime(u.health, u.cfg.load)
	go func() {
		var s *session
		err := recovered(self.sys.Log(), "connecting to a proxy", func() (err error) {
			s, err = connect(self.ctx, cfg, runtime)
			return err
		})
		self.send(connectDone{s, err})
		if err == nil {
			context.AfterFunc(self.ctx, func() {
				_ = s.conn.Close()
				self.send(connectionClosed{})
			})
		}
	}()
}

func (u *uplink) onTick(c actors.Context, m actors.Tick) {
	switch {
	case u.heartbeat.Fired(m):
		u.do(c, u.state.heartbeatDue(time.Now()))
	case u.unanswered.Fired(m):
		u.do(c, u.state.unansweredDue(time.Now()))
	case u.closing.Fired(m):
		u.do(c, u.state.closeDue())
	default:
		u.onChannelTick(c, m)
	}
}

func (u *uplink) disarm() {
	for _, t := range []*actors.Timer{&u.heartbeat, &u.unanswered, &u.closing} {
		t.Disarm()
	}
	for _, ch := range u.channels {
		ch.retry.Disarm()
		ch.responder.disarm()
	}
}

func (u *uplink) do(c actors.Context, effects []uplinkEffect) {
	for _, e := range effects {
		switch e := e.(type) {
		case reportRegistered:
			u.sys.Send(u.link, registered{u.generation, u.session.welcome.AgentID})
		case armHeartbeat:
			u.heartbeat.Arm(c, e.after)
		case askHealth:
			actors.Request(c, u.cfg.recorder, readHealth{})
		case sendHeartbeat:
			u.writeHeartbeat(c, e)
		case armUnanswered:
			u.awaitAnswer(c, e.after)
		case openChannel:
			u.openChannel(c, e.of)
		case armRetry:
			u.channel(e.of).retry.Arm(c, e.after)
		case halfClose:
			u.halfClose()
		case armClose:
			u.closing.Arm(c, e.after)
		case release:
			u.disarm()
			u.cancel(errReleased)
		case reportOver:
			u.disarm()
			actors.EndReason(c, e.end.why)
			u.sys.Send(u.link, sessionOver{u.generation, e.end, u.health})
		case logUplink:
			writeEntry(u.log, e.logEntry)
		}
	}
}

func (u *uplink) onConnectDone(c actors.Context, m connectDone) {
	if m.err != nil {
		u.do(c, u.state.connectFailed(sessionEndOf(m.err)))
		return
	}
	if u.state.phase != uplinkConnecting { // not needed any more: its context has ended, which closes it
		u.do(c, u.state.connected(0, time.Time{}, heartbeatAnswer{}, time.Now()))
		return
	}
	u.session, u.sentConfig = m.session, m.session.registration.Config
	if isBaseline(m.session.welcome) {
		u.metrics.baseline = wire.NewBaselineLabels(m.session.registration.Identity())
	}
	u.registration = runStream(newSender(u.ctx, u.sys, c), m.session.stream, maxQueuedHeartbeats, m.session.cancel)
	u.do(c, u.state.connected(uint64(u.registration.id), m.session.registration.Clock, answerOf(m.session.welcome), m.session.answeredAt))
}

// isBaseline reports whether the proxy knows the baseline of the contract only. Such a proxy
// adds no identity labels to samples, so the agent adds them.
func isBaseline(w wire.Welcome) bool { return w.Capabilities == messages.Capabilities{} }

// onHealth takes the node's health from the recorder, and asks for the node's configuration.
// With both the heartbeat is complete.
func (u *uplink) onHealth(c actors.Context, m nodeHealth) {
	u.health = m.health
	if u.cfg.nodeConfig == nil {
		u.do(c, u.state.nodeRead(time.Now()))
		return
	}
	actors.Request(c, u.cfg.nodeConfig, checkConfig{})
}

// writeHeartbeat queues a heartbeat, with the node's configuration if it has changed since it
// was sent last.
func (u *uplink) writeHeartbeat(c actors.Context, e sendHeartbeat) {
	u.followIdentity()
	r := u.session.registration
	r.Clock, r.Timing, r.Runtime, r.Config = e.clock, e.timing, nodeRuntime(u.health, u.cfg.load), nil
	if u.config != nil && u.config != u.sentConfig {
		r.Config, u.sentConfig = u.config, u.config
	}
	if !u.registration.offer(wire.RegistrationFrame(r)) {
		u.do(c, u.state.close(sessionEnd{why: "the proxy does not read the heartbeats"}))
	}
}

// followIdentity takes the node's role and labels, which may have changed.
func (u *uplink) followIdentity() {
	known, r := u.cfg.identity.registration(), &u.session.registration
	if r.Role == known.Role && maps.Equal(r.Labels, known.Labels) {
		return
	}
	r.Role, r.Labels = known.Role, known.Labels
	if isBaseline(u.session.welcome) {
		u.metrics.baseline = wire.NewBaselineLabels(r.Identity())
	}
}

func (u *uplink) onHeartbeatAnswer(c actors.Context, m actors.Frame[*wire.RegisterAgentResponse]) {
	u.registration.credits.Return()
	u.do(c, u.state.heartbeatAnswered(answerOf(wire.FromWelcome(m.Body)), time.Now()))
}

func answerOf(w wire.Welcome) heartbeatAnswer {
	a := heartbeatAnswer{interval: w.HeartbeatInterval, answersHeartbeats: w.Capabilities.HeartbeatAnswers, streamAnswers: w.Capabilities.StreamAnswers,
		clock: w.Clock, echoed: w.EchoedClock}
	if !w.Success {
		a.rejection = rejectionText(w)
	}
	return a
}

func (u *uplink) awaitAnswer(c actors.Context, d time.Duration) {
	if d == 0 {
		u.unanswered.Disarm()
		return
	}
	u.unanswered.Arm(c, d)
}

// halfClose says goodbye on all streams.
func (u *uplink) halfClose() {
	u.disarm()
	u.registration.halfClose()
	for _, ch := range u.channels {
		ch.stream.halfClose()
	}
}

func (u *uplink) onStreamClosed(c actors.Context, m actors.StreamClosed) {
	isRegistration := u.registration != nil && m.Stream == u.registration.id
	of := messages.Stream("registration")
	if isRegistration {
		u.registration.end()
	} else if ch := u.channelWith(m.Stream); ch != nil {
		of = ch.of
		ch.end()
	}
	failure, end := failureOf(of, m.Err)
	u.do(c, u.state.streamClosed(uint64(m.Stream), isRegistration, failure, end, time.Now()))
}
