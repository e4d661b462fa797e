package agent

import (
	"cmp"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"fodc/messages"
)

const (
	// exitBefore and exitAfter are how long before and after the time of a crash record its process may
	// have ended, by clocks that need not be the same.
	exitBefore = 2 * time.Second
	exitAfter  = 10 * time.Second
	// exitWait is how long the end of a process waits for the record of its crash. After that it becomes
	// a record of its own.
	exitWait = 5 * time.Second
	// sameCrashTime is how far apart an artifact and what a log tells of the same crash may be.
	sameCrashTime = 10 * time.Second
	// killSignal ends a process that others want to end.
	killSignal = "SIGKILL"
	// maxExits bounds the ends of processes that are known.
	maxExits = 64
)

// crashRecords are the records of the node's crashes: the artifacts that it has written, and what its logs
// have told.
type crashRecords struct {
	// source is their SourceEndpoint. limit bounds the artifacts, and those of logs.
	source string
	limit  int
	// artifacts are those of each directory, by its path.
	artifacts map[string][]*messages.Crash
	// logged are the records of logs, oldest first.
	logged []*messages.Crash
	// waiting are ends of processes that wait for a record, ends those of artifacts.
	waiting []waitingExit
	ends    []crashExit

	// all are the records as they are shown, oldest first. revision changes with them, and is never the
	// one of an earlier process.
	all      []*messages.Crash
	revision uint64
}

type waitingExit struct {
	crashExit
	source string // the log that has told of it; empty: the kernel has
	until  time.Time
}

func newCrashRecords(source string, limit int, now time.Time) *crashRecords {
	return &crashRecords{source: source, limit: limit, artifacts: map[string][]*messages.Crash{}, revision: uint64(now.UnixNano())}
}

// scanned takes the artifacts of a directory. It returns the records that are new.
func (r *crashRecords) scanned(dir string, artifacts []*messages.Crash, now time.Time) (added []*messages.Crash) {
	if slices.Equal(r.artifacts[dir], artifacts) {
		return nil
	}
	r.artifacts[dir] = artifacts
	r.retryExits()
	return r.compose(now)
}

// told takes the record of a crash that a log has told of.
func (r *crashRecords) told(log string, p *messages.PanicRecord, now time.Time) (added []*messages.Crash) {
	record := *p
	record.OccurredAt = wallTime(p.OccurredAt)
	r.keep(&messages.Crash{FetchedAt: wallTime(now), SourceEndpoint: r.source, ArtifactDir: log, Panic: record})
	r.retryExits()
	return r.compose(now)
}

// exited takes the end of the node's process, as a log or the system tells it. It becomes a part of the record
// of the crash, which may come a while later, or else a record of its own, if no process should end like that.
func (r *crashRecords) exited(log string, e crashExit, now time.Time) (added []*messages.Crash) {
	if r.merge(e) {
		return r.compose(now)
	}
	for i := range r.waiting {
		if w := &r.waiting[i]; w.At.Sub(e.At).Abs() <= exitAfter && samePID(w.PID, e.PID) && sameSignal(w.Signal, e.Signal) {
			w.crashExit = joinExits(w.crashExit, e)
			return nil
		}
	}
	if len(r.waiting) < maxExits {
		r.waiting = append(r.waiting, waitingExit{e, log, now.Add(exitWait)})
	}
	return nil
}

// due makes records of the ends of processes that have waited long enough.
func (r *crashRecords) due(now time.Time) (added []*messages.Crash) {
	var left []waitingExit
	for _, w := range r.waiting {
		switch {
		case now.Before(w.until):
			left = append(left, w)
		case w.IsFailure():
			p := messages.PanicRecord{OccurredAt: wallTime(w.At), Component: crashStderr, PanicValue: w.Text, ProcessMetadata: w.Fields()}
			if w.source == "" {
				p.Component = crashKernel
			} else {
				p.ProcessMetadata[crashLogField] = filepath.Base(w.source)
			}
			r.keep(&messages.Crash{FetchedAt: wallTime(now), SourceEndpoint: r.source, ArtifactDir: w.source, Panic: p})
		}
	}
	if len(left) == len(r.waiting) {
		return nil
	}
	r.waiting = left
	return r.compose(now)
}

// nextDue returns when due is to be called; zero if it need not be.
func (r *crashRecords) nextDue() (at time.Time) {
	for _, w := range r.waiting {
		if at.IsZero() || w.until.Before(at) {
			at = w.until
		}
	}
	return at
}

// loaded takes the records of logs of an earlier process.
func (r *crashRecords) loaded(records []*messages.Crash, now time.Time) {
	for _, c := range records {
		c.SourceEndpoint = r.source
		has := func(k *messages.Crash) bool {
			return k.ArtifactDir == c.ArtifactDir && k.Panic.OccurredAt.Equal(c.Panic.OccurredAt)
		}
		if !slices.ContainsFunc(r.logged, has) {
			r.keep(c)
		}
	}
	r.compose(now)
}

// keep adds a record of a log. The oldest ones give way to it. No two of a log have the same time: a later one
// is a nanosecond later.
func (r *crashRecords) keep(c *messages.Crash) {
	at := &c.Panic.OccurredAt
	for _, k := range r.logged {
		if after := k.Panic.OccurredAt.Sub(*at); k.ArtifactDir == c.ArtifactDir && 0 <= after && after < time.Microsecond {
			*at = k.Panic.OccurredAt.Add(1)
		}
	}
	r.logged = append(r.logged, c)
	slices.SortStableFunc(r.logged, compareCrashes)
	bytes := 0
	for i, k := range slices.Backward(r.logged) {
		if bytes += k.MemoryBytes(); bytes > crashRecordsBytes || len(r.logged)-i > r.limit {
			r.logged = slices.Clone(r.logged[i+1:])
			break
		}
	}
}

