package agent

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fodc/messages"
)

// ruleAlert is an alert of the rules that fires.
type ruleAlert struct {
	rule, severity, summary, description string
	labels                               map[string]string
	// activeAt is when its expression first held.
	activeAt time.Time
}

// maxAlertLabels bounds the labels of an alert.
const maxAlertLabels = 64

// key tells alerts apart.
func (a *ruleAlert) key() string { return alertKey(a.rule, a.labels) }

func alertKey(rule string, labels map[string]string) string {
	var b strings.Builder
	b.WriteString(rule)
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&b, "\x00%s\x00%s", name, labels[name])
	}
	return b.String()
}

// bounded returns the alert with texts that a document may have.
func (a ruleAlert) bounded() ruleAlert {
	a.rule, a.summary, a.description = incidentText(a.rule), incidentText(a.summary), incidentText(a.description)
	switch a.severity {
	case severityCritical, severityInfo:
	default:
		a.severity = severityWarning
	}
	labels := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(a.labels)) {
		if len(labels) < maxAlertLabels {
			labels[incidentText(name)] = incidentText(a.labels[name])
		}
	}
	a.labels = labels
	return a
}

// incidentText returns a text as a document may have it.
func incidentText(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), messages.MaxIncidentText)], "")
}

// The severities, in their order.
const (
	severityInfo     = "info"
	severityWarning  = "warning"
	severityCritical = "critical"
)

var severities = []string{severityInfo, severityWarning, severityCritical}

func worse(a, b string) string {
	if slices.Index(severities, a) >= slices.Index(severities, b) {
		return a
	}
	return b
}

// firingAlert is an alert that fires now. One that is spent has had its incident, and opens no other
// one until it has stopped firing.
type firingAlert struct {
	alert ruleAlert
	spent bool
}

// evaluated takes all alerts that fire now.
func (s *incidentsState) evaluated(alerts []ruleAlert, now time.Time) (effects []incidentEffect) {
	if !s.ready {
		s.waiting = alerts
		return nil
	}
	firing, fresh := s.transitions(alerts, now)
	if s.open == nil {
		if s.open, effects = s.openByRule(firing, now); s.open == nil {
			s.countCooling(fresh, now)
		}
	}
	if s.open != nil {
		from := s.open.doc.From
		s.join(s.open, firing, now)
		if !s.open.doc.From.Equal(from) {
			effects = append(effects, keepJournal{})
		}
	}
	return append(effects, s.due(now)...)
}

// transitions keeps what fires now. It returns that, in the order of its first occurrence, and what has begun to.
func (s *incidentsState) transitions(alerts []ruleAlert, now time.Time) (firing []*firingAlert, fresh map[*firingAlert]bool) {
	before := s.firing
	s.firing, fresh = map[string]*firingAlert{}, map[*firingAlert]bool{}
	for i := range alerts {
		a := alerts[i].bounded()
		key := a.key()
		if len(firing) == messages.MaxIncidentAlerts || s.firing[key] != nil {
			continue
		}
		f := before[key]
		if f == nil {
			f = &firingAlert{}
			fresh[f] = true
			s.events.add(now, "rule", a.rule+" fires: "+a.summary)
		}
		f.alert, s.firing[key] = a, f
		firing = append(firing, f)
	}
	for _, key := range slices.Sorted(maps.Keys(before)) {
		if s.firing[key] == nil {
			s.events.add(now, "rule", before[key].alert.rule+" does not fire any more")
			s.resolved(key, now)
		}
	}
	slices.SortStableFunc(firing, func(a, b *firingAlert) int {
		if c := a.alert.activeAt.Compare(b.alert.activeAt); c != 0 {
			return c
		}
		return slices.Index(severities, b.alert.severity) - slices.Index(severities, a.alert.severity)
	})
	return firing, fresh
}

// resolved notes in incidents that are over that an alert does not fire any more.
func (s *incidentsState) resolved(key string, now time.Time) {
	for _, e := range s.entries {
		if e == s.open {
			continue
		}
		at := slices.IndexFunc(e.doc.Rules, func(r messages.IncidentAlert) bool { return r.Firing && alertKey(r.Rule, r.Labels) == key })
		if at >= 0 {
			e.change(now, false, func(doc *messages.Incident) { doc.Rules[at].Firing = false })
		}
	}
}

