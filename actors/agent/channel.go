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
	newFrame func() proto.Message
}

func (q questions) Send(frame proto.Message) error { return q.SendMsg(frame) }

func (q questions) Recv() (proto.Message, error) {
	frame := q.newFrame()
	return frame, q.RecvMsg(frame)
}

// channelMethods are the methods of the channels, and what a proxy asks on them.
var channelMethods = map[messages.Stream]struct {
	name     string
	newFrame func() proto.Message
}{
	messages.StreamMetrics: {wire.FODCService_StreamMetrics_FullMethodName, func() proto.Message { return &wire.StreamMetricsResponse{} }},
}

// openQuestions opens the stream of a channel on the session's connection. A rejection shows when the
// stream is read.
func openQuestions(ctx context.Context, s *session, of messages.Stream) (questions, error) {
	method := channelMethods[of]
	g, err := s.conn.NewStream(metadata.AppendToOutgoingContext(ctx, "agent_id", s.welcome.Key),
		&grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method.name, grpc.StaticMethod())
	return questions{g, method.newFrame}, err
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
	self, s := newSender(u.ctx, u.sys, c), u.session
	ctx, cancel := context.WithCancel(u.ctx)
	go func() {
		stream, err := openQuestions(ctx, s, of)
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
	ch.stream = runStream(newSender(u.ctx, u.sys, c), m.stream, maxAnswerFrames, m.cancel)
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
