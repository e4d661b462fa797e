package agent

import "time"

// Delays before a metrics stream is opened again.
const (
	// metricsRetryBase is the first delay after a metrics stream has failed. It doubles, up to
	// metricsRetryCap, until a request comes on a stream.
	metricsRetryBase = 100 * time.Millisecond
	metricsRetryCap  = 5 * time.Second
	// metricsRetryLong is the delay if the proxy does not implement metrics streams.
	metricsRetryLong = time.Minute
)

// streamFailure is why a metrics stream is not there.
type streamFailure uint8

// A session that the proxy does not know is over. A proxy that does not implement metrics
// streams may be upgraded behind the same address.
const (
	streamBroken streamFailure = iota
	sessionUnknown
	streamUnimplemented
)

// openStream opens a metrics stream. There is none, and none is being opened.
func (s *uplinkState) openStream() []uplinkEffect {
	s.opening = true
	s.started(part{what: partOpener})
	return []uplinkEffect{openMetrics{}}
}

// metricsOpened takes an open metrics stream. If it is not wanted any more, the caller closes
// it.
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

// metricsNotOpened records that a metrics stream could not be opened.
func (s *uplinkState) metricsNotOpened(failure streamFailure, end sessionEnd, now time.Time) []uplinkEffect {
	s.opening = false
	effects := s.ended(part{what: partOpener})
	if s.phase != uplinkLive {
		return effects
	}
	return append(effects, s.metricsLost(failure, end, now)...)
}

// metricsUsed records a request on the metrics stream.
func (s *uplinkState) metricsUsed() { s.retry = metricsRetryBase }

func (s *uplinkState) metricsLost(failure streamFailure, end sessionEnd, now time.Time) []uplinkEffect {
	if failure == sessionUnknown {
		return s.close(end)
	}
	if s.metricsFailure.record(end.why, now) {
		s.deferredLog = &logEntry{warn: true, text: "the metrics stream broke, and is opened again", cause: end.why}
	}
	if failure == streamUnimplemented {
		return []uplinkEffect{armRetry{metricsRetryLong}}
	}
	delay := s.retry
	s.retry = min(2*s.retry, metricsRetryCap)
	return []uplinkEffect{armRetry{delay}}
}

// retryDue opens the metrics stream again.
func (s *uplinkState) retryDue() []uplinkEffect {
	if s.phase != uplinkLive || s.metrics != 0 || s.opening {
		return nil
	}
	effects := s.openStream()
	if s.deferredLog != nil {
		effects = append(effects, logUplink{*s.deferredLog})
		s.deferredLog = nil
	}
	return effects
}
