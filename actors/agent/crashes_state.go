package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"fodc/messages"
)

const (
	// crashScanInterval is the time between two scans of a directory, crashWaitInterval that while an
	// artifact is being written, and crashAbsentInterval that while there is no directory: the first crash may
	// make it. A change that the system tells of is looked at after crashSettleTime.
	crashScanInterval   = 30 * time.Second
	crashWaitInterval   = 2 * time.Second
	crashAbsentInterval = 5 * time.Second
	crashSettleTime     = 200 * time.Millisecond
	// crashLogInterval is the time between two reads of a log that had no more.
	crashLogInterval = time.Second
	// crashPause is how many times as long as a read took is waited before the next one, and crashMinInterval
	// is waited before the next scan, so that no writer makes the agent read all the time.
	crashPause       = 4
	crashMinInterval = time.Second
	// crashTimeout is how long a read may take before it counts as hanging.
	crashTimeout = 5 * time.Second
	// crashSaveRetry is the time between two attempts to read or write the file of records.
	crashSaveRetry = 30 * time.Second
)

// Reasons of errors for metrics, beside those of package crash.
const (
	crashErrorSource  = "source"  // a directory or a log that cannot be read
	crashErrorHangs   = "hangs"   // one that does not answer
	crashErrorSkipped = "skipped" // a part of a log that was left out
	crashErrorStorage = "storage" // the file of records
)

// crashesState decides when directories and logs are read, and what is made of that. There is at most one
// read of each at a time; one that hangs delays no other one.
type crashesState struct {
	records *crashRecords
	sources []crashSourceState
	storage crashStorageState
	errors  map[string]uint64 // by reason
}

// crashSourceState is a directory or a log.
type crashSourceState struct {
	path    string
	isLog   bool
	reading bool
	since   time.Time // of the read that is under way
	hangs   bool
	due     time.Time // of the next read
	pause   time.Time // not before that is the next read
	failure failureLog
	cause   string // why it cannot be read; empty if it can
}

// crashEffect is something that the actor has to do.
type crashEffect interface{ isCrashEffect() }

type (
	startCrashRead struct{ source int }
	loadCrashes    struct{}
	saveCrashes    struct{ records []*messages.Crash }
	logCrash       struct{ logEntry }
)

func (startCrashRead) isCrashEffect() {}
func (loadCrashes) isCrashEffect()    {}
func (saveCrashes) isCrashEffect()    {}
func (logCrash) isCrashEffect()       {}

// newCrashesState returns a state with the directories, which are the first sources, and the logs. stored says that
// the records of logs are kept on disk.
func newCrashesState(dirs, logs []string, records *crashRecords, stored bool, now time.Time) *crashesState {
	s := &crashesState{records: records, errors: map[string]uint64{}, storage: crashStorageState{on: stored && len(logs) > 0, due: now}}
	for _, path := range dirs {
		s.sources = append(s.sources, crashSourceState{path: path, due: now})
	}
	for _, path := range logs {
		s.sources = append(s.sources, crashSourceState{path: path, isLog: true, due: now})
	}
	return s
}

// due does what the time has come for.
func (s *crashesState) due(now time.Time) (effects []crashEffect) {
	for i := range s.sources {
		source := &s.sources[i]
		switch {
		case !source.reading && !now.Before(source.due):
			source.reading, source.since = true, now
			effects = append(effects, startCrashRead{i})
		case source.reading && !source.hangs && now.Sub(source.since) >= crashTimeout:
			source.hangs = true
			s.errors[crashErrorHangs]++
			effects = append(effects, source.fails("it does not answer", true, now)...)
		}
	}
	effects = append(effects, s.announce(s.records.due(now))...)
	return append(effects, s.storage.do(s.records.logged, now)...)
}

// nextDue returns when due is to be called.
func (s *crashesState) nextDue() time.Time {
	var next time.Time
	add := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for i := range s.sources {
		switch source := &s.sources[i]; {
		case !source.reading:
			add(source.due)
		case !source.hangs:
			add(source.since.Add(crashTimeout))
		}
	}
	add(s.records.nextDue())
	add(s.storage.nextDue())
	return next
}

// changed says that something in a directory has changed.
func (s *crashesState) changed(source int, now time.Time) {
	d := &s.sources[source]
	soon := now.Add(crashSettleTime)
	if soon.Before(d.pause) {
		soon = d.pause
	}
	if d.reading || soon.Before(d.due) {
		d.due = soon
	}
}

// returned ends a read. The next one begins after the interval, or sooner if something has changed meanwhile.
func (s *crashSourceState) returned(interval, least time.Duration, now time.Time) {
	s.pause = now.Add(max(least, crashPause*now.Sub(s.since)))
	next := now.Add(interval)
	if changed := s.due.After(s.since); changed && s.due.Before(next) {
		next = s.due
	}
	if next.Before(s.pause) {
		next = s.pause
	}
	s.reading, s.hangs, s.due = false, false, next
}

