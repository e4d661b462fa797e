package proxy

import (
	"slices"
	"time"

	"fodc/messages"
)

// until is when an incident is over for those that may belong to it.
func (s *incidentsState) until(e *incidentEntry, now time.Time) time.Time {
	end := e.doc.LastFiring
	if e.doc.FirstOccurrence.After(end) {
		end = e.doc.FirstOccurrence
	}
	if s.isFiring(e) && now.After(end) {
		end = now
	}
	return end.Add(s.limits.after)
}

// isFiring reports whether a rule fires, as far as is known: an agent that is away says nothing about that.
func (s *incidentsState) isFiring(e *incidentEntry) bool {
	return slices.ContainsFunc(e.doc.Rules, func(a messages.IncidentAlert) bool {
		if !a.Firing || isProxyRule(a.Rule) {
			return a.Firing
		}
		agent := s.agents[a.NodeID]
		return agent != nil && agent.online
	})
}

// belongs reports whether an agent's incident is about the same time as one of the cluster.
func (s *incidentsState) belongs(e *incidentEntry, r *report, now time.Time) bool {
	if e.doc.Kind != messages.IncidentRule || len(e.doc.Nodes) >= messages.MaxIncidentNodes && e.parts[r.node.NodeID] == nil {
		return false
	}
	if n := nodeOf(e.doc, r.node.NodeID); n != nil && e.parts[n.NodeID].own {
		return false // Of a node there is one.
	}
	if s.lost.wasDuring(e.doc, r) {
		return true
	}
	end := r.last
	if r.firing {
		end = now
	}
	return !r.first.After(s.until(e, now)) && !e.doc.FirstOccurrence.After(end.Add(s.limits.after)) && inSpan(e.doc.FirstOccurrence, e.doc.LastFiring, r.first, r.last)
}

// inSpan reports whether both spans of time are within maxIncidentSpan.
func inSpan(first1, last1, first2, last2 time.Time) bool {
	first, last := first1, last1
	if first2.Before(first) {
		first = first2
	}
	if last2.After(last) {
		last = last2
	}
	return last.Sub(first) <= maxIncidentSpan
}

// place adds an agent's incident to the one that it belongs to, or opens one.
func (s *incidentsState) place(r *report, now time.Time) {
	for _, e := range s.sorted() {
		if s.belongs(e, r, now) {
			s.join(e, r, now)
			return
		}
	}
	if s.mayOpen(r) {
		s.openFor(r, now)
	}
}

// join adds a node to an incident, and then those incidents that overlap with it because of that.
func (s *incidentsState) join(e *incidentEntry, r *report, now time.Time) {
	s.update(e, r, now)
	s.mergeOverlapping(e, now)
}

// mergeOverlapping makes one of an incident that has changed and of those that overlap with it.
func (s *incidentsState) mergeOverlapping(e *incidentEntry, now time.Time) {
	for _, other := range s.sorted() {
		into, from := e, other
		if from.doc.FirstOccurrence.Before(into.doc.FirstOccurrence) {
			into, from = from, into
		}
		if other != e && s.overlap(into, from, now) {
			s.merge(into, from, now)
			e = into
		}
	}
}

// overlap reports whether two incidents are one. The later one takes no further part then, so nobody may
// have looked at it, and its evidence may not be complete.
func (s *incidentsState) overlap(into, from *incidentEntry, now time.Time) bool {
	if into.doc.Kind != messages.IncidentRule || from.doc.Kind != messages.IncidentRule || from.doc.Pinned || !from.doc.SeenAt.IsZero() ||
		s.limits.onDisk && from.doc.State == messages.IncidentCollected || len(into.doc.Nodes)+len(from.doc.Nodes) > messages.MaxIncidentNodes {
		return false
	}
	for id, p := range from.parts {
		if q := into.parts[id]; q != nil && q.own && p.own || s.cannotComeAgain(from, id) {
			return false
		}
	}
	return !from.doc.FirstOccurrence.After(s.until(into, now)) && !into.doc.FirstOccurrence.After(s.until(from, now)) &&
		inSpan(into.doc.FirstOccurrence, into.doc.LastFiring, from.doc.FirstOccurrence, from.doc.LastFiring)
}

// merge gives the nodes of an incident to an older one, and removes it. What was fetched of it is fetched again.
func (s *incidentsState) merge(into, from *incidentEntry, now time.Time) {
	into.change(func(doc *messages.Incident) {
		for _, n := range from.doc.Nodes {
			p, has := from.parts[n.NodeID], nodeOf(doc, n.NodeID)
			switch {
			case n.IncidentID == from.doc.ID: // It has kept its evidence under the other id.
				n.IncidentID, p = "", &incidentPart{profiles: p.profiles, since: now}
			default:
				p.fetch = fetchProgress{}
			}
			n.Files, n.Bytes, n.State = nil, 0, messages.IncidentOpen
			if has == nil {
				doc.Nodes = append(doc.Nodes, n)
			} else if p.own || n.Kind == messages.IncidentRule && !into.parts[n.NodeID].own {
				*has = n
			} else {
				continue
			}
			into.parts[n.NodeID] = p
			if n.IncidentID != "" {
				s.index[partKey{n.NodeID, n.IncidentID}] = doc.ID
			}
		}
		doc.Rules = append(doc.Rules, from.doc.Rules...)
		doc.Timeline = append(doc.Timeline, from.doc.Timeline...)
		doc.Timeline = append(doc.Timeline, messages.IncidentEvent{At: documentTime(now), Kind: "incident", Text: "incident " + from.doc.ID + " is a part of this one"})
		doc.Repeated += from.doc.Repeated
		s.derive(doc)
	})
	delete(s.entries, from.doc.ID)
	s.removals = append(s.removals, incidentRemoval{from.doc.ID, true})
	if from.told == messages.IncidentOpen {
		over := from.doc.Clone()
		over.State, over.To = messages.IncidentFrozen, documentTime(now)
		s.news = append(s.news, incidentNews{doc: &over})
	}
}

