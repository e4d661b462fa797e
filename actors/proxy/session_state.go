package proxy

import (
	"slices"
	"time"

	"fodc/messages"
)

// Limits of one session.
const (
	// maxRequestsUnderWay bounds the requests that an agent has not answered yet.
	maxRequestsUnderWay = 64
	// maxUnasked is how many frames in a row that answer nothing an agent may send.
	maxUnasked = 16
	// maxAnswerSamples bounds one answer: ten times a window of 3 h of 3,000 series
	// at 10 s.
	maxAnswerSamples = 32 << 20
	// maxAnswerBytes bounds what an answer's values and texts take: as much again for the
	// texts as maxAnswerSamples allow for values.
	maxAnswerBytes = 2 * valueBytes * maxAnswerSamples
	// metricsStreamGrace is how long a request waits for an agent that has no metrics
	// stream, counted from when it had to have one.
	metricsStreamGrace = 2 * time.Second
)

// sessionState is the rules of one session: which requests are under way, and which
// answer belongs to which. An agent answers in the order of the requests; one that
// knows request ids says which, and the ids are believed before the order.
//
// A request whose deadline has passed, or that nobody waits for any more, keeps its
// place until it is answered: otherwise its answer would be taken for the next one's.
type sessionState struct {
	columnar bool
	// dictionary is the number of the dictionary that answers may use, 0 if there is none.
	// It rises whenever what the agent has described is lost.
	dictionary uint64
	// losses is how many dictionaries were lost in a row for no reason that we know.
	losses int
	// maxSeries bounds the series of an answer.
	maxSeries int
	attached  bool
	// detachedAt is when the metrics stream was last missing.
	detachedAt time.Time
	lastID     uint64
	requests   []*request // those not answered yet, oldest first
	unasked    int
}

type request struct {
	id        uint64
	asker     uint64 // the collection
	selection messages.Selection
	deadline  time.Time
	sent      bool
	forgotten bool // nobody waits for the answer any more
	samples   int
	series    seriesCount
	bytes     int
}

func newSessionState(agent messages.Capabilities, maxSeries int, now time.Time) *sessionState {
	s := &sessionState{columnar: agent.ColumnarAnswers, maxSeries: maxSeries, detachedAt: now}
	if agent.ColumnarAnswers && agent.Dictionary {
		s.dictionary = 1
	}
	return s
}

// sending is a request that has to go out now.
type sending struct {
	id        uint64
	selection messages.Selection
	timeLeft  time.Duration
	// dictionary is 0 where the answer must do without.
	dictionary uint64
}

// delivery is what an asker must be told.
type delivery struct {
	asker   uint64
	missing messages.MissingReason // MissingNone: a chunk of the answer
	last    bool
	why     string
}

// ask takes a question. It answers with the request to be sent (nil while there is
// no stream to send it on), or with a reason not to ask.
func (s *sessionState) ask(asker uint64, sel messages.Selection, deadline, now time.Time) (*sending, messages.MissingReason) {
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
	r := &request{id: s.lastID, asker: asker, selection: sel, deadline: deadline}
	s.requests = append(s.requests, r)
	if !s.attached {
		return nil, messages.MissingNone
	}
	return s.send(r, now), messages.MissingNone
}

// send sends a request. A window is answered without a dictionary: beside so many values
// what describes a series is little, and it differs from one stretch of time to another.
func (s *sessionState) send(r *request, now time.Time) *sending {
	r.sent = true
	out := &sending{id: r.id, selection: r.selection, timeLeft: r.deadline.Sub(now)}
	if r.selection.Window.IsLatest() {
		out.dictionary = s.dictionary
	}
	return out
}

// owesOverdue reports whether the agent owes an answer whose deadline has passed.
func (s *sessionState) owesOverdue(now time.Time) bool {
	return slices.ContainsFunc(s.requests, func(r *request) bool { return r.sent && !now.Before(r.deadline) })
}

// dropUnsent drops the requests which nobody needs and the agent has not seen.
func (s *sessionState) dropUnsent(now time.Time) {
	s.requests = slices.DeleteFunc(s.requests, func(r *request) bool {
		return !r.sent && (r.forgotten || !now.Before(r.deadline))
	})
}

// forget takes note that a collection needs no answer any more.
func (s *sessionState) forget(asker uint64) {
	for _, r := range s.requests {
		if r.asker == asker {
			r.forgotten = true
		}
	}
}

