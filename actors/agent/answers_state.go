package agent

import (
	"slices"
	"strconv"
	"time"

	"fodc/messages"
)

// Limits of the answers of one session.
const (
	// maxQueuedRequests bounds the requests that are being answered, or wait for it.
	// What comes on top is answered as busy, in its turn.
	maxQueuedRequests = 64
	// maxAnswerFrames bounds the frames that are queued at the stream's writer: the
	// next part of an answer is made when the transport has taken one.
	maxAnswerFrames = 4
	// recorderPatience is how long a request waits for the recorder.
	recorderPatience = 5 * time.Second
)

// answerQueue is the requests of one metrics stream that are not yet answered, oldest
// first. Answers go out in this order, whole, one after the other.
type answerQueue struct {
	items   []*owed
	lastSeq uint64
	frames  int // at the writer
}

// owed is one answer that the proxy waits for.
type owed struct {
	seq       uint64
	request   metricsRequest
	askedAt   time.Time
	expires   time.Time // zero: never
	failure   string    // why there will be no answer; empty if there may be one
	ready     bool      // the recorder has answered
	overLimit bool
}

// metricsRequest is what the rules need to know of a request.
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

// requested takes a request. ask says that the recorder has to be asked for the
// snapshot of seq. credit says that the reader may go on at once; if not, it may when
// the answer has been made: see made.
func (q *answerQueue) requested(r metricsRequest, now time.Time) (seq uint64, ask, credit bool) {
	q.lastSeq++
	o := &owed{seq: q.lastSeq, request: r, askedAt: now}
	if r.timeLeft != 0 {
		o.expires = now.Add(r.timeLeft)
	}
	switch {
	case r.invalid != "":
		o.failure = r.invalid
	case len(q.items) >= maxQueuedRequests:
		o.failure = "busy: " + strconv.Itoa(maxQueuedRequests) + " requests wait already"
	}
	o.overLimit = len(q.items) >= maxQueuedRequests
	q.items = append(q.items, o)
	return o.seq, o.failure == "", !o.overLimit
}

// snapshotted takes note that the recorder has answered. It reports whether the
// answer is still wanted.
func (q *answerQueue) snapshotted(seq uint64) (wanted bool) {
	i := slices.IndexFunc(q.items, func(o *owed) bool { return o.seq == seq })
	if i < 0 || q.items[i].ready || q.items[i].failure != "" {
		return false
	}
	q.items[i].ready = true
	return true
}

// next returns the frame to be written now; ok is false while there is none, or the
// writer has enough.
func (q *answerQueue) next(now time.Time) (step answerStep, ok bool) {
	if len(q.items) == 0 || q.frames >= maxAnswerFrames {
		return answerStep{}, false
	}
	o := q.items[0]
	switch {
	case o.failure != "":
	case !o.expires.IsZero() && !now.Before(o.expires):
		o.failure = "the time to answer has run out"
	case !o.ready && !now.Before(o.askedAt.Add(recorderPatience)):
		o.failure = "the recorder has not answered for " + recorderPatience.String()
	case !o.ready:
		return answerStep{}, false
	}
	return answerStep{seq: o.seq, request: o.request, failure: o.failure}, true
}

// made takes note that the frame of the newest step is at the writer; last says that
// it ends its answer. credit says that the reader of requests may go on by one.
func (q *answerQueue) made(last bool) (credit bool) {
	q.frames++
	if !last {
		return false
	}
	credit = q.items[0].overLimit
	q.items = slices.Delete(q.items, 0, 1)
	return credit
}

// written takes note that the transport has taken a frame.
func (q *answerQueue) written() { q.frames = max(0, q.frames-1) }

// clear forgets everything: the stream is gone, and its answers with it.
func (q *answerQueue) clear() { q.items, q.frames = nil, 0 }

// wakeAt returns when next has to be asked again even if nothing happens until then;
// zero: not at all. Only the oldest request counts, as the others wait for it.
func (q *answerQueue) wakeAt() time.Time {
	if len(q.items) == 0 || q.frames >= maxAnswerFrames {
		return time.Time{}
	}
	o := q.items[0]
	at := o.askedAt.Add(recorderPatience)
	if !o.expires.IsZero() && o.expires.Before(at) {
		at = o.expires
	}
	return at
}