// wallTime returns the time in UTC, without the reading of the process's own clock: two that are equal are the
// same then.
func wallTime(t time.Time) time.Time { return t.UTC().Round(0) }

func compareCrashes(a, b *messages.Crash) int {
	return cmp.Or(a.Panic.OccurredAt.Compare(b.Panic.OccurredAt), cmp.Compare(a.ArtifactDir, b.ArtifactDir))
}

// retryExits gives the ends of processes that wait to records that have come.
func (r *crashRecords) retryExits() {
	r.waiting = slices.DeleteFunc(r.waiting, func(w waitingExit) bool { return r.merge(w.crashExit) })
}

// merge gives the end of a process to the record of its crash, if there is one.
func (r *crashRecords) merge(e crashExit) bool {
	for i, c := range slices.Backward(r.logged) {
		if endedBy(&c.Panic, e) {
			changed := *c
			changed.Panic.ProcessMetadata = withFields(c.Panic.ProcessMetadata, e.Fields())
			r.logged[i] = &changed
			return true
		}
	}
	for _, artifacts := range r.artifacts {
		if slices.ContainsFunc(artifacts, func(c *messages.Crash) bool { return endedBy(&c.Panic, e) }) {
			if len(r.ends) == maxExits {
				r.ends = slices.Delete(r.ends, 0, 1)
			}
			r.ends = append(r.ends, e)
			return true
		}
	}
	return false
}

// endedBy reports whether the process of a record may have ended like that. Nobody kills a process that ends
// by itself: only its id, or the same said before, makes a kill that of the record.
func endedBy(p *messages.PanicRecord, e crashExit) bool {
	pid, _ := strconv.Atoi(p.ProcessMetadata[crashPIDField])
	signal := p.ProcessMetadata[crashSignalField]
	after := e.At.Sub(p.OccurredAt)
	if p.Recovered || after < -exitBefore || after > exitAfter || !samePID(pid, e.PID) || !sameSignal(signal, e.Signal) {
		return false
	}
	return e.Signal != killSignal || signal == killSignal || pid != 0 && pid == e.PID
}

// samePID reports whether two ids may be of one process; 0 is not known.
func samePID(a, b int) bool { return a == 0 || b == 0 || a == b }

// sameSignal reports whether two signals may be one; empty is not known.
func sameSignal(a, b string) bool { return a == "" || b == "" || a == b }

func joinExits(a, b crashExit) crashExit {
	a.PID, a.Signal, a.OutOfMemory = cmp.Or(a.PID, b.PID), cmp.Or(a.Signal, b.Signal), a.OutOfMemory || b.OutOfMemory
	a.Sender = cmp.Or(a.Sender, b.Sender)
	if a.Code < 0 {
		a.Code = b.Code
	}
	return a
}

// withFields returns the fields, and those of the others that they do not have.
func withFields(fields, others map[string]string) map[string]string {
	all := maps.Clone(others)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, fields)
	return all
}

// compose makes the records as they are shown, and returns those that are new. What a log tells of a crash of
// which there is an artifact is a part of that.
func (r *crashRecords) compose(now time.Time) (added []*messages.Crash) {
	artifacts := slices.Concat(slices.Collect(maps.Values(r.artifacts))...)
	slices.SortStableFunc(artifacts, compareCrashes)
	all := slices.Clone(artifacts[max(len(artifacts)-r.limit, 0):])
	for i, c := range all {
		shown := *c
		shown.SourceEndpoint = r.source
		for _, e := range r.ends {
			if endedBy(&c.Panic, e) {
				shown.Panic.ProcessMetadata = withFields(shown.Panic.ProcessMetadata, e.Fields())
			}
		}
		all[i] = &shown
	}
	artifacts = all
	for _, c := range r.logged {
		if i := slices.IndexFunc(artifacts, func(a *messages.Crash) bool { return sameCrash(&a.Panic, &c.Panic) }); i >= 0 {
			p := &artifacts[i].Panic // a copy, which nobody has yet
			p.ProcessMetadata = withFields(p.ProcessMetadata, c.Panic.ProcessMetadata)
			p.GoroutineStack = cmp.Or(p.GoroutineStack, c.Panic.GoroutineStack)
			continue
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, compareCrashes)
	return r.show(all, now)
}

// show takes the records as they are to be shown. Those that are the same as before stay what they are.
func (r *crashRecords) show(all []*messages.Crash, now time.Time) (added []*messages.Crash) {
	type key struct {
		dir string
		at  time.Time
	}
	before := map[key]*messages.Crash{}
	for _, c := range r.all {
		before[key{c.ArtifactDir, c.Panic.OccurredAt}] = c
	}
	for i, c := range all {
		switch was := before[key{c.ArtifactDir, c.Panic.OccurredAt}]; {
		case was == nil:
			added = append(added, c)
		case was == c || reflect.DeepEqual(was, c):
			all[i] = was
		}
	}
	if !slices.Equal(r.all, all) {
		r.all, r.revision = all, max(r.revision+1, uint64(now.UnixNano()))
	}
	return added
}

// sameCrash reports whether an artifact and what a log tells are of the same crash.
func sameCrash(artifact, logged *messages.PanicRecord) bool {
	a, l := artifact.ProcessMetadata[crashPIDField], logged.ProcessMetadata[crashPIDField]
	return artifact.OccurredAt.Sub(logged.OccurredAt).Abs() <= sameCrashTime && (a == "" || l == "" || a == l) &&
		artifact.PanicValue != "" && strings.Contains(logged.PanicValue, artifact.PanicValue)
}