// openFor opens an incident for one of an agent.
func (s *incidentsState) openFor(r *report, now time.Time) {
	e := s.openNew(r.kind, r.first, now)
	s.join(e, r, now)
	for _, a := range e.doc.Rules[:min(1, len(e.doc.Rules))] {
		s.countOpened(a.Rule)
	}
}

// maxOpenedRules bounds the rules that the metric names.
const maxOpenedRules = 100

func (s *incidentsState) countOpened(rule string) {
	if _, known := s.opened[rule]; !known && len(s.opened) >= maxOpenedRules {
		rule = "other"
	}
	s.opened[rule]++
}

// openNew adds an incident that has no nodes yet.
func (s *incidentsState) openNew(kind messages.IncidentKind, first, now time.Time) *incidentEntry {
	doc := &messages.Incident{Version: messages.IncidentVersion, ID: s.newID(first), Kind: kind, State: messages.IncidentOpen, FirstOccurrence: documentTime(first),
		OpenedAt: documentTime(now), From: documentTime(first.Add(-s.limits.before)), Severity: "info"}
	e := &incidentEntry{doc: doc, parts: map[string]*incidentPart{}, since: now, dirty: true}
	s.entries[doc.ID] = e
	return e
}

// mayOpen decides whether an agent's incident opens one. If not, it is counted in a former one.
func (s *incidentsState) mayOpen(r *report) bool {
	key := partKey{r.node.NodeID, r.id}
	if len(s.entries) >= s.limits.maxCount && !r.open && s.isOlderThanAll(r) {
		s.never(key) // The store has no room for it, and may have removed it before.
		return false
	}
	rule := ""
	if len(r.alerts) > 0 {
		rule = r.alerts[0].Rule
	}
	var newest *incidentEntry
	day, hour := 0, 0
	for _, e := range s.sorted() {
		if n := nodeOf(e.doc, r.node.NodeID); n == nil || n.Kind != messages.IncidentRule {
			continue
		}
		apart := r.first.Sub(e.doc.FirstOccurrence).Abs()
		if apart < time.Hour {
			hour++
			newest = e
		}
		if isRule := func(a messages.IncidentAlert) bool { return a.NodeID == r.node.NodeID && a.Rule == rule }; apart < 24*time.Hour && slices.ContainsFunc(e.doc.Rules, isRule) {
			day++
			newest = e
		}
	}
	if hour < maxIncidentsPerHour && day < fullIncidentsPerDay {
		return s.makeShare(r.node.NodeID)
	}
	s.never(key)
	if r.first.After(newest.doc.RepeatedAt) { // Otherwise a former process has counted it.
		newest.change(func(doc *messages.Incident) { doc.Repeated, doc.RepeatedAt = doc.Repeated+1, r.first })
	}
	return false
}

func (s *incidentsState) isOlderThanAll(r *report) bool {
	for _, e := range s.entries {
		if !r.first.Before(e.doc.FirstOccurrence) {
			return false
		}
	}
	return true
}

// makeShare removes an incident of a node that has as many as one may have: the oldest that is not pinned, the first one
// of each rule last. It returns false if there is none. So a node that has many of them costs no other one's.
func (s *incidentsState) makeShare(nodeID string) bool {
	var oldest, repeated *incidentEntry
	n, rules := 0, map[string]bool{}
	for _, e := range s.sorted() {
		if e.problems() != 1 || nodeOf(e.doc, nodeID) == nil || nodeOf(e.doc, nodeID).Kind != messages.IncidentRule {
			continue
		}
		n++
		isNew := false
		for i := range e.doc.Rules {
			isNew = isNew || !rules[e.doc.Rules[i].Rule]
			rules[e.doc.Rules[i].Rule] = true
		}
		if e.doc.Pinned || e.doc.State == messages.IncidentOpen {
			continue
		}
		if oldest == nil {
			oldest = e
		}
		if repeated == nil && !isNew {
			repeated = e
		}
	}
	if repeated != nil {
		oldest = repeated
	}
	if n < max(s.limits.maxCount/nodeShare, 1) {
		return true
	}
	if oldest == nil {
		return false
	}
	s.forget(oldest)
	s.removals = append(s.removals, incidentRemoval{remove: oldest.doc.ID})
	return true
}
