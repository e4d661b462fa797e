package proxy

import (
	"slices"
	"time"

	"fodc/messages"
)

// Limits of one channel.
const (
	// maxRequestsUnderWay bounds the requests that an agent has not answered.
	maxRequestsUnderWay = 64
	// minOwed is how long an agent may take for an answer, in any case, before no more is asked of
	// it: a request in a hurry, such as a query that has waited for its turn, says nothing about it.
	minOwed = 500 * time.Millisecond
	// streamGrace is how long a session may have no stream of a kind before the requests for it
	// fail. Until then they wait for one.
	streamGrace = 2 * time.Second
)

// channelState decides for one channel of a session: which requests are under way, and which request
// a frame answers. An agent answers in the order of the requests. A request id in a frame takes
// precedence over the order.
//
// A request that is cancelled or whose deadline has passed stays in the queue until it is
// answered. Otherwise its answer would be matched with the next request.
type channelState struct {
	rules    channelRules
	attached bool
	// detachedAt is when the newest stream ended, or the session began.
	detachedAt time.Time
	// wasLost says that the newest stream has broken: that the agent has no such stream would not be true.
	wasLost     bool
	lastID      uint64
	requests    []*request // not answered yet, oldest first
	unsolicited int
	heardAt     time.Time // when the newest request was sent, or the newest frame has come
	freed       int       // the frames that were held, and are not any more
}

// channelRules is what differs between the channels of a session.
type channelRules struct {
	// missing is why a question is not answered if there is no stream.
	missing messages.MissingReason
	// maxCount bounds what an answer consists of, whose name is counted. maxBytes bounds its memory.
	maxCount int
	counted  string
	maxBytes int
	// maxUnsolicited bounds the frames in a row that answer no request. Unless unsolicited ones are
	// kept, they are dropped.
	maxUnsolicited  int
	keepUnsolicited bool
	// quiet is how long nothing comes after an answer. If it is not 0, no frame says that it is the
	// last one, and there is one request at a time.
	quiet time.Duration
	// forget is how long after its deadline, and after the newest part of it, the answer to a request is
	// still expected; 0 is for ever. Until then nothing more is asked.
	forget time.Duration
	// pieces says that the agent sends no more of a file than was asked for.
	pieces bool
}

type request struct {
	ask
	id        uint64
	sent      bool
	sentAt    time.Time
	heardAt   time.Time // when the newest frame of its answer has come
	cancelled bool      // no collection waits for the answer
	oversized bool
	count     int // of samples or parts
	bytes     int
	series    seriesCount
	holding   int // the frames that are not consumed yet, see channelState.consumed
}

func newChannelState(rules channelRules, now time.Time) *channelState {
	return &channelState{rules: rules, detachedAt: now}
}

// sending is a request to be sent now.
type sending struct {
	ask
	id       uint64
	timeLeft time.Duration
}

// delivery is what the session sends to a collection: a chunk of the answer, or a failure.
type delivery struct {
	collectionID uint64
	missing      messages.MissingReason // MissingNone: a chunk of the answer
	last         bool
	why          string
	said         string // the agent's own error
}

// ask adds a request. It returns the requests to be sent, of which there is none while the new one has to
// wait, or the reason why the agent is not asked.
func (s *channelState) ask(a ask, now time.Time) ([]sending, messages.MissingReason) {
	s.dropUnneeded(now)
	switch {
	case !now.Before(a.deadline):
		return nil, messages.MissingTimeout
	case !s.attached && now.Sub(s.detachedAt) >= streamGrace:
		return nil, s.missing()
	case len(s.requests) >= maxRequestsUnderWay, s.owesOverdue(now):
		return nil, messages.MissingBusy
	}
	s.lastID++
	s.requests = append(s.requests, &request{ask: a, id: s.lastID})
	return s.send(now), messages.MissingNone
}

// missing is why a question is not answered while there is no stream.
func (s *channelState) missing() messages.MissingReason {
	if s.wasLost {
		return messages.MissingUnconnected
	}
	return s.rules.missing
}

