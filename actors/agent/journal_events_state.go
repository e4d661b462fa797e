package agent

import (
	"time"

	"fodc/recorder"
)

// maxQueuedEvents bounds the events that wait for the disk. They are small, and seldom.
const maxQueuedEvents = 64

// journalEvents are the events that wait for the disk, oldest first. They go before scrapes: they may be the last that the
// agent has time to write.
type journalEvents struct {
	queue []recorder.Event
	lost  failureLog
}

// happened takes an event.
func (s *journalState) happened(e recorder.Event, now time.Time) []journalEffect {
	if s.closing || len(s.events.queue) == maxQueuedEvents {
		return s.loseEvent("the journal is closed, or its disk is too slow, or cannot be written", now)
	}
	s.events.queue = append(s.events.queue, e)
	return s.proceed(now)
}

func (s *journalState) loseEvent(cause string, now time.Time) []journalEffect {
	if !s.events.lost.record(cause, now) {
		return nil
	}
	return []journalEffect{logJournal{logEntry{warn: true, text: "an event of the node's process is recorded in memory alone", cause: cause}}}
}

// eventEnded removes the event from the queue. One that could not be written is given up, as a scrape is.
func (s *journalState) eventEnded(r journalResult, now time.Time) []journalEffect {
	s.events.queue = s.events.queue[1:]
	if r.err != nil {
		return s.loseEvent(shortCause(r.err), now)
	}
	s.events.lost = failureLog{}
	return nil
}
