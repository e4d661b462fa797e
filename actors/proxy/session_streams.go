package proxy

import (
	"errors"
	"io"
	"time"

	"fodc/actors"

	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

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
	s.decoder.Renew(s.state.dictionary)
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

func (s *session) onStreamClosed(c actors.Context, m actors.StreamClosed) {
	delete(s.readers, m.Stream)
	delete(s.held, m.Stream)
	switch {
	case s.ending:
		s.stopWhenAlone(c)
	case m.Stream == s.registration.id && errors.Is(m.Err, io.EOF):
		s.finish(c, endedGoodbye, "goodbye", nil)
	case m.Stream == s.registration.id:
		s.finish(c, endedLost, lossOf(m.Err), errLost)
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
		s.cfg.tally.frameRejected(rejectedTooLarge)
		s.cfg.peers.error(logTooLarge, s.log, "an answer is larger than a message may be: raise --grpc-max-msg-size",
			zap.Int("grpc_max_msg_size", s.cfg.MaxMessageSize), zap.String("error", status.Convert(err).Message()))
		s.metrics.close(err)
	case errors.Is(err, errBroken):
		s.cfg.peers.warn(logBrokenFrame, s.log, "the agent sent a broken frame: its metrics stream is ended")
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
func (s *session) finish(c actors.Context, reason endReason, why string, err error) {
	if s.ending {
		return
	}
	s.ending = true
	s.cfg.tally.sessionEnded(reason)
	actors.EndReason(c, why)
	s.deliver(s.state.end(why)...)
	s.sys.Send(s.registry, sessionEnded{agentID: s.agentID, goodbye: reason == endedGoodbye, why: why})
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
