package agent

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fodc/messages"
)

// requested opens an incident because somebody wants it.
func (s *incidentsState) requested(o messages.IncidentOrder, now time.Time) (doc *messages.Incident, effects []incidentEffect, err error) {
	if err := s.checkAsked(now); err != nil {
		return nil, nil, err
	}
	before, after := max(o.Before, 0), min(max(o.After, 0), s.times.maxDuration)
	e := s.ask(s.newID(now), messages.IncidentRequest, now, now.Add(-before), now.Add(after), now)
	e.profiles = o.Profiles
	s.explain(e, o.Reason, o.By)
	return e.doc, s.begin(e, now), nil
}

// freezeAsked opens an incident because the proxy wants it, or says when one ends that it has asked for.
func (s *incidentsState) freezeAsked(q messages.FreezeQuestion, now time.Time) (doc *messages.Incident, effects []incidentEffect, err error) {
	if e := s.entries[q.ID]; e != nil {
		if e.phase == incidentIsOpen && !e.ends && e.doc.Kind != messages.IncidentRule && !q.To.IsZero() {
			effects = s.setBegin(e, q, now)
			s.setEnd(e, q.To, now)
			effects = append(effects, s.due(now)...)
		}
		return e.doc, effects, nil
	}
	switch {
	case !messages.ValidIncidentID(q.ID):
		return nil, nil, fmt.Errorf("the incident's id %.40q is no ULID", q.ID)
	case q.Kind != messages.IncidentContext && q.Kind != messages.IncidentRequest:
		return nil, nil, fmt.Errorf("the kind %.40q of an incident cannot be asked for", q.Kind)
	case q.From.IsZero() || q.From.After(now.Add(s.times.maxDuration)) || !q.To.IsZero() && q.To.Before(q.From):
		return nil, nil, fmt.Errorf("the time from %s to %s is not valid", q.From.Format(time.RFC3339), q.To.Format(time.RFC3339))
	}
	if !s.ready {
		return nil, nil, errNotRead
	}
	if err := s.checkAsked(now); err != nil {
		return nil, nil, err
	}
	e := s.ask(q.ID, q.Kind, q.FirstOccurrence, q.From, q.To, now)
	e.profiles = q.Profiles
	s.explain(e, q.Reason, q.By)
	return e.doc, s.begin(e, now), nil
}

// errNotRead says that there may be an incident that is not known yet.
var errNotRead = messages.Errorf(messages.ErrUnavailable, "the incidents of the former process are being read: try again in a second")

// checkAsked returns an error if too many incidents were asked for.
func (s *incidentsState) checkAsked(now time.Time) error {
	var open []messages.AskedIncident
	for _, e := range s.sorted() {
		if e.phase != incidentIsFrozen && e.doc.Kind != messages.IncidentRule {
			open = append(open, messages.AskedIncident{ID: e.doc.ID, Left: s.leftOf(e, now)})
		}
	}
	s.askedAt = slices.DeleteFunc(s.askedAt, func(at time.Time) bool { return !within(at, now, time.Hour) })
	switch {
	case len(open) >= maxAskedIncidents:
		return messages.TooManyAsked(open, maxAskedIncidents)
	case len(s.askedAt) >= maxAskedPerHour:
		return messages.TooManyAskedInAnHour(len(s.askedAt), maxAskedPerHour, now.Sub(s.askedAt[0]))
	}
	s.askedAt = append(s.askedAt, now)
	return nil
}

// leftOf returns after which time an incident is frozen that was asked for, if all goes well.
func (s *incidentsState) leftOf(e *incidentEntry, now time.Time) time.Duration {
	switch {
	case e.phase != incidentIsOpen:
		return 0
	case e.ends:
		return e.length - since(&e.opened, now)
	}
	return s.times.maxDuration + s.times.after - since(&e.opened, now)
}

// ask adds an incident of a given time.
func (s *incidentsState) ask(id string, kind messages.IncidentKind, first, from, to, now time.Time) *incidentEntry {
	e := s.newEntry(id, kind, first, now)
	if first.IsZero() {
		first = from
	}
	from = latest(from, now.Add(-s.journalReach()))
	e.doc.From, e.doc.Nodes[0].From, e.doc.FirstOccurrence = documentTime(from), documentTime(from), documentTime(first)
	if !to.IsZero() {
		s.setEnd(e, to, now)
	}
	return e
}