// send marks the requests as sent that can be sent now, and returns them.
func (s *channelState) send(now time.Time) (out []sending) {
	for i, r := range s.requests {
		if !s.attached || i > 0 && s.rules.quiet > 0 {
			break
		}
		if !r.sent {
			r.sent, r.sentAt, s.heardAt = true, now, now
			out = append(out, sending{ask: r.ask, id: r.id, timeLeft: r.deadline.Sub(now)})
		}
	}
	return out
}

// owesOverdue reports whether a sent request is unanswered although its deadline, and minOwed, have
// passed.
func (s *channelState) owesOverdue(now time.Time) bool {
	return slices.ContainsFunc(s.requests, func(r *request) bool {
		return r.sent && !now.Before(r.deadline) && now.Sub(r.sentAt) >= minOwed
	})
}

// dropUnneeded drops the requests that are not needed any more and were not sent, and those whose
// answer is not expected any more.
func (s *channelState) dropUnneeded(now time.Time) {
	s.requests = slices.DeleteFunc(s.requests, func(r *request) bool {
		if !r.sent {
			return !r.isAwaited(now)
		}
		if s.rules.forget == 0 || now.Sub(r.deadline) < s.rules.forget || now.Sub(r.heardAt) < s.rules.forget {
			return false
		}
		s.free(r)
		return true
	})
}

// cancel marks the requests of a collection as cancelled.
func (s *channelState) cancel(collectionID uint64) {
	for _, r := range s.requests {
		if r.collectionID == collectionID {
			r.cancelled = true
			s.free(r)
		}
	}
}

// due returns when tick is to be called; zero if it need not be.
func (s *channelState) due() time.Time {
	switch {
	case len(s.requests) == 0:
		return time.Time{}
	case !s.attached:
		return s.detachedAt.Add(streamGrace)
	case s.rules.quiet > 0:
		return s.heardAt.Add(s.rules.quiet)
	default:
		return time.Time{}
	}
}

// tick fails the requests that have waited for a stream for too long, or ends an answer after
// which nothing has come.
func (s *channelState) tick(now time.Time) (ended []delivery, send []sending) {
	over := s.due()
	switch {
	case over.IsZero() || now.Before(over):
		return nil, nil
	case !s.attached:
		ended = s.fail("the agent has no such stream", func(*request) bool { return true })
		for i := range ended {
			ended[i].missing = s.missing()
		}
		return ended, nil
	}
	if r := s.requests[0]; r.sent {
		if r.isAwaited(now) {
			ended = []delivery{{collectionID: r.collectionID, last: true}}
		}
		s.requests = slices.Delete(s.requests, 0, 1)
	}
	s.dropUnneeded(now)
	return ended, s.send(now)
}

// attach records a new stream, which replaces the former one. The requests that were sent on the
// former one fail. Those that wait are sent on the new one.
func (s *channelState) attach(now time.Time) (lost []delivery, send []sending) {
	lost = s.detach("the stream was replaced", true, now)
	s.attached, s.freed = true, 0
	s.dropUnneeded(now)
	return lost, s.send(now)
}

// detach records the end of the stream, which has broken or was ended by the agent. The requests that were
// sent on it fail.
func (s *channelState) detach(why string, broken bool, now time.Time) []delivery {
	if !s.attached {
		return nil
	}
	s.attached, s.detachedAt, s.wasLost, s.unsolicited = false, now, broken, 0
	return s.fail(why, func(r *request) bool { return r.sent })
}

// end records the end of the session. All requests fail.
func (s *channelState) end(why string) []delivery {
	s.attached = false
	return s.fail(why, func(*request) bool { return true })
}

func (s *channelState) fail(why string, which func(*request) bool) []delivery {
	var lost []delivery
	s.requests = slices.DeleteFunc(s.requests, func(r *request) bool {
		if !which(r) {
			return false
		}
		if !r.cancelled {
			lost = append(lost, delivery{collectionID: r.collectionID, missing: messages.MissingError, last: true, why: why})
		}
		return true
	})
	return lost
}
