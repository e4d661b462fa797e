package proxy

import (
	"errors"
	"io"
	"time"

	"fodc/actors"
	"fodc/messages"

	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func (s *session) onAttach(c actors.Context, m attach) {
	if s.ending {
		m.stream.close(errLost)
		actors.Reply(c, errUnknownID)
		return
	}
	ch := s.channel(m.kind)
	ch.stream.close(errNewStream)
	ch.stream = m.stream
	s.readers[m.stream.id] = struct{}{}
	ch.protocol.attached()
	lost, send := ch.state.attach(time.Now())
	s.deliver(lost...)
	s.send(c, ch, send)
	actors.Reply(c, attached{})
	switch m.kind {
	case messages.StreamCrashes:
		s.notifyCrashes(crashesAttached{agentID: s.agentID, identity: s.identity})
	case messages.StreamIncidents:
		s.notifyIncidents(incidentsAttached{agentID: s.agentID, identity: s.identity, offset: s.offset})
	}
}

func (s *session) onAttachDrained(c actors.Context, m attachDrained) {
	switch {
	case s.ending:
		actors.Reply(c, errUnknownID)
	case len(s.drained) >= maxDrainedStreams:
		actors.Reply(c, status.Errorf(codes.ResourceExhausted, "the session has %d further streams, at most %d are allowed",
			len(s.drained), maxDrainedStreams))
	default:
		s.drained[m.stream.id] = m.stream
		s.readers[m.stream.id] = struct{}{}
		actors.Reply(c, attached{})
	}
}

func (s *session) onStreamClosed(c actors.Context, m actors.StreamClosed) {
	delete(s.readers, m.Stream)
	delete(s.drained, m.Stream)
	switch {
	case s.ending:
		s.stopWhenReadersEnded(c)
	case m.Stream == s.registration.id && errors.Is(m.Err, io.EOF):
		s.finish(c, endedGoodbye, "goodbye", nil)
	case m.Stream == s.registration.id:
		s.finish(c, endedLost, lossReason(m.Err), errLost)
	default:
		if ch := s.channelOf(m.Stream); ch != nil {
			s.onChannelLost(c, ch, m.Err)
		}
	}
}

func (s *session) onChannelLost(c actors.Context, ch *channel, err error) {
	why := "the stream ended: " + status.Convert(err).Message()
	kind := zap.String("stream", string(ch.kind))
	switch {
	case errors.Is(err, io.EOF):
		why = "the agent ended the stream"
		ch.stream.close(nil)
	case status.Code(err) == codes.ResourceExhausted:
		s.cfg.counters.frameDropped(frameTooLarge)
		s.cfg.peers.error(logTooLarge, s.log, "an answer is larger than a message may be: raise --grpc-max-msg-size", kind,
			zap.Int("grpc_max_msg_size", s.cfg.MaxMessageSize), zap.String("error", status.Convert(err).Message()))
		ch.stream.close(err)
	case errors.Is(err, errBroken):
		s.cfg.peers.warn(logBrokenFrame, s.log, "the agent sent a broken frame: its stream is ended", kind)
		ch.stream.close(err)
	default:
		ch.stream.close(errLost)
	}
	ch.stream = nil
	s.deliver(ch.state.detach(why, !errors.Is(err, io.EOF), time.Now())...)
	ch.arm(c)
}

// finish ends the session, once. It fails the requests under way and ends the streams. The
// actor stops when the readers have ended and the registry has acknowledged the end: the
// Terminated of an actor would overtake its sessionEnded.
func (s *session) finish(c actors.Context, reason endReason, why string, err error) {
	if s.ending {
		return
	}
	s.ending = true
	s.cfg.counters.sessionEnded(reason)
	actors.EndReason(c, why)
	for _, ch := range s.channels {
		s.deliver(ch.state.end(why)...)
	}
	s.sys.Send(s.registry, sessionEnded{agentID: s.agentID, goodbye: reason == endedGoodbye, why: why})
	s.registration.close(err)
	for _, ch := range s.channels {
		ch.stream.close(err)
	}
	for _, h := range s.drained {
		h.close(err)
	}
	s.grace.Arm(c, readersGrace)
}

func (s *session) stopWhenReadersEnded(c actors.Context) {
	if s.endAcknowledged && len(s.readers) == 0 {
		s.sys.StopAsync(c.Self())
	}
}