// scanned takes the result of a scan of a directory.
func (s *crashesState) scanned(source int, scan crashScan, now time.Time) (effects []crashEffect) {
	d := &s.sources[source]
	interval := crashScanInterval
	switch {
	case scan.Waiting:
		interval = crashWaitInterval
	case errors.Is(scan.Err, fs.ErrNotExist):
		interval = crashAbsentInterval
	}
	d.returned(interval, crashMinInterval, now)
	effects = s.outcome(d, scan.Err, now)
	for _, p := range scan.Problems {
		s.errors[string(p.Reason)]++
		effects = append(effects, logCrash{logEntry{warn: true, text: "a crash artifact is left out", cause: shortCause(fmt.Errorf("%s: %q: %w", d.path, p.Name, p.Err))}})
	}
	if scan.Unnamed > 0 {
		effects = append(effects, logCrash{logEntry{warn: true, text: "further crash artifacts are left out", cause: fmt.Sprintf("%s: %d", d.path, scan.Unnamed)}})
	}
	return append(effects, s.announce(s.records.scanned(d.path, scan.Artifacts, now))...)
}

// read takes the result of a read of a log.
func (s *crashesState) read(source int, r crashLog, now time.Time) (effects []crashEffect) {
	l := &s.sources[source]
	interval := crashLogInterval
	if r.More {
		interval = 0
	}
	l.returned(interval, 0, now)
	effects = s.outcome(l, r.Err, now)
	if r.Skipped > 0 || r.Dropped > 0 {
		s.errors[crashErrorSkipped]++
		effects = append(effects, logCrash{logEntry{warn: true, text: "a part of the node's log is left out: it grows faster than it is read",
			cause: fmt.Sprintf("%s: %d bytes, %d crashes", l.path, r.Skipped, r.Dropped)}})
	}
	var added []*messages.Crash
	for _, f := range r.Found {
		if f.Exit != nil {
			added = append(added, s.records.exited(l.path, *f.Exit, now)...)
		} else {
			added = append(added, s.records.told(l.path, f.Panic, now)...)
		}
	}
	return append(effects, s.announce(added)...)
}

// exited takes the end of the node's process, as the kernel tells it.
func (s *crashesState) exited(e crashExit, now time.Time) []crashEffect {
	return s.announce(s.records.exited("", e, now))
}

// outcome logs why a source cannot be read: when that begins, changes and ends.
func (s *crashesState) outcome(source *crashSourceState, err error, now time.Time) []crashEffect {
	if err != nil {
		absent := errors.Is(err, fs.ErrNotExist)
		if !absent {
			s.errors[crashErrorSource]++
		}
		return source.fails(err.Error(), !absent, now)
	}
	source.cause = ""
	if lasted, times, was := source.failure.end(now); was {
		return []crashEffect{logCrash{logEntry{text: source.name() + " " + source.path + " is read", lasted: lasted, times: times}}}
	}
	return nil
}

func (s *crashSourceState) fails(cause string, warn bool, now time.Time) []crashEffect {
	s.cause = shortText(cause)
	if !s.failure.record(cause, now) {
		return nil
	}
	return []crashEffect{logCrash{logEntry{warn: warn, text: s.name() + " " + s.path + " cannot be read", cause: s.cause}}}
}

func (s *crashSourceState) name() string {
	if s.isLog {
		return "the node's log"
	}
	return "the directory of crash artifacts"
}

// announce logs that there are new records.
func (s *crashesState) announce(added []*messages.Crash) []crashEffect {
	if len(added) == 0 {
		return nil
	}
	newest := &slices.MaxFunc(added, compareCrashes).Panic
	text := fmt.Sprintf("a crash of the node has been found, of %s", newest.OccurredAt.Format(time.RFC3339))
	if len(added) > 1 {
		text = fmt.Sprintf("%d crashes of the node have been found, the newest of %s", len(added), newest.OccurredAt.Format(time.RFC3339))
	}
	return []crashEffect{logCrash{logEntry{warn: true, text: text, cause: shortText(newest.Component + ": " + newest.PanicValue)}}}
}

// health says how the sources do.
func (s *crashesState) health() *messages.CrashHealth {
	h := &messages.CrashHealth{Records: len(s.records.all), Sources: []messages.CrashSourceHealth{}}
	for i := range s.sources {
		source := &s.sources[i]
		kind := "directory"
		if source.isLog {
			kind = "log"
		}
		h.Sources = append(h.Sources, messages.CrashSourceHealth{Kind: kind, Path: source.path, Error: source.cause})
	}
	return h
}
