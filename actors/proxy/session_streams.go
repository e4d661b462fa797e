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
	s.deliverFailures(lost...)
	for _, r := range send {
		s.send(c, r)
	}
	actors.Reply(c, attached{})
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
		s.cfg.counters.frameDropped(frameTooLarge)
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
	s.deliverFailures(s.state.detach(why, time.Now())...)
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
	s.deliverFailures(s.state.end(why)...)
	s.sys.Send(s.registry, sessionEnded{agentID: s.agentID, goodbye: reason == endedGoodbye, why: why})
	s.registration.close(err)
	s.metrics.close(err)
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