// openByRule opens an incident if an alert may do that. Those that may not because of a limit are counted in the last
// incident, and spent.
func (s *incidentsState) openByRule(firing []*firingAlert, now time.Time) (*incidentEntry, []incidentEffect) {
	var first *firingAlert
	counted := map[string]bool{} // rules
	for _, f := range firing {
		switch last := s.lastOf(f.alert.rule); {
		case f.spent || s.isCooling(f.alert.rule, now):
		case last != nil && s.countOf(f.alert.rule, now) >= fullIncidentsPerDay:
			s.repeat(last, f, counted, now)
		case first == nil:
			first = f
		}
	}
	if first == nil {
		return nil, nil
	}
	if last := s.lastOf(""); s.ofLastHour(now) >= maxIncidentsPerHour && last != nil {
		for _, f := range firing {
			if !f.spent && !s.isCooling(f.alert.rule, now) {
				s.repeat(last, f, counted, now)
			}
		}
		if s.limited.record("hour", now) {
			return nil, []incidentEffect{logIncident{logEntry{warn: true, text: "a rule fires, and opens no incident: it is counted in the last one",
				cause: fmt.Sprintf("%s: %d incidents were opened within an hour, at most %d are", first.alert.rule, s.ofLastHour(now), maxIncidentsPerHour)}}}
		}
		return nil, nil
	}
	s.limited = failureLog{}
	a := first.alert
	e := s.newEntry(s.newID(now), messages.IncidentRule, a.activeAt, now)
	e.profiles, e.fired = true, now
	e.doc.Severity, e.doc.Summary = a.severity, a.summary
	s.openings[a.rule]++
	s.events.add(now, "incident", "an incident begins: "+a.summary)
	return e, []incidentEffect{openIncident{e.doc.ID}, logIncident{logEntry{warn: true, text: "an incident begins: " + shortText(a.summary), cause: a.rule + ", incident " + e.doc.ID}}}
}

// newEntry adds an incident that begins now.
func (s *incidentsState) newEntry(id string, kind messages.IncidentKind, first, now time.Time) *incidentEntry {
	if first.IsZero() || first.After(now) {
		first = now
	}
	from := s.beginOf(first)
	node := s.node()
	node.Kind, node.State, node.IncidentID, node.From = kind, messages.IncidentOpen, id, from
	doc := &messages.Incident{Version: messages.IncidentVersion, ID: id, Kind: kind, State: messages.IncidentOpen, FirstOccurrence: documentTime(first), OpenedAt: documentTime(now),
		From: from, Severity: severityInfo, Nodes: []messages.IncidentNode{node}}
	e := &incidentEntry{doc: doc, opened: now, changed: now, urgent: true}
	s.entries[id] = e
	return e
}

// beginOf returns where the evidence of an incident begins.
func (s *incidentsState) beginOf(first time.Time) time.Time {
	return documentTime(s.down.extend(first.Add(-s.times.before), first, s.times.before))
}

// documentTime is a time as documents have it.
func documentTime(t time.Time) time.Time { return t.Round(0).UTC() }

// join adds what fires to the open incident.
func (s *incidentsState) join(e *incidentEntry, firing []*firingAlert, now time.Time) {
	if len(firing) == 0 && !slices.ContainsFunc(e.doc.Rules, func(r messages.IncidentAlert) bool { return r.Firing }) {
		return
	}
	isNew := false
	e.change(now, false, func(doc *messages.Incident) {
		for i := range doc.Rules {
			key := alertKey(doc.Rules[i].Rule, doc.Rules[i].Labels)
			if s.firing[key] == nil {
				doc.Rules[i].Firing = false
			}
		}
		for _, f := range firing {
			isNew = s.joinAlert(e, doc, f, now) || isNew
		}
	})
	e.restored = nil
	e.urgent = e.urgent || isNew
	if len(firing) > 0 {
		e.fired = now
	}
}

// joinAlert adds an alert to a document. It returns whether it is a new one.
func (s *incidentsState) joinAlert(e *incidentEntry, doc *messages.Incident, f *firingAlert, now time.Time) (isNew bool) {
	a, key := f.alert, f.alert.key()
	at := slices.IndexFunc(doc.Rules, func(r messages.IncidentAlert) bool { return alertKey(r.Rule, r.Labels) == key })
	doc.LastFiring = documentTime(now)
	if at < 0 {
		if len(doc.Rules) == messages.MaxIncidentAlerts {
			return false
		}
		doc.Rules = append(doc.Rules, messages.IncidentAlert{Rule: a.rule, NodeID: doc.Nodes[0].NodeID, Severity: a.severity, Summary: a.summary,
			Description: a.description, Labels: a.labels, FirstOccurrence: documentTime(a.activeAt), LastFiring: documentTime(now), Firings: 1, Firing: true})
		doc.Severity = worse(doc.Severity, a.severity)
		s.heldBefore(doc, a.activeAt)
		return true
	}
	r := &doc.Rules[at]
	if !r.Firing && !e.restored[key] {
		r.Firings++
	}
	r.Firing, r.LastFiring = true, documentTime(now)
	return false
}

// heldBefore moves the first occurrence to where a rule has held before the one that fired first, unless that is before the
// evidence begins. The evidence begins as long before it as it does before any other one.
func (s *incidentsState) heldBefore(doc *messages.Incident, activeAt time.Time) {
	first := documentTime(activeAt)
	if !first.Before(doc.FirstOccurrence) || first.Before(doc.From) {
		return
	}
	doc.FirstOccurrence = first
	if from := s.beginOf(first); from.Before(doc.From) {
		doc.From, doc.Nodes[0].From = from, from
	}
}
