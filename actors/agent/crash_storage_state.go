package agent

import (
	"fmt"
	"slices"
	"time"

	"fodc/messages"
)

// crashStorageState decides when the records that logs have told of are read from the disk, once at the start, and
// written, whenever they have changed. One operation is under way at a time. It may hang: nothing
// waits for it.
type crashStorageState struct {
	on     bool
	loaded bool
	busy   bool
	hangs  bool
	since  time.Time // of the operation that is under way
	due    time.Time // not before that is the next one
	// saved are the records that the disk has, saving those that are being written.
	saved, saving []*messages.Crash
	// latest are the newest records.
	latest  []*messages.Crash
	failure failureLog
	errors  uint64
}

// do begins an operation, if there is something to do.
func (s *crashStorageState) do(records []*messages.Crash, now time.Time) []crashEffect {
	s.latest = records
	switch {
	case !s.on:
	case s.busy && !s.hangs && now.Sub(s.since) >= crashTimeout:
		s.hangs = true
		return s.fails("the disk does not answer", now)
	case s.busy || now.Before(s.due):
	case !s.loaded:
		s.busy, s.since = true, now
		return []crashEffect{loadCrashes{}}
	case !slices.Equal(s.saved, records):
		s.busy, s.since, s.saving = true, now, slices.Clone(records)
		return []crashEffect{saveCrashes{s.saving}}
	}
	return nil
}

// nextDue returns when do is to be called; zero if it need not be.
func (s *crashStorageState) nextDue() time.Time {
	switch {
	case !s.on, s.hangs:
		return time.Time{}
	case s.busy:
		return s.since.Add(crashTimeout)
	case s.loaded && slices.Equal(s.saved, s.latest):
		return time.Time{}
	}
	return s.due
}

// read takes the result of the first operation. records are those that the disk has.
func (s *crashStorageState) read(records []*messages.Crash, damaged int, err error, now time.Time) []crashEffect {
	effects := s.returned(err, now)
	if err != nil {
		return effects
	}
	s.loaded, s.saved = true, records
	if damaged > 0 {
		s.errors++
		effects = append(effects, logCrash{logEntry{warn: true, text: "crash records of before the start cannot be read", cause: fmt.Sprintf("%d are damaged", damaged)}})
	}
	return effects
}

// written takes the result of a write.
func (s *crashStorageState) written(err error, now time.Time) []crashEffect {
	if err == nil {
		s.saved = s.saving
	}
	s.saving = nil
	return s.returned(err, now)
}

func (s *crashStorageState) returned(err error, now time.Time) []crashEffect {
	s.busy, s.hangs = false, false
	if err != nil {
		s.due = now.Add(crashSaveRetry)
		return s.fails(shortCause(err), now)
	}
	s.due = now
	if lasted, times, was := s.failure.end(now); was {
		return []crashEffect{logCrash{logEntry{text: "crash records are written to disk again", lasted: lasted, times: times}}}
	}
	return nil
}

func (s *crashStorageState) fails(cause string, now time.Time) []crashEffect {
	s.errors++
	if !s.failure.record(cause, now) {
		return nil
	}
	return []crashEffect{logCrash{logEntry{warn: true, text: "crash records that logs have told of are not on disk", cause: cause}}}
}
