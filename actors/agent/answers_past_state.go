package agent

import "time"

// Limits of the part of an answer that is on disk.
const (
	// pastPartTimeout is how long an answer waits for the next part of its past.
	pastPartTimeout = 3 * time.Second
	// pastTimeout bounds the reading of the past for a proxy that does not say how long it
	// waits. For others the bound is half of that: the other half is for what is in memory.
	pastTimeout = 3 * time.Second
)

// pastPhase says how far the past of an answer has come: the part that is on disk, and that goes
// out before what the recorder has in memory.
type pastPhase int

const (
	pastNone    pastPhase = iota // there is none, or nothing more of it
	pastUnread                   // it waits for its turn to be read
	pastAwaited                  // its next part is being read
	pastReady                    // its next part was read, and waits to be written
)

// pastEnd returns when the reading of the past ends, however much is left of it.
func (p *pendingAnswer) pastEnd() time.Time {
	if p.request.timeLeft == 0 {
		return p.askedAt.Add(pastTimeout)
	}
	return p.askedAt.Add(p.request.timeLeft / 2)
}

// awaitPast records that the next part of the past is being read.
func (p *pendingAnswer) awaitPast(now time.Time) {
	p.past, p.pastDue = pastAwaited, now.Add(pastPartTimeout)
	if end := p.pastEnd(); end.Before(p.pastDue) {
		p.pastDue = end
	}
}

// pastGivenUpAt returns when the past is given up, zero if there is nothing more of it.
func (p *pendingAnswer) pastGivenUpAt() time.Time {
	if p.past == pastNone {
		return time.Time{}
	}
	return p.pastDue
}

// mayBeOvertaken reports whether later answers may be sent while this one waits for the disk. Those
// of a proxy that pairs answers by their order may not, and the frames of two answers with a
// dictionary must not mix.
func (p *pendingAnswer) mayBeOvertaken() bool {
	return p.past != pastNone && p.request.id != 0 && p.request.columnar && p.request.dictionary == 0
}

// beginPast returns the answer whose past is to be read from now on. ok is false if there is none,
// or the past of another one is being read: a stream has one reader at a time.
func (q *answerQueue) beginPast(now time.Time) (seq uint64, ok bool) {
	for i, p := range q.items {
		switch {
		case p.past == pastAwaited || p.past == pastReady:
			return 0, false
		case p.past == pastUnread && (i == 0 || p.request.columnar): // A baseline answer gathers its past.
			p.awaitPast(now)
			return p.seq, true
		}
	}
	return 0, false
}

// pastPart records that a part of the past was read. It reports whether it is wanted.
func (q *answerQueue) pastPart(seq uint64, now time.Time) (wanted bool) {
	p := q.find(seq)
	switch {
	case p == nil || p.past != pastAwaited:
		return false
	case p.request.columnar:
		p.past, p.pastDue = pastReady, p.pastEnd()
	default: // It is one message, for which the parts are gathered.
		p.awaitPast(now)
	}
	return true
}

// endPast records that nothing more of the past will come. It reports whether the answer was still
// waiting for it.
func (q *answerQueue) endPast(seq uint64) (waited bool) {
	p := q.find(seq)
	if p == nil || p.past == pastNone {
		return false
	}
	p.past = pastNone
	return true
}

// overduePast returns the answers whose past has taken too long: they go on without it.
func (q *answerQueue) overduePast(now time.Time) (seqs []uint64) {
	for _, p := range q.items {
		if p.past != pastNone && !now.Before(p.pastDue) {
			p.past = pastNone
			seqs = append(seqs, p.seq)
		}
	}
	return seqs
}
