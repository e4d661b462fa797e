package agent

import (
	"slices"
	"time"

	"fodc/messages"
)

// Limits of incidents.
const (
	// maxCoolDown bounds how long a rule opens no incident after one that it has opened.
	maxCoolDown = 2 * time.Hour
	// maxIncidentsPerHour bounds the incidents that rules open.
	maxIncidentsPerHour = 6
	// fullIncidentsPerDay is how many incidents of a rule are kept whole. Later ones are only counted.
	fullIncidentsPerDay = 3
	// maxAskedIncidents bounds those that somebody has asked for and that are not frozen yet,
	// maxAskedPerHour all that somebody has asked for.
	maxAskedIncidents = 8
	maxAskedPerHour   = 60
	// moreIncidentSpan is by how much the evidence of an incident may be longer than what the
	// configuration says, because a rule has held for long before it fired.
	moreIncidentSpan = time.Hour
	// incidentSaveDelay is after which time a change is saved and announced that is not urgent.
	incidentSaveDelay = 30 * time.Second
	// captureSaveDelay is the same for the first captures, which come together, and moreCapturesSaveDelay for those that come one
	// by one after them: a file that no document names yet survives a kill, but not a host that is gone for good.
	captureSaveDelay      = 2 * time.Second
	moreCapturesSaveDelay = 10 * time.Second
	// maxFreezeTime is after which time a freeze counts as failed.
	maxFreezeTime = 5 * time.Minute
)

// incidentTimes are the times that the configuration sets.
type incidentTimes struct {
	before, after, coolDown, maxDuration time.Duration
}

// span is how long the evidence of an incident may be.
func (t incidentTimes) span() time.Duration {
	return t.before + t.after + t.maxDuration + moreIncidentSpan
}

// incidentPhase is how far an incident is at the agent.
type incidentPhase uint8

const (
	incidentIsOpen incidentPhase = iota
	incidentIsFreezing
	incidentIsFrozen
)

// incidentEntry is an incident of the agent.
type incidentEntry struct {
	// doc is not changed: a change puts another one in its place.
	doc   *messages.Incident
	phase incidentPhase
	// profiles says that the node is asked for its profiles.
	profiles bool
	// opened, fired and freezing are times of this process: a step of the clock does not matter to them.
	opened, fired, freezing time.Time
	// length is after which time one is frozen that was asked for, if ends says that this is known.
	length time.Duration
	ends   bool
	// restored are the alerts that fired when the process before this one ended.
	restored map[string]bool
	// changed is when the first change happened that is not saved; zero: there is none. urgent says not to wait, soon
	// not for long.
	changed      time.Time
	urgent, soon bool
	// captures says that the first captures were saved.
	captures bool
	// announced is the document of the last announcement, and revision the one with which it came.
	announced *messages.Incident
	revision  uint64
}

// saveDelay is how long a change may wait.
func (e *incidentEntry) saveDelay() time.Duration {
	switch {
	case e.urgent:
		return 0
	case e.soon && e.captures:
		return moreCapturesSaveDelay
	case e.soon:
		return captureSaveDelay
	}
	return incidentSaveDelay
}

// change replaces the document by a changed one.
func (e *incidentEntry) change(now time.Time, urgent bool, edit func(doc *messages.Incident)) {
	doc := e.doc.Clone()
	edit(&doc)
	e.doc = &doc
	if e.changed.IsZero() {
		e.changed = now
	}
	e.urgent = e.urgent || urgent
}

// incidentsState decides when there is an incident, how long it is open, and what belongs to it.
type incidentsState struct {
	times incidentTimes
	// node says who the node is, newID returns a new id.
	node  func() messages.IncidentNode
	newID func(now time.Time) string

	entries map[string]*incidentEntry
	// open is the one that rules have opened; nil if there is none.
	open *incidentEntry
	// ready says that the incidents of former processes are known. waiting are alerts that came before.
	ready   bool
	waiting []ruleAlert
	// early is what has happened before they were known, oldest first.
	early   []ruleAlert
	firing  map[string]*firingAlert
	cooling map[string]*ruleCoolDown // by rule
	askedAt []time.Time
	events  incidentEvents
	down    agentGap
	// revision is that of the last announcement; begun is that of no document.
	revision, begun uint64
	// openings counts the incidents that were opened, by rule; failures the captures that failed, by what.
	openings, failures map[string]uint64
	limited            failureLog // of the limit per hour
}

// incidentEffect is something that the actor has to do.
type incidentEffect interface{ isIncidentEffect() }

type (
	// openIncident has the evidence of an incident captured.
	openIncident struct{ id string }
	// freezeIncident ends that, and writes what was recorded.
	freezeIncident struct{ id string }
	// saveIncident writes the document.
	saveIncident struct{ id string }
	// removeIncident removes all of an incident.
	removeIncident struct{ id string }
	// keepJournal has the journal keep what the incidents need that are not frozen: one of them begins earlier now.
	keepJournal struct{}
	// announceIncidents tells the proxies of the revision.
	announceIncidents struct{ revision uint64 }
	logIncident       struct{ logEntry }
)

