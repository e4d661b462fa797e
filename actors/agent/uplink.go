package agent

import (
	"context"
	"errors"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"

	"go.uber.org/zap"
	"google.golang.org/grpc"
)

// Messages to an uplink.
type (
	// sayGoodbye makes the uplink leave the proxy in an orderly way.
	sayGoodbye struct{}
	// connectDone is the last word of the connect goroutine: a session, or an error.
	connectDone struct {
		session *session
		err     error
	}
	// connectionClosed says that the session's connection is closed.
	connectionClosed struct{}
	// metricsDone is the last word of the goroutine that opens a metrics stream.
	metricsDone struct {
		stream grpc.BidiStreamingClient[wire.StreamMetricsRequest, wire.StreamMetricsResponse]
		cancel context.CancelFunc
		err    error
	}
)

// errReleased is why the context of a session ends that is over.
var errReleased = errors.New("the session is over")

// uplink is one attempt to connect, and the session that comes of it. When it has said
// sessionOver, nothing of it is left but itself.
type uplink struct {
	sys        *actors.System
	log        *zap.Logger
	link       *actors.PID
	generation uint64
	cfg        sessionConfig
	health     string // the node's, as last heard
	// config is the node's configuration as last heard, toldConfig what the proxy knows.
	config, toldConfig *messages.NodeConfig

	state  *uplinkState
	ctx    context.Context // of all that the session has
	cancel context.CancelCauseFunc

	session      *session
	registration *stream[*wire.RegisterAgentRequest]
	metrics      *stream[*wire.StreamMetricsRequest] // nil: there is none
	answers      answerQueue
	readings     map[uint64]*reading    // by seq: the snapshots of the answers
	describer    wire.DictionaryEncoder // of the metrics stream
	baseline     *wire.BaselineLabels
	cutTold      bool // that a baseline answer did not fit its message

	heartbeat, unanswered, retry, answerDue, last actors.Timer
}

func newUplink(sys *actors.System, link *actors.PID, generation uint64, cfg sessionConfig, health string) *uplink {
	return &uplink{sys: sys, log: sys.Log().With(zap.String("proxy", cfg.address)), link: link, generation: generation,
		cfg: cfg, health: health, state: newUplinkState(cfg.heartbeat), readings: map[uint64]*reading{}, baseline: &wire.BaselineLabels{}}
}

func (u *uplink) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		actors.Subject(c, u.cfg.address)
		u.onStarted(c)
	case *actors.Stopping, *actors.Restarting:
		u.cancel(errStopped)
		u.disarm()
	case *actors.Stopped:
	case connectDone:
		u.onConnectDone(c, m)
	case connectionClosed:
		u.do(c, u.state.ended(part{what: partConnection}))
	case metricsDone:
		u.onMetricsDone(c, m)
	case actors.Frame[*wire.RegisterAgentResponse]:
		u.onHeartbeatAnswer(c, m)
	case actors.Frame[*wire.StreamMetricsResponse]:
		u.onRequest(c, m)
	case snapshotTaken:
		u.onSnapshot(c, m)
	case actors.FrameWritten:
		u.onFrameWritten(c, m)
	case actors.StreamClosed:
		u.onStreamClosed(c, m)
	case writerEnded:
		u.do(c, u.state.ended(part{partWriter, uint64(m.stream)}))
	case nodeHealth:
		u.onHealth(c, m)
	case configChecked:
		u.config = m.config
		u.do(c, u.state.nodeHeard(time.Now()))
	case sayGoodbye:
		u.do(c, u.state.goodbye())
	case actors.Tick:
		u.onTick(c, m)
	default:
		unknownMessage(u.log, m)
	}
}

// onStarted starts the one attempt of this uplink.
func (u *uplink) onStarted(c actors.Context) {
	u.ctx, u.cancel = context.WithCancelCause(context.Background())
	v, cfg, runtime := newVoice(u.ctx, u.sys, c), u.cfg, nodeRuntime(u.health, u.cfg.load)
	go func() {
		s, err := connect(v.ctx, cfg, runtime)
		v.tell(connectDone{s, err})
		if err == nil {
			context.AfterFunc(v.ctx, func() {
				_ = s.conn.Close()
				v.tell(connectionClosed{})
			})
		}
	}()
}

func (u *uplink) onTick(c actors.Context, m actors.Tick) {
	switch {
	case u.heartbeat.Fired(m):
		u.do(c, u.state.beat(time.Now()))
	case u.unanswered.Fired(m):
		u.do(c, u.state.unansweredDue(time.Now()))
	case u.retry.Fired(m):
		u.do(c, u.state.retryDue())
	case u.answerDue.Fired(m):
		u.answer(c)
	case u.last.Fired(m):
		u.do(c, u.state.lastDue())
	}
}

func (u *uplink) disarm() {
	for _, t := range []*actors.Timer{&u.heartbeat, &u.unanswered, &u.retry, &u.answerDue, &u.last} {
		t.Disarm()
	}
}

