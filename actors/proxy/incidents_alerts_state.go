package proxy

import (
	"slices"
	"time"

	"fodc/messages"
)

// addAlert adds an alert of the proxy, in the place of an older one of the same.
func (s *incidentsState) addAlert(e *incidentEntry, w *watchedNode, a messages.IncidentAlert, now time.Time) {
	a.LastFiring, a.Firings, a.Firing = documentTime(now), 1, true
	id := w.identity.NodeID
	e.touched = true
	e.change(func(doc *messages.Incident) {
		if n := nodeOf(doc, id); n != nil {
			n.Kind = messages.IncidentRule
		} else {
			e.parts[id] = &incidentPart{since: now}
			doc.Nodes = append(doc.Nodes, s.newNode(s.agentOf(w.identity), doc, messages.IncidentRule))
		}
		same := func(o messages.IncidentAlert) bool { return o.Rule == a.Rule && o.NodeID == a.NodeID }
		if i := slices.IndexFunc(doc.Rules, same); i >= 0 {
			a.Firings = doc.Rules[i].Firings
			if !doc.Rules[i].Firing {
				a.Firings++
			}
			a.FirstOccurrence = earliest(a.FirstOccurrence, doc.Rules[i].FirstOccurrence)
			doc.Rules = slices.DeleteFunc(doc.Rules, same)
		}
		doc.Rules = append(doc.Rules, a)
		doc.Timeline = append(doc.Timeline, messages.IncidentEvent{At: a.FirstOccurrence, NodeID: id, Kind: proxyEvent, Text: a.Rule + ": " + a.Summary})
		s.derive(doc)
	})
}

// back ends the alerts of a node that is back.
func (s *incidentsState) back(nodeID string, now time.Time) {
	for _, e := range s.entries {
		s.endAlerts(e, now, func(a *messages.IncidentAlert) bool {
			switch a.Rule {
			case ruleAgentLost:
				return a.NodeID == nodeID
			case ruleRoleLost:
				w := s.lost.nodes[nodeID]
				return w != nil && a.Labels["node_role"] == w.identity.Role
			}
			return len(s.lost.around(a.FirstOccurrence)) < 2
		}, &messages.IncidentEvent{At: documentTime(now), NodeID: nodeID, Kind: proxyEvent, Text: "the agent is back"})
	}
}

// endAlerts ends those alerts of the proxy that are over.
func (s *incidentsState) endAlerts(e *incidentEntry, now time.Time, isOver func(*messages.IncidentAlert) bool, event *messages.IncidentEvent) {
	if !slices.ContainsFunc(e.doc.Rules, func(a messages.IncidentAlert) bool { return a.Firing && isProxyRule(a.Rule) && isOver(&a) }) {
		return
	}
	e.touched = true
	e.change(func(doc *messages.Incident) {
		for i := range doc.Rules {
			if a := &doc.Rules[i]; a.Firing && isProxyRule(a.Rule) && isOver(a) {
				a.Firing, a.LastFiring = false, documentTime(earliest(now, a.FirstOccurrence.Add(s.limits.maxDuration)))
			}
		}
		if event != nil {
			doc.Timeline = append(doc.Timeline, *event)
		}
		s.derive(doc)
	})
}

// expire ends the alerts of nodes that do not come back.
func (l *lostNodes) expire(s *incidentsState, now time.Time) {
	for _, e := range s.entries {
		s.endAlerts(e, now, func(a *messages.IncidentAlert) bool { return now.Sub(a.FirstOccurrence) >= s.limits.maxDuration }, nil)
	}
}