func (openIncident) isIncidentEffect()      {}
func (freezeIncident) isIncidentEffect()    {}
func (saveIncident) isIncidentEffect()      {}
func (removeIncident) isIncidentEffect()    {}
func (keepJournal) isIncidentEffect()       {}
func (announceIncidents) isIncidentEffect() {}
func (logIncident) isIncidentEffect()       {}

// newIncidentsState returns a state that waits for the incidents of former processes.
func newIncidentsState(times incidentTimes, node func() messages.IncidentNode, newID func(time.Time) string, now time.Time) *incidentsState {
	return &incidentsState{times: times, node: node, newID: newID, entries: map[string]*incidentEntry{}, firing: map[string]*firingAlert{},
		cooling: map[string]*ruleCoolDown{}, openings: map[string]uint64{}, failures: map[string]uint64{}, revision: uint64(now.UnixNano()), begun: uint64(now.UnixNano())}
}

// since returns how much time has passed. A clock that was set back begins again.
func since(from *time.Time, now time.Time) time.Duration {
	if now.Before(*from) {
		*from = now
	}
	return now.Sub(*from)
}

// due does what the time has come for.
func (s *incidentsState) due(now time.Time) (effects []incidentEffect) {
	for _, e := range s.sorted() {
		switch e.phase {
		case incidentIsOpen:
			if to, over := s.endOf(e, now); over {
				effects = append(effects, s.freeze(e, to, now)...)
			}
		case incidentIsFreezing:
			if since(&e.freezing, now) >= maxFreezeTime {
				effects = append(effects, s.frozen(e.doc.ID, nil, []messages.EvidenceMissing{{What: messages.EvidenceWindow, Reason: "the freeze did not end"}}, now)...)
			}
		}
	}
	for rule := range s.cooling {
		s.isCooling(rule, now)
	}
	return append(effects, s.save(now)...)
}

// endOf returns whether an open incident is over, and where its evidence ends.
func (s *incidentsState) endOf(e *incidentEntry, now time.Time) (to time.Time, over bool) {
	age := since(&e.opened, now)
	if e.doc.Kind != messages.IncidentRule {
		if !e.ends {
			return now, age >= s.times.maxDuration+s.times.after
		}
		return e.doc.To, age >= e.length
	}
	if to = e.doc.LastFiring.Add(s.times.after); to.After(now) {
		to = now
	}
	if age >= s.times.maxDuration {
		return to, true
	}
	if since(&e.fired, now) < s.times.after || slices.ContainsFunc(e.doc.Rules, func(a messages.IncidentAlert) bool { return a.Firing }) {
		return time.Time{}, false
	}
	return to, true
}

// nextDue returns after which time due is to be called.
func (s *incidentsState) nextDue(now time.Time) (after time.Duration, any bool) {
	add := func(d time.Duration) {
		if d = max(d, 0); !any || d < after {
			after, any = d, true
		}
	}
	for _, e := range s.entries {
		switch {
		case e.phase == incidentIsFreezing:
			add(maxFreezeTime - since(&e.freezing, now))
		case e.phase == incidentIsOpen && e.doc.Kind == messages.IncidentRule:
			add(s.times.maxDuration - since(&e.opened, now))
			if quiet := since(&e.fired, now); quiet < s.times.after {
				add(s.times.after - quiet)
			}
		case e.phase == incidentIsOpen && !e.ends:
			add(s.times.maxDuration + s.times.after - since(&e.opened, now))
		case e.phase == incidentIsOpen:
			add(e.length - since(&e.opened, now))
		}
		if !e.changed.IsZero() {
			add(e.saveDelay() - since(&e.changed, now))
		}
	}
	return after, any
}

// save saves and announces what has changed, if that may not wait any more.
func (s *incidentsState) save(now time.Time) (effects []incidentEffect) {
	for _, e := range s.sorted() {
		if e.changed.IsZero() || since(&e.changed, now) < e.saveDelay() {
			continue
		}
		e.captures = e.captures || e.soon
		e.changed, e.urgent, e.soon = time.Time{}, false, false
		effects = append(effects, saveIncident{e.doc.ID})
	}
	if len(effects) > 0 {
		effects = append(effects, s.announce())
	}
	return effects
}

// flush saves all that has changed at once.
func (s *incidentsState) flush(now time.Time) []incidentEffect {
	for _, e := range s.entries {
		if e.phase == incidentIsOpen {
			s.touch(e.doc.ID, now)
		}
		e.urgent = true
	}
	return s.save(now)
}

// touch has an incident saved.
func (s *incidentsState) touch(id string, now time.Time) {
	if e := s.entries[id]; e != nil {
		e.changed, e.urgent = now, true
	}
}

// saveFailed has an incident saved again later.
func (s *incidentsState) saveFailed(id string, now time.Time) {
	if e := s.entries[id]; e != nil && e.changed.IsZero() {
		e.changed = now
	}
}

// sorted returns the incidents, oldest first.
func (s *incidentsState) sorted() []*incidentEntry {
	all := make([]*incidentEntry, 0, len(s.entries))
	for _, e := range s.entries {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *incidentEntry) int {
		if c := a.doc.OpenedAt.Compare(b.doc.OpenedAt); c != 0 {
			return c
		}
		if a.doc.ID < b.doc.ID {
			return -1
		}
		return 1
	})
	return all
}