func (u *uplink) do(c actors.Context, effects []uplinkEffect) {
	for _, e := range effects {
		switch e := e.(type) {
		case announce:
			u.sys.Send(u.link, registered{u.generation, u.session.welcome.AgentID})
		case armHeartbeat:
			u.heartbeat.Arm(c, e.after)
		case askHealth:
			actors.Request(c, u.cfg.recorder, readHealth{})
		case sendHeartbeat:
			u.beat(c, e)
		case armUnanswered:
			u.awaitAnswer(c, e.after)
		case openMetrics:
			u.openMetrics(c)
		case armRetry:
			u.retry.Arm(c, e.after)
		case halfClose:
			u.disarm()
			u.registration.halfClose()
			u.metrics.halfClose()
		case armLast:
			u.last.Arm(c, e.after)
		case release:
			u.disarm()
			u.cancel(errReleased)
		case tellOver:
			u.disarm()
			actors.EndReason(c, e.end.why)
			u.sys.Send(u.link, sessionOver{u.generation, e.end, u.health})
		case logUplink:
			logNote(u.log, e.note)
		}
	}
}

func (u *uplink) onConnectDone(c actors.Context, m connectDone) {
	if m.err != nil {
		u.do(c, u.state.connectFailed(endOf(m.err)))
		return
	}
	if u.state.phase != uplinkConnecting { // it is not wanted any more, and closes by itself
		u.do(c, u.state.connected(0, time.Time{}, heartbeatAnswer{}, time.Now()))
		return
	}
	u.session, u.toldConfig = m.session, m.session.registration.Config
	if isBaseline(m.session.welcome) {
		u.baseline = wire.NewBaselineLabels(m.session.registration.Identity())
	}
	u.registration = runStream(newVoice(u.ctx, u.sys, c), m.session.stream, maxQueuedHeartbeats, m.session.cancel)
	u.do(c, u.state.connected(uint64(u.registration.id), m.session.registration.Clock, answerOf(m.session.welcome), m.session.answeredAt))
}

// isBaseline reports whether the proxy is one of the field. Such a proxy stamps no labels
// on samples, and leaves that to the agent.
func isBaseline(w wire.Welcome) bool { return w.Capabilities == messages.Capabilities{} }

// onHealth takes the recorder's word, and goes on to ask how the node is configured:
// then all is known that a heartbeat says.
func (u *uplink) onHealth(c actors.Context, m nodeHealth) {
	u.health = m.health
	if u.cfg.nodeConfig == nil {
		u.do(c, u.state.nodeHeard(time.Now()))
		return
	}
	actors.Request(c, u.cfg.nodeConfig, checkConfig{})
}

// beat sends a heartbeat, with the node's configuration if the proxy does not know that.
func (u *uplink) beat(c actors.Context, e sendHeartbeat) {
	r := u.session.registration
	r.Clock, r.Timing, r.Runtime, r.Config = e.clock, e.timing, nodeRuntime(u.health, u.cfg.load), nil
	if u.config != nil && u.config != u.toldConfig {
		r.Config, u.toldConfig = u.config, u.config
	}
	if !u.registration.offer(wire.RegistrationFrame(r)) {
		u.do(c, u.state.close(sessionEnd{why: "the proxy does not read the heartbeats"}))
	}
}

func (u *uplink) onHeartbeatAnswer(c actors.Context, m actors.Frame[*wire.RegisterAgentResponse]) {
	u.registration.credits.Return()
	u.do(c, u.state.heartbeatAnswered(answerOf(wire.FromWelcome(m.Body)), time.Now()))
}

func answerOf(w wire.Welcome) heartbeatAnswer {
	a := heartbeatAnswer{interval: w.HeartbeatInterval, promised: w.Capabilities.HeartbeatAnswers, clock: w.Clock, echoed: w.EchoedClock}
	if !w.Success {
		a.refusal = refusalText(w)
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

func (u *uplink) openMetrics(c actors.Context) {
	v, s := newVoice(u.ctx, u.sys, c), u.session
	ctx, cancel := context.WithCancel(u.ctx)
	go func() {
		stream, err := openMetricsStream(ctx, s)
		if err != nil {
			cancel()
		}
		v.tell(metricsDone{stream, cancel, err})
	}()
}

func (u *uplink) onMetricsDone(c actors.Context, m metricsDone) {
	if m.err != nil {
		fault, end := faultOf(m.err)
		u.do(c, u.state.metricsNotOpened(fault, end, time.Now()))
		return
	}
	if u.state.phase != uplinkLive {
		m.cancel()
		_, effects := u.state.metricsOpened(0, time.Now())
		u.do(c, effects)
		return
	}
	u.metrics = runStream(newVoice(u.ctx, u.sys, c), m.stream, maxAnswerFrames, m.cancel)
	_, effects := u.state.metricsOpened(uint64(u.metrics.id), time.Now())
	u.do(c, effects)
}

func (u *uplink) onStreamClosed(c actors.Context, m actors.StreamClosed) {
	isRegistration := u.registration != nil && m.Stream == u.registration.id
	if isRegistration {
		u.registration.end()
	}
	if u.metrics != nil && m.Stream == u.metrics.id {
		u.metrics.end()
		u.metrics = nil
		u.dropAnswers()
	}
	fault, end := faultOf(m.Err)
	u.do(c, u.state.streamClosed(uint64(m.Stream), isRegistration, fault, end, time.Now()))
}
