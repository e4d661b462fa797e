package agent

import (
	"time"

	"fodc/messages"
)

// Delays before a channel is opened again.
const (
	// channelRetryBase is the first delay after a channel has failed. It doubles, up to
	// channelRetryCap, until a question comes on it.
	channelRetryBase = 100 * time.Millisecond
	channelRetryCap  = 5 * time.Second
	// channelRetryLong is the delay if the proxy does not serve the channel.
	channelRetryLong = time.Minute
)

// channelState is one of the streams of a session on which the proxy asks and the agent answers.
type channelState struct {
	of      messages.Stream
	stream  uint64    // 0: there is none
	since   time.Time // of the stream
	opening bool
	retry   time.Duration
	failure failureLog
	// deferredLog is written when the channel is opened again. If the session ends before, the
	// stream failed because of that, and the link logs it.
	deferredLog *logEntry
}

// streamFailure is why a channel's stream is not there.
type streamFailure uint8

// A session that the proxy does not know is over. A proxy that does not serve a channel may be
// upgraded behind the same address.
const (
	streamBroken streamFailure = iota
	sessionUnknown
	streamUnserved
)

func newChannelStates(streams []messages.Stream) []*channelState {
	var all []*channelState
	for _, of := range streams {
		all = append(all, &channelState{of: of, retry: channelRetryBase})
	}
	return all
}

// channel returns the session's channel.
func (s *uplinkState) channel(of messages.Stream) *channelState {
	for _, ch := range s.channels {
		if ch.of == of {
			return ch
		}
	}
	return nil
}

// openChannel opens a channel. It has no stream, and none is being opened.
func (s *uplinkState) openChannel(ch *channelState) []uplinkEffect {
	ch.opening = true
	s.started(part{what: partOpener, of: ch.of})
	return []uplinkEffect{openChannel{ch.of}}
}

// channelOpened takes the stream of a channel. If it is not wanted any more, the caller closes it.
func (s *uplinkState) channelOpened(of messages.Stream, stream uint64, now time.Time) (wanted bool, effects []uplinkEffect) {
	ch, opener := s.channel(of), part{what: partOpener, of: of}
	if s.phase != uplinkLive || !ch.opening {
		return false, s.ended(opener)
	}
	delete(s.open, opener)
	s.started(part{what: partReader, stream: stream})
	s.started(part{what: partWriter, stream: stream})
	ch.opening, ch.stream, ch.since = false, stream, now
	return true, nil
}

// channelNotOpened records that a channel could not be opened.
func (s *uplinkState) channelNotOpened(of messages.Stream, failure streamFailure, end sessionEnd, now time.Time) []uplinkEffect {
	ch := s.channel(of)
	ch.opening = false
	effects := s.ended(part{what: partOpener, of: of})
	if s.phase != uplinkLive {
		return effects
	}
	return append(effects, s.channelLost(ch, failure, end, now)...)
}

// channelUsed records a question on the channel.
func (s *uplinkState) channelUsed(of messages.Stream) { s.channel(of).retry = channelRetryBase }

func (s *uplinkState) channelLost(ch *channelState, failure streamFailure, end sessionEnd, now time.Time) []uplinkEffect {
	if failure == sessionUnknown {
		return s.close(end)
	}
	if ch.failure.record(end.why, now) {
		ch.deferredLog = ch.failureEntry(failure, end)
	}
	if failure == streamUnserved {
		return []uplinkEffect{armRetry{ch.of, channelRetryLong}}
	}
	delay := ch.retry
	ch.retry = min(2*ch.retry, channelRetryCap)
	return []uplinkEffect{armRetry{ch.of, delay}}
}

// failureEntry returns what the log says of a failure. Every proxy serves metrics; one that does not
// serve another channel is older than the agent, or another's.
func (ch *channelState) failureEntry(failure streamFailure, end sessionEnd) *logEntry {
	if failure == streamUnserved && ch.of != messages.StreamMetrics {
		return &logEntry{text: "the proxy does not serve the " + string(ch.of) + " stream, which is tried again from time to time", cause: end.why}
	}
	return &logEntry{warn: true, text: "the " + string(ch.of) + " stream broke, and is opened again", cause: end.why}
}

// retryDue opens a channel again.
func (s *uplinkState) retryDue(of messages.Stream) []uplinkEffect {
	ch := s.channel(of)
	if s.phase != uplinkLive || ch.stream != 0 || ch.opening {
		return nil
	}
	effects := s.openChannel(ch)
	if ch.deferredLog != nil {
		effects = append(effects, logUplink{*ch.deferredLog})
		ch.deferredLog = nil
	}
	return effects
}

// channelsStable ends the failures of the channels whose streams have lived for stableAfter.
func (s *uplinkState) channelsStable(now time.Time) (effects []uplinkEffect) {
	for _, ch := range s.channels {
		if ch.stream == 0 || now.Sub(ch.since) < stableAfter {
			continue
		}
		if lasted, times, was := ch.failure.end(now); was {
			effects = append(effects, logUplink{logEntry{text: "the " + string(ch.of) + " stream works again", lasted: lasted, times: times}})
		}
	}
	return effects
}

// streamless takes its stream from the channel that has it, and returns the channel; nil if none has.
func (s *uplinkState) streamless(stream uint64) *channelState {
	for _, ch := range s.channels {
		if ch.stream == stream && stream != 0 {
			ch.stream = 0
			return ch
		}
	}
	return nil
}
