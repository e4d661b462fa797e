package agent

import (
	"maps"
	"slices"
	"time"

	"fodc/messages"
	"fodc/recorder"
)

// maxTelemetryWait bounds how long a round waits for a source; half the interval bounds it,
// too. A source that has not returned by then is not waited for in later rounds either,
// until it returns.
const maxTelemetryWait = 5 * time.Second

// telemetryState decides when the sources of the host's telemetry are read. Each interval is
// a round: every source is read in a goroutine of its own, and the results are one scrape. A
// source that hangs is not read again until it has returned.
type telemetryState struct {
	schedule schedule
	sources  []string // by their names
	timeout  time.Duration

	underWay []uint64 // by source: the round in which it was asked, 0 if it has returned
	round    uint64   // the newest
	at       time.Time
	reads    []*telemetryRead
	open     int // sources that this round waits for
	failures map[string]*failureLog

	// lastRead and recorded are the time and the number of samples of the last finished
	// round, missing has the causes of the parts that are unavailable.
	lastRead time.Time
	recorded int
	missing  map[string]string
}

// telemetryRead is the result of a source.
type telemetryRead struct {
	samples []recorder.Sample
	// same identifies what was read. If several sources have the same one, the samples of only
	// one of them are recorded.
	same  string
	parts []telemetryPart
}

// telemetryPart says how a part of a source was read.
type telemetryPart struct {
	name string
	// cause is why the part is unavailable or incomplete; empty if it was read.
	cause string
	// absent says that this host has no such part.
	absent bool
}

// telemetryRound is the sources that a new round reads, by their numbers.
type telemetryRound struct {
	start []int
	hung  []int // still under way from an earlier round: this round does without them
}

func newTelemetryState(sources []string, interval time.Duration) *telemetryState {
	return &telemetryState{schedule: newSchedule(hostTarget, interval), sources: sources,
		timeout: min(interval/2, maxTelemetryWait), underWay: make([]uint64, len(sources)), failures: map[string]*failureLog{},
		missing: map[string]string{}}
}

// due begins a round, unless one is open, and says when to ask again.
func (s *telemetryState) due(round uint64, now time.Time) (r telemetryRound, again time.Duration) {
	again = s.schedule.next(now).Sub(now)
	if s.open > 0 {
		return r, again
	}
	s.round, s.at = round, s.schedule.snap(now)
	s.reads, s.open = make([]*telemetryRead, len(s.sources)), len(s.sources)
	for i := range s.sources {
		if s.underWay[i] != 0 {
			r.hung = append(r.hung, i)
			continue
		}
		s.underWay[i] = round
		r.start = append(r.start, i)
	}
	return r, again
}

// awaited returns the sources that the round still waits for.
func (s *telemetryState) awaited() (sources []int) {
	for i := range s.reads {
		if s.open > 0 && s.reads[i] == nil {
			sources = append(sources, i)
		}
	}
	return sources
}

// returned takes the result of a source, and drops it if it comes too late. The scrape is
// nil while the round waits for other sources.
func (s *telemetryState) returned(source int, round uint64, read telemetryRead, now time.Time) (*recorder.Scrape, []logEntry) {
	if s.underWay[source] != round {
		return nil, nil // it was asked before a restart
	}
	s.underWay[source] = 0
	if round != s.round || s.open == 0 || s.reads[source] != nil {
		return nil, nil
	}
	return s.finishRead(source, read, now)
}

// lost stops waiting for a source in this round. read stands in for its result.
func (s *telemetryState) lost(source int, read telemetryRead, now time.Time) (*recorder.Scrape, []logEntry) {
	if s.open == 0 || s.reads[source] != nil {
		return nil, nil
	}
	read.parts = append(read.parts, telemetryPart{name: s.sources[source], cause: "it does not answer within " + s.timeout.String()})
	return s.finishRead(source, read, now)
}

func (s *telemetryState) finishRead(source int, read telemetryRead, now time.Time) (*recorder.Scrape, []logEntry) {
	s.reads[source] = &read
	s.open--
	var entries []logEntry
	for _, p := range read.parts {
		entries = append(entries, s.logPart(p, now)...)
	}
	if s.open > 0 {
		return nil, entries
	}
	samples := s.samples()
	s.lastRead, s.recorded = s.at, len(samples)
	return &recorder.Scrape{At: s.at, Samples: samples}, entries
}

// health returns the state of the telemetry. The caller may change it.
func (s *telemetryState) health() messages.TelemetryHealth {
	h := messages.TelemetryHealth{LastRead: s.lastRead, Samples: s.recorded, Missing: []messages.MissingPart{}}
	for _, part := range slices.Sorted(maps.Keys(s.missing)) {
		h.Missing = append(h.Missing, messages.MissingPart{Part: part, Error: s.missing[part]})
	}
	return h
}

// samples returns the samples of the round.
func (s *telemetryState) samples() []recorder.Sample {
	var all []recorder.Sample
	seen := map[string]bool{}
	for _, r := range s.reads {
		if r.same != "" && seen[r.same] {
			continue
		}
		seen[r.same] = true
		all = append(all, r.samples...)
	}
	return all
}

// logPart logs when a part of the telemetry becomes unavailable, when the cause changes and
// when the part is back.
func (s *telemetryState) logPart(p telemetryPart, now time.Time) []logEntry {
	t := s.failures[p.name]
	if p.cause == "" {
		delete(s.missing, p.name)
		if t == nil {
			return nil
		}
		if lasted, times, was := t.end(now); was {
			return []logEntry{{text: "host telemetry is there again: " + p.name, lasted: lasted, times: times}}
		}
		return nil
	}
	if t == nil {
		t = &failureLog{}
		s.failures[p.name] = t
	}
	s.missing[p.name] = p.cause
	if t.record(p.cause, now) {
		return []logEntry{{warn: !p.absent, text: "host telemetry is left out: " + p.name, cause: p.cause}}
	}
	return nil
}
