package proxy

import (
	"slices"
	"time"

	"fodc/messages"
)

// Limits of one session.
const (
	// maxRequestsUnderWay bounds the requests that an agent has not answered.
	maxRequestsUnderWay = 64
	// minOwed is how long an agent may take for an answer, in any case, before no more is asked of
	// it: a request in a hurry, such as a query that has waited for its turn, says nothing about it.
	minOwed = 500 * time.Millisecond
	// maxUnsolicited bounds the frames in a row that answer no request.
	maxUnsolicited = 16
	// maxAnswerSamples bounds the samples of one answer: ten times those of 3,000 series that
	// are scraped every 10 s for 3 h.
	maxAnswerSamples = 32 << 20
	// maxAnswerBytes bounds the memory of an answer's values and texts: as much for the texts
	// as for maxAnswerSamples values.
	maxAnswerBytes = 2 * valueBytes * maxAnswerSamples
	// metricsStreamGrace is how long a session may have no metrics stream before requests fail.
	// Until then they wait for one.
	metricsStreamGrace = 2 * time.Second
)

// sessionState decides for a session: which requests are under way, and which request a frame
// answers. An agent answers in the order of the requests. A request id in a frame takes
// precedence over the order.
//
// A request that is cancelled or whose deadline has passed stays in the queue until it is
// answered. Otherwise its answer would be matched with the next request.
type sessionState struct {
	columnar bool
	// dictionary is the number of the dictionary that answers may use; 0 if they may use none.
	// It is incremented whenever the proxy has lost the dictionary.
	dictionary uint64
	// losses counts the dictionaries in a row that were lost for an unknown reason.
	losses int
	// maxSeries bounds the series of an answer.
	maxSeries int
	attached  bool
	// detachedAt is when the newest metrics stream ended, or the session began.
	detachedAt  time.Time
	lastID      uint64
	requests    []*request // not answered yet, oldest first
	unsolicited int
}

type request struct {
	id           uint64
	collectionID uint64 // the collection
	selection    messages.Selection
	deadline     time.Time
	sent         bool
	sentAt       time.Time
	cancelled    bool // no collection waits for the answer
	samples      int
	series       seriesCount
	bytes        int
}

func newSessionState(agent messages.Capabilities, maxSeries int, now time.Time) *sessionState {
	s := &sessionState{columnar: agent.ColumnarAnswers, maxSeries: maxSeries, detachedAt: now}
	if agent.ColumnarAnswers && agent.Dictionary {
		s.dictionary = 1
	}
	return s
}

// sending is a request to be sent now.
type sending struct {
	id        uint64
	selection messages.Selection
	timeLeft  time.Duration
	// dictionary is 0 if the answer may use none.
	dictionary uint64
}

// delivery is what the session sends to a collection: a chunk of the answer, or a failure.
type delivery struct {
	collectionID uint64
	missing      messages.MissingReason // MissingNone: a chunk of the answer
	last         bool
	why          string
}

// ask adds a request. It returns the request to be sent, which is nil while there is no metrics
// stream, or the reason why the agent is not asked.
func (s *sessionState) ask(collectionID uint64, sel messages.Selection, deadline, now time.Time) (*sending, messages.MissingReason) {
	s.dropUnsent(now)
	switch {
	case !now.Before(deadline):
		return nil, messages.MissingTimeout
	case !s.attached && now.Sub(s.detachedAt) >= metricsStreamGrace:
		return nil, messages.MissingUnconnected
	case len(s.requests) >= maxRequestsUnderWay, s.owesOverdue(now):
		return nil, messages.MissingBusy
	}
	s.lastID++
	r := &request{id: s.lastID, collectionID: collectionID, selection: sel, deadline: deadline}
	s.requests = append(s.requests, r)
	if !s.attached {
		return nil, messages.MissingNone
	}
	return s.send(r, now), messages.MissingNone
}

// send marks a request as sent. A window is answered without a dictionary: next to its many
// values the descriptions of the series are small, and they differ from block to block.
func (s *sessionState) send(r *request, now time.Time) *sending {
	r.sent, r.sentAt = true, now
	out := &sending{id: r.id, selection: r.selection, timeLeft: r.deadline.Sub(now)}
	if r.selection.Window.IsLatest() {
		out.dictionary = s.dictionary
	}
	return out
}

// owesOverdue reports whether a sent request is unanswered although its deadline, and minOwed, have
// passed.
func (s *sessionState) owesOverdue(now time.Time) bool {
	return slices.ContainsFunc(s.requests, func(r *request) bool {
		return r.sent && !now.Before(r.deadline) && now.Sub(r.sentAt) >= minOwed
	})
}

// dropUnsent drops the requests that are not needed any more and were not sent.
func (s *sessionState) dropUnsent(now time.Time) {
	s.requests = slices.DeleteFunc(s.requests, func(r *request) bool {
		return !r.sent && (r.cancelled || !now.Before(r.deadline))
	})
}

// cancel marks the requests of a collection as cancelled.
func (s *sessionState) cancel(collectionID uint64) {
	for _, r := range s.requests {
		if r.collectionID == collectionID {
			r.cancelled = true
		}
	}
}

