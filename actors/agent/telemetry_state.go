package agent

import (
	"maps"
	"slices"
	"time"

	"fodc/messages"
	"fodc/recorder"
)

// maxTelemetryWait bounds how long the readings of a round wait for a source that does
// not answer, as does half the interval. A source that has not answered by then is
// waited for no more, until it has.
const maxTelemetryWait = 5 * time.Second

// telemetryState is the rules of the host's telemetry. Each interval is a round: every
// source is read, each on its own, and what they gave is one scrape. A source that
// hangs is not read again until it has returned.
type telemetryState struct {
	schedule schedule
	sources  []string // by their names
	patience time.Duration

	underWay []uint64 // by source: the round in which it was asked, 0 if it has returned
	round    uint64   // the newest
	at       time.Time
	reads    []*telemetryRead
	open     int // sources that this round waits for
	troubles map[string]*lasting

	// lastRead and recorded are of the newest round that is over, missing are the causes
	// of the parts that are not there.
	lastRead time.Time
	recorded int
	missing  map[string]string
}

// telemetryRead is what a source gave.
type telemetryRead struct {
	readings []recorder.Sample
	// same is equal for sources that read the same, of which one is enough.
	same  string
	parts []telemetryPart
}

// telemetryPart says how a part of a source was read.
type telemetryPart struct {
	name string
	// cause is why it is not there, or not all of it; empty if it is.
	cause string
	// absent says that the host does not have it.
	absent bool
}

// telemetryRound is what a new round asks for, by the sources' numbers.
type telemetryRound struct {
	start []int
	hung  []int // what they have lost is to be told at once
}

func newTelemetryState(sources []string, interval time.Duration) *telemetryState {
	return &telemetryState{schedule: newSchedule(hostTarget, interval), sources: sources,
		patience: min(interval/2, maxTelemetryWait), underWay: make([]uint64, len(sources)), troubles: map[string]*lasting{},
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

// returned takes what a source gave. It is dropped if it comes too late. The scrape is
// nil while others are waited for.
func (s *telemetryState) returned(source int, round uint64, read telemetryRead, now time.Time) (*recorder.Scrape, []note) {
	if s.underWay[source] != round {
		return nil, nil // it was asked before a restart
	}
	s.underWay[source] = 0
	if round != s.round || s.open == 0 || s.reads[source] != nil {
		return nil, nil
	}
	return s.settle(source, read, now)
}

// lost gives up waiting for a source in this round; read is what is recorded of that.
func (s *telemetryState) lost(source int, read telemetryRead, now time.Time) (*recorder.Scrape, []note) {
	if s.open == 0 || s.reads[source] != nil {
		return nil, nil
	}
	read.parts = append(read.parts, telemetryPart{name: s.sources[source], cause: "it does not answer within " + s.patience.String()})
	return s.settle(source, read, now)
}

func (s *telemetryState) settle(source int, read telemetryRead, now time.Time) (*recorder.Scrape, []note) {
	s.reads[source] = &read
	s.open--
	var notes []note
	for _, p := range read.parts {
		notes = append(notes, s.tell(p, now)...)
	}
	if s.open > 0 {
		return nil, notes
	}
	readings := s.readings()
	s.lastRead, s.recorded = s.at, len(readings)
	return &recorder.Scrape{At: s.at, Samples: readings}, notes
}

// health returns how the telemetry does. It is the caller's.
func (s *telemetryState) health() messages.TelemetryHealth {
	h := messages.TelemetryHealth{LastRead: s.lastRead, Readings: s.recorded, Missing: []messages.MissingPart{}}
	for _, part := range slices.Sorted(maps.Keys(s.missing)) {
		h.Missing = append(h.Missing, messages.MissingPart{Part: part, Error: s.missing[part]})
	}
	return h
}

// readings are those of the round.
func (s *telemetryState) readings() []recorder.Sample {
	var all []recorder.Sample
	seen := map[string]bool{}
	for _, r := range s.reads {
		if r.same != "" && seen[r.same] {
			continue
		}
		seen[r.same] = true
		all = append(all, r.readings...)
	}
	return all
}

// tell says once that a part is not there, and once that it is again.
func (s *telemetryState) tell(p telemetryPart, now time.Time) []note {
	t := s.troubles[p.name]
	if p.cause == "" {
		delete(s.missing, p.name)
		if t == nil {
			return nil
		}
		if lasted, times, was := t.over(now); was {
			return []note{{text: "host telemetry is there again: " + p.name, lasted: lasted, times: times}}
		}
		return nil
	}
	if t == nil {
		t = &lasting{}
		s.troubles[p.name] = t
	}
	s.missing[p.name] = p.cause
	if t.met(p.cause, now) {
		return []note{{warn: !p.absent, text: "host telemetry is left out: " + p.name, cause: p.cause}}
	}
	return nil
}
