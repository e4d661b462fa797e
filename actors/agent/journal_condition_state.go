package agent

import (
	"time"

	"fodc/messages"
	"fodc/recorder/journal"
)

// The reasons for which a scrape is not given to the writer of the journal: too many wait for it,
// or the agent has been stopped. It has reasons of its own: see journal.DropReason.
const (
	journalDropQueue  = "queue"
	journalDropClosed = string(journal.DropClosed)
)

// journalDrops counts scrapes that are not in the journal, by reason.
type journalDrops map[string]journal.Loss

func (d journalDrops) add(why string, l journal.Loss) {
	sum := d[why]
	sum.Scrapes += l.Scrapes
	sum.Samples += l.Samples
	d[why] = sum
}

// condition returns the present state.
func (s *journalState) condition() messages.JournalState {
	switch {
	case s.closed:
		return messages.JournalClosed
	case s.stalled:
		return messages.JournalStalled
	case s.failed:
		return messages.JournalFailing
	case s.paused:
		return messages.JournalPaused
	case s.recovering:
		return messages.JournalRecovering
	}
	return messages.JournalWriting
}

// show updates the state that is shown, and logs when writing stops, why, and when it goes on.
func (s *journalState) show(cause string, now time.Time) []journalEffect {
	state := s.condition()
	if state != s.shown {
		s.shown, s.shownAt = state, now
	}
	s.cause = cause
	switch state {
	case messages.JournalStalled, messages.JournalFailing, messages.JournalPaused:
		if s.outage.record(cause, now) {
			return []journalEffect{logJournal{logEntry{warn: true, text: "the journal is " + string(state) + ": scrapes are recorded in memory alone", cause: cause}}}
		}
	case messages.JournalRecovering, messages.JournalWriting:
		if lasted, times, was := s.outage.end(now); was {
			return []journalEffect{logJournal{logEntry{text: "the journal is written again", lasted: lasted, times: times}}}
		}
	}
	return nil
}

// isWaitOver reports whether somebody who waits for a batch to be written need not wait any longer:
// it is written, or will not be soon.
func (s *journalState) isWaitOver(number int64, now time.Time) bool {
	switch {
	case number <= max(s.done, s.dropped):
		return true
	case !s.opened || s.closing || s.failed || s.paused || s.stalled:
		return true
	}
	return s.queue.waits(now) > behindAfter
}