// waitOver returns when the requests that wait for a metrics stream have waited for
// long enough; zero if none waits.
func (s *sessionState) waitOver() time.Time {
	if s.attached || len(s.requests) == 0 {
		return time.Time{}
	}
	return s.detachedAt.Add(metricsStreamGrace)
}

// giveUpWaiting takes note that no metrics stream came in time for them.
func (s *sessionState) giveUpWaiting(now time.Time) []delivery {
	if over := s.waitOver(); over.IsZero() || now.Before(over) {
		return nil
	}
	lost := s.fail("the agent has no metrics stream", func(*request) bool { return true })
	for i := range lost {
		lost[i].missing = messages.MissingUnconnected
	}
	return lost
}

// attach takes note of a new metrics stream, which replaces the former one. What
// was asked on that one is lost; what waits goes out on the new one.
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

// detach takes note that the metrics stream is gone: what was asked on it will not
// be answered.
func (s *sessionState) detach(why string, now time.Time) []delivery {
	if !s.attached {
		return nil
	}
	s.attached, s.detachedAt, s.unasked = false, now, 0
	return s.fail(why, func(r *request) bool { return r.sent })
}

// end takes note that the session is over.
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
		if !r.forgotten {
			lost = append(lost, delivery{asker: r.asker, missing: messages.MissingError, last: true, why: why})
		}
		return true
	})
	return lost
}

// frameInfo is what the rules need to know of an answer's frame.
type frameInfo struct {
	requestID uint64 // 0: the oldest request
	more      bool
	errorText string
	samples   int
	bytes     int
	// lost says that the frame needs a dictionary that is lost.
	lost bool
	// repeated says that the frame has come before.
	repeated bool
}

// verdict is what becomes of an answer's frame.
type verdict struct {
	// deliver is nil where nobody waits for the frame.
	deliver *delivery
	// flood says that the agent sends frames that nobody asked for, without end.
	flood bool
	// rejected says why the frame goes into no collection.
	rejected rejectReason
}

// answered takes a frame of an answer.
func (s *sessionState) answered(f frameInfo, now time.Time) verdict {
	at := s.find(f.requestID)
	if at < 0 || f.repeated {
		s.unasked++
		return verdict{flood: s.unasked > maxUnasked, rejected: rejectedUnasked}
	}
	s.unasked = 0
	r := s.requests[at]
	r.samples += f.samples
	r.bytes += f.bytes
	d := &delivery{asker: r.asker, last: !f.more}
	rejected := rejectedNot
	switch {
	case f.lost:
		rejected = rejectedLost
		d.missing, d.last, d.why = messages.MissingError, true, "the answer refers to families that the proxy does not know"
	case f.errorText != "":
		d.missing, d.last, d.why = messages.MissingError, true, f.errorText
	case r.samples > maxAnswerSamples:
		rejected = rejectedOversized
		d.missing, d.last, d.why = messages.MissingError, true, "the answer has more than "+itoa(maxAnswerSamples)+" samples"
	case r.bytes > maxAnswerBytes:
		rejected = rejectedOversized
		d.missing, d.last, d.why = messages.MissingError, true, "the answer has more than "+itoa(maxAnswerBytes)+" bytes"
	}
	ended := !f.more || f.errorText != ""
	if ended {
		s.requests = slices.Delete(s.requests, at, at+1)
	}
	if r.forgotten || !now.Before(r.deadline) {
		return verdict{rejected: rejectedLate}
	}
	r.forgotten = d.missing != messages.MissingNone
	return verdict{deliver: d, rejected: rejected}
}

// find returns the index of the request that a frame with this id answers, or -1.
func (s *sessionState) find(id uint64) int {
	return slices.IndexFunc(s.requests, func(r *request) bool {
		return r.sent && (r.id == id || id == 0)
	})
}

// admit leaves out of a frame's blocks the series that are too many for the answer,
// and returns how many those are.
func (s *sessionState) admit(requestID uint64, blocks []messages.Block) (kept []messages.Block, tooMany int) {
	at := s.find(requestID)
	if at < 0 {
		return nil, 0
	}
	r := s.requests[at]
	return r.series.admit(blocks, s.maxSeries, r.selection.Window.IsLatest())
}

// wants reports whether somebody waits for the frame: if not, it need not be read.
func (s *sessionState) wants(requestID uint64, now time.Time) bool {
	at := s.find(requestID)
	return at >= 0 && !s.requests[at].forgotten && now.Before(s.requests[at].deadline)
}
