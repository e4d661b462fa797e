package agent

import (
	"slices"
	"strconv"
	"time"

	"fodc/messages"
)

// Limits of the answers of one session.
const (
	// maxQueuedRequests bounds the requests that are being answered or wait for it. Requests
	// beyond it are answered as busy, in order.
	maxQueuedRequests = 64
	// maxAnswerFrames bounds the frames in the queue of the stream's writer. The next part of
	// an answer is encoded when the transport has accepted one.
	maxAnswerFrames = 4
	// recorderTimeout is how long a request waits for the recorder.
	recorderTimeout = 5 * time.Second
)

// answerQueue has the unanswered requests of one metrics stream, oldest first. Answers are sent in
// this order, one after the other. Only an answer with a part that is on disk, its past, may be
// overtaken: answers that need no disk do not wait for it. See answers_past_state.go.
type answerQueue struct {
	items   []*pendingAnswer
	lastSeq uint64
	frames  int // in the writer's queue
	// writing is the answer of the newest step.
	writing *pendingAnswer
}

// pendingAnswer is one answer that the proxy waits for.
type pendingAnswer struct {
	seq       uint64
	request   metricsRequest
	askedAt   time.Time
	expires   time.Time // zero: never
	failure   string    // why there will be no answer; empty if there may be one
	ready     bool      // the recorder has answered
	overLimit bool
	past      pastPhase
	// pastDue is when the past is given up, if nothing more of it has come until then.
	pastDue time.Time
}

// metricsRequest is what the queue needs to know of a request.
type metricsRequest struct {
	id        uint64 // 0: the proxy pairs answers by their order
	columnar  bool
	selection messages.Selection
	// dictionary is the number of the one that the answer may use, 0 if there is none.
	dictionary uint64
	timeLeft   time.Duration // 0: not said
	// invalid is why the request cannot be understood.
	invalid string
}

// answerStep is one frame to be written.
type answerStep struct {
	seq     uint64
	request metricsRequest
	// failure ends the answer. If it is empty, the next part of the snapshot goes out, or of the
	// past.
	failure string
	past    bool
}

// requested queues a request. ask says that the recorder has to be asked for the snapshot of
// seq. credit says that the next request may be read at once; if not, queued says when.
func (q *answerQueue) requested(r metricsRequest, now time.Time) (seq uint64, ask, credit bool) {
	q.lastSeq++
	p := &pendingAnswer{seq: q.lastSeq, request: r, askedAt: now}
	if r.timeLeft != 0 {
		p.expires = now.Add(r.timeLeft)
	}
	switch {
	case r.invalid != "":
		p.failure = r.invalid
	case len(q.items) >= maxQueuedRequests:
		p.failure = "busy: " + strconv.Itoa(maxQueuedRequests) + " requests wait already"
	}
	p.overLimit = len(q.items) >= maxQueuedRequests
	q.items = append(q.items, p)
	return p.seq, p.failure == "", !p.overLimit
}

// snapshotted records that the recorder has answered; onDisk says that the answer has a past. It
// reports whether the answer is still wanted.
func (q *answerQueue) snapshotted(seq uint64, onDisk bool) (wanted bool) {
	p := q.find(seq)
	if p == nil || p.ready || p.failure != "" {
		return false
	}
	p.ready = true
	if onDisk {
		p.past, p.pastDue = pastUnread, p.pastEnd()
	}
	return true
}

// find returns the answer with the number, nil if it has ended.
func (q *answerQueue) find(seq uint64) *pendingAnswer {
	if i := slices.IndexFunc(q.items, func(p *pendingAnswer) bool { return p.seq == seq }); i >= 0 {
		return q.items[i]
	}
	return nil
}

// next returns the frame to be written now; ok is false while there is none, or the writer's
// queue is full.
func (q *answerQueue) next(now time.Time) (step answerStep, ok bool) {
	if q.frames >= maxAnswerFrames {
		return answerStep{}, false
	}
	p := q.able(now)
	if p == nil {
		return answerStep{}, false
	}
	q.writing = p
	step = answerStep{seq: p.seq, request: p.request, failure: p.failure, past: p.failure == "" && p.past == pastReady}
	if step.past {
		p.awaitPast(now)
	}
	return step, true
}

// able returns the answer whose next frame can be written, nil if there is none. One that needs no
// disk goes first.
func (q *answerQueue) able(now time.Time) (first *pendingAnswer) {
	for i, p := range q.items {
		if i > 0 && p.request.id == 0 {
			break // The proxy would take it for the answer to the request before.
		}
		p.expire(now)
		if p.failure != "" || p.ready && p.past == pastNone {
			return p
		}
		if p.past == pastReady && first == nil {
			first = p
		}
		if !p.mayBeOvertaken() {
			break
		}
	}
	return first
}

// expire makes an answer that has come too late an error.
func (p *pendingAnswer) expire(now time.Time) {
	switch {
	case p.failure != "":
	case !p.expires.IsZero() && !now.Before(p.expires):
		p.failure = "the time to answer has run out"
	case !p.ready && !now.Before(p.askedAt.Add(recorderTimeout)):
		p.failure = "the recorder has not answered for " + recorderTimeout.String()
	}
}

// queued records that the frame of the newest step is in the writer's queue; last says that
// it ends its answer. credit says that one more request may be read.
func (q *answerQueue) queued(last bool) (credit bool) {
	q.frames++
	if !last {
		return false
	}
	credit = q.writing.overLimit
	q.items = slices.DeleteFunc(q.items, func(p *pendingAnswer) bool { return p == q.writing })
	return credit
}

// written records that the transport has accepted a frame.
func (q *answerQueue) written() { q.frames = max(0, q.frames-1) }

// clear drops all requests, when their stream has ended.
func (q *answerQueue) clear() { q.items, q.frames, q.writing = nil, 0, nil }

// wakeAt returns when next is to be called again even if nothing happens until then; zero if
// it need not be. It depends on the answers for which no other one waits.
func (q *answerQueue) wakeAt() (at time.Time) {
	if q.frames >= maxAnswerFrames {
		return time.Time{}
	}
	for _, p := range q.items {
		for _, due := range []time.Time{p.expires, p.recorderDue(), p.pastGivenUpAt()} {
			if !due.IsZero() && (at.IsZero() || due.Before(at)) {
				at = due
			}
		}
		if !p.mayBeOvertaken() {
			break
		}
	}
	return at
}

// recorderDue returns when the recorder must have answered, zero if it has.
func (p *pendingAnswer) recorderDue() time.Time {
	if p.ready {
		return time.Time{}
	}
	return p.askedAt.Add(recorderTimeout)
}