// maxAskedReach bounds how far back an incident may be that was asked for.
const maxAskedReach = 31 * 24 * time.Hour

func (s *incidentsState) journalReach() time.Duration { return maxAskedReach }

// setBegin has the evidence begin earlier, as that of the node does that the proxy asks for: it has held earlier there than was
// known at first.
func (s *incidentsState) setBegin(e *incidentEntry, q messages.FreezeQuestion, now time.Time) []incidentEffect {
	from := documentTime(latest(q.From, now.Add(-s.journalReach())))
	if q.From.IsZero() || !from.Before(e.doc.From) {
		return nil
	}
	e.change(now, true, func(doc *messages.Incident) {
		doc.From, doc.Nodes[0].From = from, from
		if first := documentTime(q.FirstOccurrence); !q.FirstOccurrence.IsZero() && first.Before(doc.FirstOccurrence) {
			doc.FirstOccurrence = first
		}
	})
	return []incidentEffect{keepJournal{}}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// setEnd says when an incident ends that was asked for.
func (s *incidentsState) setEnd(e *incidentEntry, to, now time.Time) {
	if latest := now.Add(s.times.maxDuration + s.times.after); to.After(latest) {
		to = latest
	}
	e.opened, e.length, e.ends = now, max(to.Sub(now), 0), true
	e.change(now, true, func(doc *messages.Incident) { doc.To, doc.Nodes[0].To = documentTime(to), documentTime(to) })
}

// explain says what somebody wants, and who it is.
func (s *incidentsState) explain(e *incidentEntry, reason, by string) {
	reason = strings.TrimSpace(incidentText(reason))
	e.doc.Summary = reason
	if e.doc.Kind == messages.IncidentRequest {
		e.doc.Reason, e.doc.RequestedBy = reason, incidentText(by)
	}
}

func (s *incidentsState) begin(e *incidentEntry, now time.Time) []incidentEffect {
	what := "evidence is kept for an incident of another node"
	if e.doc.Kind == messages.IncidentRequest {
		what = "evidence is kept as somebody wants it"
	}
	s.events.add(now, "incident", what+": "+e.doc.Summary)
	effects := []incidentEffect{openIncident{e.doc.ID}, logIncident{logEntry{text: what + ": " + shortText(e.doc.Summary), cause: e.doc.RequestedBy}}}
	return append(effects, s.due(now)...)
}

// act does something to an incident. It returns nil for one that is removed.
func (s *incidentsState) act(id string, action messages.IncidentAction, now time.Time) (*messages.Incident, []incidentEffect, error) {
	e := s.entries[id]
	if e == nil {
		return nil, nil, messages.Errorf(messages.ErrNotFound, "there is no incident %.40q", id)
	}
	switch action {
	case messages.IncidentPin, messages.IncidentUnpin:
		if pinned := action == messages.IncidentPin; e.doc.Pinned != pinned {
			e.change(now, true, func(doc *messages.Incident) { doc.Pinned = pinned })
		}
	case messages.IncidentSeen:
		if e.doc.SeenAt.IsZero() {
			e.change(now, true, func(doc *messages.Incident) { doc.SeenAt = documentTime(now) })
		}
	case messages.IncidentDelete:
		if e.phase != incidentIsFrozen {
			return nil, nil, messages.ErrIncidentOpen
		}
		delete(s.entries, id)
		return nil, append([]incidentEffect{removeIncident{id}, s.announce()}, s.due(now)...), nil
	default:
		return nil, nil, fmt.Errorf("the action %.40q is not known", action)
	}
	return e.doc, s.due(now), nil
}

// evicted takes the ids of the incidents that the store has removed to make room.
func (s *incidentsState) evicted(ids []string) []incidentEffect {
	n := 0
	for _, id := range ids {
		if e := s.entries[id]; e != nil && e.phase == incidentIsFrozen {
			delete(s.entries, id)
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return []incidentEffect{s.announce()}
}

// view returns the document of an incident as it is now.
func (s *incidentsState) view(e *incidentEntry) *messages.Incident {
	if e.phase == incidentIsFrozen {
		return e.doc
	}
	doc := e.doc.Clone()
	doc.Timeline, doc.EventsDropped = s.timeline(&doc)
	return &doc
}
