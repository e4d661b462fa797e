package proxy

import (
	"time"

	"fodc/actors"
	"fodc/messages"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
)

// questionStream is a stream on which the proxy asks.
type questionStream = stream[proto.Message]

// channel is one of the streams on which a session asks: the stream while there is one, and the
// requests for it.
type channel struct {
	kind     messages.Stream
	protocol protocol
	state    *channelState
	stream   *questionStream // nil: not attached
	timer    actors.Timer    // of what the state waits for
}

func newChannel(kind messages.Stream, p protocol) *channel {
	return &channel{kind: kind, protocol: p, state: newChannelState(p.rules(), time.Now())}
}

// newChannels returns the channels of a session.
func (s *session) newChannels() []*channel {
	all := []*channel{newChannel(messages.StreamMetrics, newMetricsProtocol(s.capabilities, s.cfg, s.log))}
	for _, kind := range []messages.Stream{messages.StreamTopology, messages.StreamLifecycle, messages.StreamCrashes,
		messages.StreamProfiles, messages.StreamSchema, messages.StreamIncidents} {
		// Agents of the field have no stream of incidents.
		native := s.capabilities.StreamAnswers || kind == messages.StreamIncidents
		all = append(all, newChannel(kind, partsProtocol{kind: kind, native: native, agentID: s.agentID}))
	}
	return all
}

// channel returns the channel of the kind, nil if there is none.
func (s *session) channel(kind messages.Stream) *channel {
	for _, ch := range s.channels {
		if ch.kind == kind {
			return ch
		}
	}
	return nil
}

// channelOf returns the channel that has the stream, nil if none has.
func (s *session) channelOf(id actors.StreamID) *channel {
	for _, ch := range s.channels {
		if ch.stream != nil && ch.stream.id == id {
			return ch
		}
	}
	return nil
}

func (s *session) onAsk(c actors.Context, m ask) {
	if s.ending {
		s.sys.Send(c.Sender(), answerFailure{agentID: s.agentID, reason: messages.MissingError})
		return
	}
	ch := s.channel(streamOf(m.question))
	if ch == nil {
		s.sys.Send(c.Sender(), answerFailure{agentID: s.agentID, reason: messages.MissingUnserved})
		return
	}
	send, missing := ch.state.ask(m, time.Now())
	ch.settle()
	if missing != messages.MissingNone {
		s.sys.Send(c.Sender(), answerFailure{agentID: s.agentID, reason: missing})
		return
	}
	s.collections[m.collectionID] = c.Sender()
	s.send(c, ch, send)
}

// streamOf returns the stream on which a question is asked.
func streamOf(q messages.Question) messages.Stream {
	if q == nil {
		return messages.StreamMetrics
	}
	return q.Stream()
}

// send queues requests. If the queue is full, the agent does not read, and the session ends.
// A stream that has ended, or on which a write has failed, accepts nothing either; then the
// StreamClosed that is on its way fails the requests.
func (s *session) send(c actors.Context, ch *channel, requests []sending) {
	for _, r := range requests {
		switch {
		case ch.stream.out.Offer(ch.protocol.question(r)), ch.stream.ctx.Err() != nil:
		case ch.stream.out.Err() != nil:
			ch.stream.close(errLost)
		default:
			s.finish(c, endedUnread, "the agent does not read its requests", errStuck)
			return
		}
	}
	ch.arm(c)
}

// settle returns the credits of the frames that are not held any more.
func (ch *channel) settle() {
	for range ch.state.takeFreed() {
		if ch.stream != nil {
			ch.stream.credits.Return()
		}
	}
}

// arm arms the timer if the state waits for something.
func (ch *channel) arm(c actors.Context) {
	if due := ch.state.due(); !due.IsZero() {
		ch.timer.Arm(c, time.Until(due))
	}
}

func (s *session) onChannelTick(c actors.Context, ch *channel) {
	ended, send := ch.state.tick(time.Now())
	ch.settle()
	s.deliver(ended...)
	s.send(c, ch, send)
}

// deliver tells collections that their answers have ended, or will not come.
func (s *session) deliver(ends ...delivery) {
	for _, d := range ends {
		to := s.collections[d.collectionID]
		delete(s.collections, d.collectionID)
		if d.missing == messages.MissingNone {
			s.sys.Send(to, answerChunk{agentID: s.agentID, last: true})
			continue
		}
		s.log.Debug("no answer", zap.Uint64("collection", d.collectionID), zap.String("reason", d.why))
		s.sys.Send(to, answerFailure{agentID: s.agentID, reason: d.missing, said: d.said})
	}
}