// waitDeadline returns until when requests wait for a metrics stream; zero if none waits.
func (s *sessionState) waitDeadline() time.Time {
	if s.attached || len(s.requests) == 0 {
		return time.Time{}
	}
	return s.detachedAt.Add(metricsStreamGrace)
}

// failWaiting fails the requests that wait for a metrics stream if their time is over.
func (s *sessionState) failWaiting(now time.Time) []delivery {
	if over := s.waitDeadline(); over.IsZero() || now.Before(over) {
		return nil
	}
	lost := s.fail("the agent has no metrics stream", func(*request) bool { return true })
	for i := range lost {
		lost[i].missing = messages.MissingUnconnected
	}
	return lost
}

// attach records a new metrics stream, which replaces the former one. The requests that were
// sent on the former one fail. Those that wait are sent on the new one.
func (s *sessionState) attach(now time.Time) (lost []delivery, send []sending) {
	lost = s.detach("the metrics stream was replaced", now)
	s.attached = true
	s.renewDictionary()
	s.dropUnsent(now)
	for _, r := range s.requests {
		send = append(send, *s.send(r, now))
	}
	return lost, send
}

// detach records the end of the metrics stream. The requests that were sent on it fail.
func (s *sessionState) detach(why string, now time.Time) []delivery {
	if !s.attached {
		return nil
	}
	s.attached, s.detachedAt, s.unsolicited = false, now, 0
	return s.fail(why, func(r *request) bool { return r.sent })
}

// end records the end of the session. All requests fail.
func (s *sessionState) end(why string) []delivery {
	s.attached = false
	return s.fail(why, func(*request) bool { return true })
}

func (s *sessionState) fail(why string, which func(*request) bool) []delivery {
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

// frameInfo describes a frame of an answer.
type frameInfo struct {
	requestID uint64 // 0: the oldest request
	more      bool
	errorText string
	samples   int
	bytes     int
	// lost says that the frame refers to a dictionary that is lost.
	lost bool
	// repeated says that the frame was received before.
	repeated bool
}

// decision is what happens with a frame of an answer.
type decision struct {
	// deliver is nil if no collection waits for the frame.
	deliver *delivery
	// flood says that more than maxUnsolicited frames in a row answered no request.
	flood bool
	// dropped says why the frame goes into no collection.
	dropped frameDropReason
}

// answered matches a frame with its request and decides what happens with it.
func (s *sessionState) answered(f frameInfo, now time.Time) decision {
	at := s.find(f.requestID)
	if at < 0 || f.repeated {
		s.unsolicited++
		return decision{flood: s.unsolicited > maxUnsolicited, dropped: frameUnsolicited}
	}
	s.unsolicited = 0
	r := s.requests[at]
	r.samples += f.samples
	r.bytes += f.bytes
	d := &delivery{collectionID: r.collectionID, last: !f.more}
	rejected := frameKept
	switch {
	case f.lost:
		rejected = frameUnknownFamilies
		d.missing, d.last, d.why = messages.MissingError, true, "the answer refers to families that the proxy does not know"
	case f.errorText != "":
		d.missing, d.last, d.why = messages.MissingError, true, f.errorText
	case r.samples > maxAnswerSamples:
		rejected = frameOversized
		d.missing, d.last, d.why = messages.MissingError, true, "the answer has more than "+itoa(maxAnswerSamples)+" samples"
	case r.bytes > maxAnswerBytes:
		rejected = frameOversized
		d.missing, d.last, d.why = messages.MissingError, true, "the answer has more than "+itoa(maxAnswerBytes)+" bytes"
	}
	ended := !f.more || f.errorText != ""
	if ended {
		s.requests = slices.Delete(s.requests, at, at+1)
	}
	if r.cancelled || !now.Before(r.deadline) {
		return decision{dropped: frameLate}
	}
	r.cancelled = d.missing != messages.MissingNone
	return decision{deliver: d, dropped: rejected}
}

// find returns the index of the request that a frame with the id answers, or -1. The id 0
// means the oldest sent request.
func (s *sessionState) find(id uint64) int {
	return slices.IndexFunc(s.requests, func(r *request) bool {
		return r.sent && (r.id == id || id == 0)
	})
}

// admit drops what a frame has of times of scrapes that were not asked for, and the series that
// exceed the limit of the answer. It returns how many of both it has dropped.
func (s *sessionState) admit(requestID uint64, blocks []messages.Block) (kept []messages.Block, unasked, tooMany int) {
	at := s.find(requestID)
	if at < 0 {
		return nil, 0, 0
	}
	r := s.requests[at]
	if !r.selection.WantsScrapeTimes() {
		blocks, unasked = withoutScrapeTimes(blocks)
	}
	kept, tooMany = r.series.admit(blocks, s.maxSeries, r.selection.Window.IsLatest())
	return kept, unasked, tooMany
}

// isAwaited reports whether a collection waits for the frame. If not, it need not be decoded.
func (s *sessionState) isAwaited(requestID uint64, now time.Time) bool {
	at := s.find(requestID)
	return at >= 0 && !s.requests[at].cancelled && now.Before(s.requests[at].deadline)
}
