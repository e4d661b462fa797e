package agent

import (
	"time"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
)

const (
	// stalledAfter is how long an operation of the disk may take before the journal counts as
	// stalled.
	stalledAfter = 5 * time.Second
	// behindAfter is how long a batch may wait for the disk before nobody waits for the journal.
	behindAfter = time.Second
	// minJournalRetry is the delay before the disk is tried again after a failure, unless the
	// writer of the journal has one. It doubles, up to maxJournalRetry.
	minJournalRetry = time.Second
	maxJournalRetry = 30 * time.Second
	// minJournalPause is the shortest time between two operations that are no appends.
	minJournalPause = 100 * time.Millisecond
)

// journalState decides what is done next with the disk. There is one operation at a time; batches
// wait meanwhile, and are dropped where there is no room.
type journalState struct {
	queue  batchQueue
	events journalEvents
	work   journalWork // under way

	started, opened, recovering bool
	closing, closed             bool
	// retryAt is when the next operation is tried after one that failed, with the delay of
	// backoff; next is when the writer has something to do, at notBefore at the earliest.
	retryAt, next, notBefore time.Time
	backoff                  time.Duration

	stalled, paused bool
	failed          bool   // the newest operation has
	cause           string // why the journal is stalled, paused or failing

	pins journalPins

	// done is the number of the newest batch that was written or given up, dropped that of the
	// newest for which there was no room.
	done, dropped int64
	counts        journalDrops

	shown   messages.JournalState
	shownAt time.Time
	outage  failureLog
	full    failureLog // the queue is
	invalid failureLog // scrapes are
}

func newJournalState(now time.Time) *journalState {
	return &journalState{recovering: true, counts: journalDrops{}, shown: messages.JournalRecovering, shownAt: now}
}

// start opens the journal.
func (s *journalState) start(now time.Time) []journalEffect {
	s.started = true
	return s.proceed(now)
}

// appended takes a batch.
func (s *journalState) appended(b *recorder.Batch, now time.Time) []journalEffect {
	switch {
	case s.closing:
		s.drop(journalDropClosed, b)
		return nil
	case !s.queue.hasRoomFor(b):
		s.drop(journalDropQueue, b)
		if s.full.record("the queue is full", now) {
			return []journalEffect{logJournal{logEntry{warn: true, text: "scrapes will be missing in the journal",
				cause: "its disk is too slow, or cannot be written: no more can wait"}}}
		}
		return nil
	}
	s.queue.add(b, now)
	return s.proceed(now)
}

func (s *journalState) drop(why string, b *recorder.Batch) {
	s.counts.add(why, journal.Loss{Scrapes: 1, Samples: uint64(len(b.Values))})
	s.dropped = max(s.dropped, b.Number)
}

// due goes on when a time has come that armJournalNext has named.
func (s *journalState) due(now time.Time) []journalEffect { return s.proceed(now) }

// stall records that an operation takes too long.
func (s *journalState) stall(now time.Time) []journalEffect {
	if s.work.op == journalIdle {
		return nil
	}
	s.stalled = true
	return s.show("the disk does not answer ("+s.work.op.String()+") for "+stalledAfter.String(), now)
}

// ended takes the result of the operation that is under way.
func (s *journalState) ended(r journalResult, now time.Time) []journalEffect {
	if r.work.op == journalPin {
		return s.pinEnded(r, now)
	}
	s.work, s.stalled, s.paused, s.failed = journalWork{}, false, r.isPaused, r.err != nil && !r.isPaused && !r.isInvalid
	if r.work.op != journalAppend && r.work.op != journalEvent {
		s.notBefore = now.Add(minJournalPause)
	}
	s.next = r.next
	if !r.next.IsZero() {
		s.next = later(r.next, s.notBefore)
	}
	if s.paused || s.failed {
		s.backoff = min(max(minJournalRetry, 2*s.backoff), maxJournalRetry)
		s.retryAt = now.Add(s.backoff)
		if r.retry.After(now) {
			s.retryAt = r.retry
		}
	} else {
		s.backoff, s.retryAt = 0, time.Time{}
	}
	var effects []journalEffect
	switch {
	case r.work.op == journalOpen && r.err == nil:
		s.opened = true
		effects = []journalEffect{reportJournalOpen{}}
	case r.work.op == journalAppend:
		effects = s.appendEnded(r, now)
	case r.work.op == journalEvent:
		effects = s.eventEnded(r, now)
	case r.work.op == journalClose:
		s.closed = true
		effects = []journalEffect{reportJournalClosed{r.err}}
	}
	cause := ""
	if r.err != nil {
		cause = shortCause(r.err)
	}
	effects = append(effects, s.show(cause, now)...)
	return append(effects, s.proceed(now)...)
}

// appendEnded removes the batch from the queue. One that could not be written is given up: a part
// of it may be on disk, or all of it, and it must not be there twice.
func (s *journalState) appendEnded(r journalResult, now time.Time) (effects []journalEffect) {
	s.done = s.queue.first().Number
	s.queue.removeFirst()
	if r.isInvalid && s.invalid.record(r.err.Error(), now) {
		effects = append(effects, logJournal{logEntry{warn: true, text: "a scrape is recorded in memory alone", cause: shortCause(r.err)}})
	}
	if s.queue.first() != nil {
		return effects
	}
	if lasted, times, was := s.full.end(now); was {
		effects = append(effects, logJournal{logEntry{text: "no more scrapes will be missing in the journal", lasted: lasted, times: times}})
	}
	return effects
}

// recovered records that nothing is read back any more.
func (s *journalState) recovered(now time.Time) []journalEffect {
	s.recovering = false
	return s.show(s.cause, now)
}

// close ends the journal when what waits is written, or at once if it cannot be.
func (s *journalState) close(now time.Time) []journalEffect {
	s.closing = true
	return s.proceed(now)
}

// proceed begins the next operation, if there is one and none is under way.
func (s *journalState) proceed(now time.Time) []journalEffect {
	if !s.started || s.closed || s.work.op != journalIdle {
		return nil
	}
	if s.work = s.nextWork(now); s.work.op != journalIdle {
		return []journalEffect{startJournalWork{s.work}, armJournalStall{stalledAfter}}
	}
	if at := s.wakeAt(now); !at.IsZero() {
		return []journalEffect{armJournalNext{at.Sub(now)}}
	}
	return nil
}

func (s *journalState) nextWork(now time.Time) journalWork {
	holds := now.Before(s.retryAt)
	b := s.queue.first()
	switch {
	case s.closing && (b == nil && len(s.events.queue) == 0 || holds):
		s.events.queue = nil
		for ; b != nil; b = s.queue.first() {
			s.queue.removeFirst()
			s.drop(journalDropClosed, b)
		}
		return journalWork{op: journalClose}
	case holds:
		return journalWork{}
	case !s.opened:
		return journalWork{op: journalOpen}
	case s.pins.changed:
		return s.pins.work()
	case s.failed || s.paused || !s.next.IsZero() && !now.Before(s.next):
		return journalWork{op: journalSync}
	case len(s.events.queue) > 0:
		return journalWork{op: journalEvent, event: s.events.queue[0]}
	case b != nil:
		return journalWork{op: journalAppend, batch: b}
	}
	return journalWork{}
}

// wakeAt returns when there is something to do even if nothing happens until then; zero: never.
func (s *journalState) wakeAt(now time.Time) time.Time {
	if now.Before(s.retryAt) {
		return s.retryAt
	}
	return s.next
}

// later returns the later one of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
