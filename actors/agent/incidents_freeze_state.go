package agent

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fodc/messages"
)

// agentGap is a time in which the agent did not run.
type agentGap struct{ from, to time.Time }

// extend returns where the evidence of an incident begins, of which from to first is wanted: so much before the gap,
// if the incident began right after it. A node that ended together with its agent has its last minutes there.
func (g agentGap) extend(from, first time.Time, before time.Duration) time.Time {
	if g.to.IsZero() || !from.Before(g.to) || first.Before(g.from) {
		return from
	}
	if earlier := g.from.Add(-before); earlier.Before(from) {
		return earlier
	}
	return from
}

// within returns how much of a time the agent did not run.
func (g agentGap) within(from, to time.Time) time.Duration {
	if g.from.After(from) {
		from = g.from
	}
	if g.to.Before(to) {
		to = g.to
	}
	return max(to.Sub(from), 0)
}

// freeze ends an incident. Alerts that still fire open no other one.
func (s *incidentsState) freeze(e *incidentEntry, to, now time.Time) []incidentEffect {
	e.phase, e.freezing = incidentIsFreezing, now
	from := e.doc.From
	if to = documentTime(to); to.Before(from) { // The clock was set back meanwhile.
		from = to.Add(-s.times.before)
	}
	cut := false
	if earliest := to.Add(-s.times.span() - s.down.within(from, to)); from.Before(earliest) {
		from, cut = earliest, true
	}
	if e == s.open {
		s.open = nil
		for _, rule := range rulesOf(e.doc) {
			s.cool(rule, now, now)
		}
		for _, f := range s.firing {
			f.spent = true
		}
	}
	e.change(now, true, func(doc *messages.Incident) {
		node := &doc.Nodes[0]
		doc.From, doc.To, node.From, node.To = from, to, from, to
		if cut {
			addMissing(node, messages.EvidenceWindow, fmt.Sprintf("the time before %s: at most %s are kept", from.Format(time.RFC3339), s.times.span()))
		}
	})
	s.events.add(now, "incident", "incident "+e.doc.ID+" ends")
	return []incidentEffect{freezeIncident{e.doc.ID}}
}

func rulesOf(doc *messages.Incident) (rules []string) {
	for i := range doc.Rules {
		if !slices.Contains(rules, doc.Rules[i].Rule) {
			rules = append(rules, doc.Rules[i].Rule)
		}
	}
	return rules
}

// captured takes a file of the evidence, or why it could not be had.
func (s *incidentsState) captured(id string, file *messages.EvidenceFile, missing *messages.EvidenceMissing, now time.Time) []incidentEffect {
	e := s.entries[id]
	if e == nil || e.phase == incidentIsFrozen {
		return nil
	}
	e.change(now, false, func(doc *messages.Incident) { s.addEvidence(&doc.Nodes[0], file, missing) })
	e.soon = true
	return s.due(now)
}

func (s *incidentsState) addEvidence(node *messages.IncidentNode, file *messages.EvidenceFile, missing *messages.EvidenceMissing) {
	if missing != nil {
		if addMissing(node, missing.What, missing.Reason) {
			s.failures[missing.What]++
		}
	}
	if file == nil {
		return
	}
	if at := slices.IndexFunc(node.Files, func(f messages.EvidenceFile) bool { return f.Path == file.Path }); at >= 0 {
		node.Files[at] = *file
	} else if len(node.Files) < messages.MaxEvidenceFiles {
		node.Files = append(node.Files, *file)
	}
	node.Bytes = 0
	for _, f := range node.Files {
		node.Bytes += f.Bytes
	}
}

// addMissing adds what could not be had, once. It returns whether that was not known.
func addMissing(node *messages.IncidentNode, what, reason string) bool {
	m := messages.EvidenceMissing{What: incidentText(what), Reason: incidentText(strings.ReplaceAll(reason, "\n", "; "))}
	if slices.Contains(node.Missing, m) {
		return false
	}
	if len(node.Missing) < messages.MaxEvidenceMissing {
		node.Missing = append(node.Missing, m)
	}
	return true
}

// frozen takes the last files of the evidence: nothing is added any more.
func (s *incidentsState) frozen(id string, files []messages.EvidenceFile, missing []messages.EvidenceMissing, now time.Time) []incidentEffect {
	e := s.entries[id]
	if e == nil || e.phase != incidentIsFreezing {
		return nil
	}
	e.phase = incidentIsFrozen
	e.change(now, true, func(doc *messages.Incident) {
		node := &doc.Nodes[0]
		for i := range files {
			s.addEvidence(node, &files[i], nil)
		}
		for i := range missing {
			s.addEvidence(node, nil, &missing[i])
		}
		doc.State, node.State, doc.FrozenAt = messages.IncidentFrozen, messages.IncidentFrozen, documentTime(now)
		doc.Timeline, doc.EventsDropped = s.timeline(doc)
	})
	return append([]incidentEffect{logIncident{frozenEntry(e.doc)}}, s.due(now)...)
}

