package agent

import (
	"time"

	"fodc/recorder/journal"
)

// pinnedTime is a time of which the journal is kept. A zero end is not known yet.
type pinnedTime struct{ from, to time.Time }

// journalPins are the times of which the journal is kept, whatever retention says.
type journalPins struct {
	wanted  []pinnedTime
	changed bool // since they were pinned
	failure failureLog
}

// pin says of which times the journal is kept from now on. Segments of no such time are left to retention.
func (s *journalState) pin(wanted []pinnedTime, now time.Time) []journalEffect {
	s.pins.wanted, s.pins.changed = wanted, true
	return s.proceed(now)
}

func (p *journalPins) work() journalWork {
	p.changed = false
	return journalWork{op: journalPin, pins: p.wanted}
}

// pinEnded takes the result. It says nothing of the writer, which may be paused because of what is pinned.
func (s *journalState) pinEnded(r journalResult, now time.Time) []journalEffect {
	s.work = journalWork{}
	effects := s.pins.ended(r.pinned, now)
	if s.stalled {
		s.stalled = false
		effects = append(effects, s.show(s.cause, now)...)
	}
	return append(effects, s.proceed(now)...)
}

// ended takes the result. What has failed is tried again when somebody wants something the next time.
func (p *journalPins) ended(err error, now time.Time) []journalEffect {
	if err != nil {
		if p.failure.record(err.Error(), now) {
			return []journalEffect{logJournal{logEntry{warn: true, text: "the journal may lose scrapes of an incident that is open", cause: shortCause(err)}}}
		}
		return nil
	}
	if lasted, times, was := p.failure.end(now); was {
		return []journalEffect{logJournal{logEntry{text: "the journal keeps the scrapes of incidents that are open", lasted: lasted, times: times}}}
	}
	return nil
}

// pinsOf returns which segments are to be pinned, and which not any more.
func pinsOf(segments []journal.SegmentInfo, wanted []pinnedTime) (pin, unpin []int64) {
	for i := range segments {
		s := &segments[i]
		is := false
		for _, w := range wanted {
			is = is || s.MaxTime != 0 && s.MaxTime >= w.from.UnixMilli() && (w.to.IsZero() || s.MinTime <= w.to.UnixMilli())
		}
		switch {
		case is && !s.Pinned:
			pin = append(pin, s.Number)
		case !is && s.Pinned && !s.PinnedByHand:
			unpin = append(unpin, s.Number)
		}
	}
	return pin, unpin
}
