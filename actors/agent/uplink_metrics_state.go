package agent

import "time"

// The pace at which a metrics stream comes back.
const (
	// metricsRetryBase is the delay before a broken metrics stream is opened again. It
	// doubles up to metricsRetryCap while no stream brings a request.
	metricsRetryBase = 100 * time.Millisecond
	metricsRetryCap  = 5 * time.Second
	// metricsRetryLong is the delay where the proxy does not know metrics streams.
	metricsRetryLong = time.Minute
)

// streamFault is why a metrics stream is not there.
type streamFault uint8

// A session that the proxy does not know is over; a proxy that does not serve metrics
// streams may do so one day.
const (
	faultBroken streamFault = iota
	faultSessionUnknown
	faultUnimplemented
)

// openStream opens a metrics stream. There is none, and none is being opened.
func (s *uplinkState) openStream() []uplinkEffect {
	s.opening = true
	s.started(part{what: partOpener})
	return []uplinkEffect{openMetrics{}}
}

// metricsOpened takes a metrics stream. If it is not wanted any more, the caller
// drops it.
func (s *uplinkState) metricsOpened(stream uint64, now time.Time) (wanted bool, effects []uplinkEffect) {
	if s.phase != uplinkLive || !s.opening {
		return false, s.ended(part{what: partOpener})
	}
	delete(s.open, part{what: partOpener})
	s.started(part{partReader, stream})
	s.started(part{partWriter, stream})
	s.opening, s.metrics, s.metricsAt = false, stream, now
	return true, nil
}

// metricsNotOpened takes note that there is no metrics stream.
func (s *uplinkState) metricsNotOpened(fault streamFault, end sessionEnd, now time.Time) []uplinkEffect {
	s.opening = false
	effects := s.ended(part{what: partOpener})
	if s.phase != uplinkLive {
		return effects
	}
	return append(effects, s.metricsLost(fault, end, now)...)
}

// metricsUsed takes note of a request on the metrics stream.
func (s *uplinkState) metricsUsed() { s.retry = metricsRetryBase }

func (s *uplinkState) metricsLost(fault streamFault, end sessionEnd, now time.Time) []uplinkEffect {
	if fault == faultSessionUnknown {
		return s.close(end)
	}
	if s.unserved.met(end.why, now) {
		s.untold = &note{warn: true, text: "the metrics stream broke, and is opened again", cause: end.why}
	}
	if fault == faultUnimplemented {
		return []uplinkEffect{armRetry{metricsRetryLong}}
	}
	delay := s.retry
	s.retry = min(2*s.retry, metricsRetryCap)
	return []uplinkEffect{armRetry{delay}}
}

// retryDue takes note that the metrics stream is to be opened again.
func (s *uplinkState) retryDue() []uplinkEffect {
	if s.phase != uplinkLive || s.metrics != 0 || s.opening {
		return nil
	}
	effects := s.openStream()
	if s.untold != nil {
		effects = append(effects, logUplink{*s.untold})
		s.untold = nil
	}
	return effects
}