// frozenEntry says what there is of an incident.
func frozenEntry(doc *messages.Incident) logEntry {
	node := &doc.Nodes[0]
	n := logEntry{text: fmt.Sprintf("the evidence of incident %s is kept, from %s to %s: %d files, %d bytes", doc.ID, doc.From.Format(time.RFC3339),
		doc.To.Format(time.RFC3339), len(node.Files), node.Bytes)}
	if len(node.Missing) > 0 {
		n.cause = fmt.Sprintf("%d could not be had:", len(node.Missing))
		for i, m := range node.Missing {
			if i == maxLoggedMissing {
				n.cause += " ..."
				break
			}
			n.cause += " " + m.What + ": " + shortText(m.Reason) + ";"
		}
	}
	return n
}

// maxLoggedMissing bounds what is logged of that.
const maxLoggedMissing = 5

// loaded takes the incidents of former processes. Those that are open go on, or are over.
func (s *incidentsState) loaded(docs []messages.Incident, now time.Time) (effects []incidentEffect) {
	var restored []*incidentEntry
	for i := range docs {
		doc := docs[i].Clone()
		if s.entries[doc.ID] != nil || len(doc.Nodes) != 1 {
			continue
		}
		e := &incidentEntry{doc: &doc, phase: incidentIsFrozen}
		s.entries[doc.ID] = e
		if doc.State == messages.IncidentOpen {
			s.restore(e, now)
			restored = append(restored, e)
		}
	}
	for _, e := range s.sorted() {
		s.restoreCoolDown(e, now)
	}
	effects = s.due(now)
	for _, e := range restored {
		if e.phase == incidentIsOpen {
			effects = append(effects, openIncident{e.doc.ID})
		}
	}
	if !s.ready {
		s.ready = true
		effects = append(effects, s.evaluated(s.waiting, now)...)
		s.waiting = nil
		for _, a := range s.early {
			effects = append(effects, s.happened(a, now)...)
		}
		s.early = nil
	}
	return append(effects, s.announce())
}

// restore has an incident go on that was open when the process before this one ended.
func (s *incidentsState) restore(e *incidentEntry, now time.Time) {
	doc := e.doc
	ago := func(at time.Time) time.Time { return now.Add(-max(now.Sub(at), 0)) }
	e.phase, e.opened, e.fired, e.profiles = incidentIsOpen, ago(doc.OpenedAt), ago(doc.LastFiring), true
	if doc.Kind != messages.IncidentRule {
		if !doc.To.IsZero() {
			e.length, e.ends = max(doc.To.Sub(doc.OpenedAt), 0), true
		}
		return
	}
	e.restored = map[string]bool{}
	e.change(now, false, func(doc *messages.Incident) {
		for i := range doc.Rules {
			if r := &doc.Rules[i]; r.Firing {
				e.restored[alertKey(r.Rule, r.Labels)], r.Firing = true, false
			}
		}
	})
	if s.open == nil && doc.To.IsZero() {
		s.open = e
		return
	}
	e.opened = now.Add(-s.times.maxDuration) // There is one at a time.
}

// restoreCoolDown has the cool-down of an incident go on. Alerts that fired at its end are spent.
func (s *incidentsState) restoreCoolDown(e *incidentEntry, now time.Time) {
	doc := e.doc
	if e.phase != incidentIsFrozen || doc.Kind != messages.IncidentRule || !within(doc.FrozenAt, now, maxCoolDown) {
		return
	}
	for i := range doc.Rules {
		r := &doc.Rules[i]
		s.cool(r.Rule, now.Add(-max(now.Sub(doc.FrozenAt), 0)), now)
		if r.Firing {
			a := ruleAlert{rule: r.Rule, severity: r.Severity, summary: r.Summary, labels: r.Labels}
			s.firing[a.key()] = &firingAlert{alert: a, spent: true}
		}
	}
}

// pins returns from when on the journal is to be kept; zero: nothing is.
func (s *incidentsState) pins() (all []pinnedTime) {
	for _, e := range s.sorted() {
		if e.phase != incidentIsFrozen {
			all = append(all, pinnedTime{e.doc.From, e.doc.To})
		}
	}
	return all
}
