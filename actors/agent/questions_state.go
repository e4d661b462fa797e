package agent

import (
	"slices"
	"strconv"
	"time"
)

// Limits of the answers on one channel of a session, but that of metrics.
const (
	// maxQueuedQuestions bounds the questions that are being answered or wait for it: as many as a proxy asks
	// at a time. Questions beyond it are answered as busy.
	maxQueuedQuestions = 64
	// maxAnswersAtOnce bounds the questions that are being answered. A proxy that pairs answers by
	// their order gets one after the other.
	maxAnswersAtOnce = 4
	// answerTimeout bounds an answer if the proxy does not say how long it waits, and downloadTimeout
	// one that is a whole file. maxTimeLeft bounds the time that a proxy may say.
	answerTimeout   = 30 * time.Second
	downloadTimeout = 5 * time.Minute
	maxTimeLeft     = 10 * time.Minute
)

const tooLate = "the time to answer has run out"

// questionQueue has the unanswered questions of one stream, oldest first. Those with an id are answered
// in any order, and their frames may mix; the others are answered in their order, one after the other.
type questionQueue struct {
	items   []*pendingQuestion
	lastSeq uint64
	frames  int // in the writer's queue
	// newest is the answer whose frame was written last. The next one is another's, if there is one.
	newest uint64
}

// pendingQuestion is one question that the proxy waits for an answer to.
type pendingQuestion struct {
	seq       uint64
	id        uint64 // 0: the proxy pairs answers by their order
	expires   time.Time
	failure   string // why there will be no answer, or no more of it; empty if there may be
	overLimit bool
	begun     bool // it is being answered
	frame     bool // a frame of the answer waits to be written
	last      bool // nothing follows that frame, or nothing follows at all
}

// questionStep is a frame to be written. A failure ends the answer.
type questionStep struct {
	seq     uint64
	failure string
}

// asked queues a question; invalid is why it cannot be answered, limit how long the answer may take.
// credit says that the next question may be read at once; if not, queued or ended says when.
func (q *questionQueue) asked(id uint64, invalid string, limit time.Duration, now time.Time) (seq uint64, credit bool) {
	q.lastSeq++
	p := &pendingQuestion{seq: q.lastSeq, id: id, expires: now.Add(min(limit, maxTimeLeft)), failure: invalid}
	if p.overLimit = len(q.items) >= maxQueuedQuestions; p.overLimit && invalid == "" {
		p.failure = "busy: " + strconv.Itoa(maxQueuedQuestions) + " requests wait already"
	}
	q.items = append(q.items, p)
	return p.seq, !p.overLimit
}

// isAsked reports whether the question with the id is not answered yet.
func (q *questionQueue) isAsked(id uint64) bool {
	return slices.ContainsFunc(q.items, func(p *pendingQuestion) bool { return p.id == id })
}

// find returns the question with the number, nil if its answer has ended.
func (q *questionQueue) find(seq uint64) *pendingQuestion {
	if i := slices.IndexFunc(q.items, func(p *pendingQuestion) bool { return p.seq == seq }); i >= 0 {
		return q.items[i]
	}
	return nil
}

// firstInOrder returns the oldest question without an id, nil if there is none.
func (q *questionQueue) firstInOrder() *pendingQuestion {
	if i := slices.IndexFunc(q.items, func(p *pendingQuestion) bool { return p.id == 0 }); i >= 0 {
		return q.items[i]
	}
	return nil
}

// begin returns the question that is to be answered from now on; ok is false if there is none.
func (q *questionQueue) begin() (seq uint64, expires time.Time, ok bool) {
	begun := 0
	for _, p := range q.items {
		if p.begun && p.failure == "" {
			begun++
		}
	}
	first := q.firstInOrder()
	for _, p := range q.items {
		if begun < maxAnswersAtOnce && !p.begun && p.failure == "" && (p.id != 0 || p == first) {
			p.begun = true
			return p.seq, p.expires, true
		}
	}
	return 0, time.Time{}, false
}

// made records that a frame of an answer was made; last says that it ends the answer. It reports
// whether the frame is wanted.
func (q *questionQueue) made(seq uint64, last bool) (wanted bool) {
	p := q.find(seq)
	if p == nil || p.failure != "" || p.frame || p.last {
		return false
	}
	p.frame, p.last = true, last
	return true
}

// ended records that nothing more of an answer will come, and why, if that is not its regular end.
// credit says that one more question may be read.
func (q *questionQueue) ended(seq uint64, failure string) (credit bool) {
	p := q.find(seq)
	switch {
	case p == nil || p.failure != "" || p.last:
		return false
	case failure != "":
		p.failure = failure
		return false
	case p.frame:
		p.last = true
		return false
	default: // The end of the answer has no frame.
		return q.remove(p)
	}
}

func (q *questionQueue) remove(p *pendingQuestion) (credit bool) {
	q.items = slices.DeleteFunc(q.items, func(other *pendingQuestion) bool { return other == p })
	return p.overLimit
}

// expire returns the questions whose time has run out now: their answers end.
func (q *questionQueue) expire(now time.Time) (seqs []uint64) {
	for _, p := range q.items {
		if p.failure == "" && !now.Before(p.expires) {
			p.failure = tooLate
			seqs = append(seqs, p.seq)
		}
	}
	return seqs
}

// next returns the frame to be written now; ok is false while there is none, or the writer's queue is
// full.
func (q *questionQueue) next() (step questionStep, ok bool) {
	if q.frames >= maxAnswerFrames {
		return questionStep{}, false
	}
	var found *pendingQuestion
	first := q.firstInOrder()
	for _, p := range q.items {
		if p.failure == "" && !p.frame || p.id == 0 && p != first {
			continue
		}
		if found == nil || found.seq <= q.newest && p.seq > q.newest {
			found = p
		}
	}
	if found == nil {
		return questionStep{}, false
	}
	return questionStep{found.seq, found.failure}, true
}

// queued records that the frame of the newest step is in the writer's queue, or the frames, if it is a
// failure. more says that the next frame of the answer may be made, credit that one more question may be
// read.
func (q *questionQueue) queued(step questionStep, frames int) (more, credit bool) {
	p := q.find(step.seq)
	q.frames += frames
	q.newest, p.frame = step.seq, false
	if step.failure == "" && !p.last {
		return true, false
	}
	return false, q.remove(p)
}

// takeRoom takes room for a frame that is of no answer in the writer's queue. It returns false if there is
// none.
func (q *questionQueue) takeRoom() bool {
	if q.frames >= maxAnswerFrames {
		return false
	}
	q.frames++
	return true
}

// written records that the transport has accepted a frame.
func (q *questionQueue) written() { q.frames = max(0, q.frames-1) }

// clear drops all questions, when their stream has ended.
func (q *questionQueue) clear() { q.items, q.frames, q.newest = nil, 0, 0 }

// wakeAt returns when the next answer expires, zero if there is none.
func (q *questionQueue) wakeAt() (at time.Time) {
	for _, p := range q.items {
		if p.failure == "" && (at.IsZero() || p.expires.Before(at)) {
			at = p.expires
		}
	}
	return at
}
