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

// answerQueue has the unanswered requests of one metrics stream, oldest first. Answers are
// sent in this order, one after the other.
type answerQueue struct {
	items   []*pendingAnswer
	lastSeq uint64
	frames  int // in the writer's queue
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
	// failure ends the answer. If it is empty, the next part of the snapshot goes out.
	failure string
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

// snapshotted records that the recorder has answered. It reports whether the
// answer is still wanted.
func (q *answerQueue) snapshotted(seq uint64) (wanted bool) {
	i := slices.IndexFunc(q.items, func(p *pendingAnswer) bool { return p.seq == seq })
	if i < 0 || q.items[i].ready || q.items[i].failure != "" {
		return false
	}
	q.items[i].ready = true
	return true
}

// next returns the frame to be written now; ok is false while there is none, or the writer's
// queue is full.
func (q *answerQueue) next(now time.Time) (step answerStep, ok bool) {
	if len(q.items) == 0 || q.frames >= maxAnswerFrames {
		return answerStep{}, false
	}
	p := q.items[0]
	switch {
	case p.failure != "":
	case !p.expires.IsZero() && !now.Before(p.expires):
		p.failure = "the time to answer has run out"
	case !p.ready && !now.Before(p.askedAt.Add(recorderTimeout)):
		p.failure = "the recorder has not answered for " + recorderTimeout.String()
	case !p.ready:
		return answerStep{}, false
	}
	return answerStep{seq: p.seq, request: p.request, failure: p.failure}, true
}

// queued records that the frame of the newest step is in the writer's queue; last says that
// it ends its answer. credit says that one more request may be read.
func (q *answerQueue) queued(last bool) (credit bool) {
	q.frames++
	if !last {
		return false
	}
	credit = q.items[0].overLimit
	q.items = slices.Delete(q.items, 0, 1)
	return credit
}

// written records that the transport has accepted a frame.
func (q *answerQueue) written() { q.frames = max(0, q.frames-1) }

// clear drops all requests, when their stream has ended.
func (q *answerQueue) clear() { q.items, q.frames = nil, 0 }

// wakeAt returns when next is to be called again even if nothing happens until then; zero if
// it need not be. It depends on the oldest request alone, as the others wait for that.
func (q *answerQueue) wakeAt() time.Time {
	if len(q.items) == 0 || q.frames >= maxAnswerFrames {
		return time.Time{}
	}
	p := q.items[0]
	at := p.askedAt.Add(recorderTimeout)
	if !p.expires.IsZero() && p.expires.Before(at) {
		at = p.expires
	}
	return at
}
