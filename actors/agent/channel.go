package agent

import (
	"context"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// channel is one of the streams of a session on which the proxy asks and the agent answers. It is
// opened again when it has failed.
type channel struct {
	of        messages.Stream
	method    string
	stream    *stream[proto.Message] // nil: there is none
	responder responder
	retry     actors.Timer
}

// responder answers what a proxy asks on a channel. It lives as long as the session. Its methods are
// called by the uplink.
type responder interface {
	// opened begins with a new stream, closed drops what is unanswered on one that has ended.
	opened(s *stream[proto.Message])
	closed()
	// asked takes a question. It returns the stream's credit when the next one may be read.
	asked(c actors.Context, frame proto.Message)
	// written says that the transport has accepted a frame.
	written(c actors.Context)
	// tick handles a tick of one of its timers, and disarm disarms them: nothing more is answered.
	tick(c actors.Context, m actors.Tick)
	disarm()
}

// channelDone is the result of the goroutine that opens a channel.
type channelDone struct {
	of     messages.Stream
	stream questions
	cancel context.CancelFunc
	err    error
}

// questions is the agent's end of a channel's stream.
type questions struct {
	grpc.ClientStream
	of messages.Stream
}

func (q questions) Send(frame proto.Message) error { return q.SendMsg(frame) }

func (q questions) Recv() (proto.Message, error) {
	var frame proto.Message = &wire.StreamMetricsResponse{}
	if q.of != messages.StreamMetrics {
		frame = wire.NewQuestionFrame(q.of)
	}
	return frame, q.RecvMsg(frame)
}

// maxQueuedFrames bounds the queue of a channel's writer: an error may take two frames.
const maxQueuedFrames = maxAnswerFrames + 1

// channelMethods are the methods of the channels, in the order in which they are opened.
var channelMethods = []struct {
	of   messages.Stream
	name string
}{
	{messages.StreamMetrics, wire.FODCService_StreamMetrics_FullMethodName},
	{messages.StreamTopology, wire.FODCService_StreamClusterTopology_FullMethodName},
	{messages.StreamLifecycle, wire.FODCService_StreamLifecycle_FullMethodName},
	{messages.StreamCrashes, wire.FODCService_StreamCrashDiagnostics_FullMethodName},
	{messages.StreamProfiles, wire.FODCService_StreamPressureProfiles_FullMethodName},
	{messages.StreamSchema, wire.FODCService_StreamSchemaRegistry_FullMethodName},
	{messages.StreamIncidents, wire.FODCService_StreamIncidents_FullMethodName},
}

// withoutBaseline says that no proxy of the field has the stream, and that its frames have no form without
// request ids.
func withoutBaseline(of messages.Stream) bool { return of == messages.StreamIncidents }

// newChannels returns the channels of a session: that of metrics, and those that there is a source for.
func newChannels(u *uplink) (all []*channel, streams []messages.Stream) {
	for _, method := range channelMethods {
		ch := &channel{of: method.of, method: method.name}
		source, ok := u.cfg.sources[ch.of]
		switch {
		case ch.of == messages.StreamMetrics:
			ch.responder = u.metrics
		case ok:
			ch.responder = newQuestionResponder(u, ch.of, source)
		default:
			continue
		}
		all, streams = append(all, ch), append(streams, ch.of)
	}
	return all, streams
}

// openQuestions opens the stream of a channel on the session's connection. A rejection shows when the
// stream is read.
func (ch *channel) openQuestions(ctx context.Context, s *session) (questions, error) {
	g, err := s.conn.NewStream(metadata.AppendToOutgoingContext(ctx, "agent_id", s.welcome.Key),
		&grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, ch.method, grpc.StaticMethod())
	return questions{g, ch.of}, err
}

// channel returns the session's channel.
func (u *uplink) channel(of messages.Stream) *channel {
	for _, ch := range u.channels {
		if ch.of == of {
			return ch
		}
	}
	return nil
}

// channelWith returns the channel that has the stream now, nil if none has.
func (u *uplink) channelWith(id actors.StreamID) *channel {
	for _, ch := range u.channels {
		if ch.stream != nil && ch.stream.id == id {
			return ch
		}
	}
	return nil
}

func (u *uplink) openChannel(c actors.Context, of messages.Stream) {
	self, s, ch := newSender(u.ctx, u.sys, c), u.session, u.channel(of)
	ctx, cancel := context.WithCancel(u.ctx)
	go func() {
		var stream questions
		err := recovered(self.sys.Log(), "opening a stream", func() (err error) {
			stream, err = ch.openQuestions(ctx, s)
			return err
		})
		if err != nil {
			cancel()
		}
		self.send(channelDone{of, stream, cancel, err})
	}()
}

func (u *uplink) onChannelDone(c actors.Context, m channelDone) {
	if m.err != nil {
		failure, end := failureOf(m.of, m.err)
		u.do(c, u.state.channelNotOpened(m.of, failure, end, time.Now()))
		return
	}
	if u.state.phase != uplinkLive {
		m.cancel()
		_, effects := u.state.channelOpened(m.of, 0, time.Now())
		u.do(c, effects)
		return
	}
	ch := u.channel(m.of)
	ch.stream = runStream(newSender(u.ctx, u.sys, c), m.stream, maxQueuedFrames, m.cancel)
	ch.responder.opened(ch.stream)
	_, effects := u.state.channelOpened(m.of, uint64(ch.stream.id), time.Now())
	u.do(c, effects)
}

// onQuestion passes a question on. One on a stream that was replaced is dropped, because its answer
// could not be sent.
func (u *uplink) onQuestion(c actors.Context, m actors.Frame[proto.Message]) {
	if ch := u.channelWith(m.Stream); ch != nil {
		u.state.channelUsed(ch.of)
		ch.responder.asked(c, m.Body)
	}
}

func (u *uplink) onFrameWritten(c actors.Context, m actors.FrameWritten) {
	if ch := u.channelWith(m.Stream); ch != nil {
		ch.responder.written(c)
	}
}

func (u *uplink) onChannelTick(c actors.Context, m actors.Tick) {
	for _, ch := range u.channels {
		if ch.retry.Fired(m) {
			u.do(c, u.state.retryDue(ch.of))
			return
		}
		ch.responder.tick(c, m)
	}
}

// end ends the channel's stream, and drops what is unanswered on it.
func (ch *channel) end() {
	ch.stream.end()
	ch.stream = nil
	ch.responder.closed()
}

// onAnswerFrame and onAnswerEnded pass on what the goroutine of an answer has to say.
func (u *uplink) onAnswerFrame(c actors.Context, m answerFrame) {
	u.channel(m.of).responder.(*questionResponder).onFrame(c, m)
}

func (u *uplink) onAnswerEnded(c actors.Context, m answerEnded) {
	u.channel(m.of).responder.(*questionResponder).onEnded(c, m)
	u.do(c, u.state.ended(part{what: partAnswer, of: m.of, stream: m.seq}))
}
