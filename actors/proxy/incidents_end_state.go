package proxy

import (
	"slices"
	"time"

	"fodc/messages"
)

// restartGrace is how long after the start of the proxy its agents may take to connect again, and to tell of their
// incidents: until then incidents of the former process stay as they are.
const restartGrace = time.Minute

// isBack reports whether the agents of all nodes of an incident of a former process have told of theirs. One that was collected
// is in no hurry.
func (s *incidentsState) isBack(e *incidentEntry) bool {
	if e.doc.State == messages.IncidentCollected {
		return false
	}
	return !slices.ContainsFunc(e.doc.Nodes, func(n messages.IncidentNode) bool {
		a := s.agents[n.NodeID]
		return n.State != messages.IncidentCollected && !a.isBack()
	})
}

// isBack reports whether an agent has told of its incidents.
func (a *incidentAgent) isBack() bool { return a != nil && a.attached && a.known != 0 }

// waitsForAgents reports whether an incident of a former process stays as it is.
func (s *incidentsState) waitsForAgents(e *incidentEntry, now time.Time) bool {
	return e.restored && now.Sub(e.since) < restartGrace && !s.isBack(e)
}

// advance does what the time has come for.
func (s *incidentsState) advance(now time.Time) {
	s.lost.expire(s, now)
	for _, e := range s.sorted() {
		if e.doc.State == messages.IncidentCollected && !e.touched || s.waitsForAgents(e, now) {
			continue
		}
		s.chooseNeighbours(e, now)
		e.change(func(doc *messages.Incident) { s.progress(e, doc, now) })
		e.touched = false
	}
}

// progress sets how far an incident is, and each of its nodes.
func (s *incidentsState) progress(e *incidentEntry, doc *messages.Incident, now time.Time) {
	if doc.To.IsZero() && doc.Kind == messages.IncidentRule {
		if end := s.until(e, now); !s.isFiring(e) && !now.Before(end) || now.Sub(e.since) > maxIncidentSpan {
			doc.To = documentTime(earliest(end, now))
		}
	}
	if !doc.To.IsZero() {
		for i := range doc.Nodes {
			if n := &doc.Nodes[i]; n.Kind == messages.IncidentRule && n.To.After(doc.To) {
				doc.To = n.To
			}
		}
	}
	ended := !doc.To.IsZero() && !now.Before(doc.To)
	// Neighbours that are not chosen yet may still add to it.
	frozen := ended && !s.choosesLater(e, now) && !s.choosesOn(e, now)
	collected := frozen
	for i := range doc.Nodes {
		closed, done := s.progressNode(&doc.Nodes[i], e, doc, ended, now)
		frozen, collected = frozen && closed, collected && closed && done
	}
	switch {
	case !frozen:
		doc.State, doc.FrozenAt = messages.IncidentOpen, time.Time{}
	case collected:
		doc.State = messages.IncidentCollected
	default:
		doc.State = messages.IncidentFrozen
	}
	if frozen && doc.FrozenAt.IsZero() {
		doc.FrozenAt = documentTime(now)
		for i := range doc.Rules {
			doc.Rules[i].Firing = doc.Rules[i].Firing && isProxyRule(doc.Rules[i].Rule)
		}
	}
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// missingEvidence is what is missing of a node whose agent has frozen nothing.
const missingEvidence = "evidence"

// progressNode sets how far a node is. closed says that it adds nothing to the evidence any more, done that
// the proxy has all of it.
func (s *incidentsState) progressNode(n *messages.IncidentNode, e *incidentEntry, doc *messages.Incident, ended bool, now time.Time) (closed, done bool) {
	p, a := e.parts[n.NodeID], s.agents[n.NodeID]
	away := a == nil || !a.online
	since := doc.To // when the node could begin to freeze its evidence
	if p.since.After(since) {
		since = p.since
	}
	late := ended && now.Sub(since) > freezeTime
	reason := ""
	switch {
	case p.known && !p.open:
		closed = true
	case p.fetch.done && !p.known && n.State == messages.IncidentCollected: // in a former process
		n.Missing = p.withTwice(n.Missing)
		return true, true
	case !ended:
	case p.freeze.closed && !p.own:
		closed, reason = true, p.freeze.reason
	case away:
		closed, reason = true, messages.EvidenceAway
	case late:
		closed, reason = true, "its agent has not kept its evidence in time"
	}
	if n.To.IsZero() && ended || n.To.IsZero() && !doc.To.IsZero() && !p.own {
		n.To = doc.To
	}
	if p.known || reason != "" || s.limits.onDisk && p.fetch.sent {
		n.Missing = slices.Clone(p.missing)
		if closed { // Until then it may still come.
			n.Missing = append(n.Missing, p.fetch.missing...)
		}
		if reason != "" && !slices.ContainsFunc(n.Missing, func(m messages.EvidenceMissing) bool { return m.Reason == reason }) {
			n.Missing = append(n.Missing, messages.EvidenceMissing{What: missingEvidence, Reason: reason})
		}
		n.Missing = p.withTwice(n.Missing)
		n.Missing = n.Missing[:min(len(n.Missing), messages.MaxEvidenceMissing)]
	}
	if !s.limits.onDisk {
		s.listFiles(n, p)
	}
	gaveUp := ended && now.Sub(since) > awayTime
	switch {
	case s.limits.onDisk:
		done = p.fetch.done && p.fetch.plan == p.plan(true) && p.fetch.plan.from != evidenceKept
	default:
		done = p.known || p.freeze.closed
	}
	done = closed && (done || gaveUp)
	switch {
	case !closed:
		n.State = messages.IncidentOpen
	case done:
		n.State = messages.IncidentCollected
	default:
		n.State = messages.IncidentFrozen
	}
	return closed, done
}

// listFiles names the files that the agent has: they are read there.
func (s *incidentsState) listFiles(n *messages.IncidentNode, p *incidentPart) {
	if !p.known {
		return
	}
	setFiles(n, p.files)
}
