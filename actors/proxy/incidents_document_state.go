package proxy

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"time"

	"fodc/messages"
)

// maxDocumentMemory is how large a document may be, in bytes of memory: then it fits in its file.
const maxDocumentMemory = 4 << 20

// update takes what an agent says of its incident into the one of the cluster.
func (s *incidentsState) update(e *incidentEntry, r *report, now time.Time) {
	p := e.parts[r.node.NodeID]
	if p == nil {
		p = &incidentPart{since: now}
		e.parts[r.node.NodeID] = p
	}
	isOwn := r.id != e.doc.ID
	if !isOwn && p.own {
		return // It has one of its own meanwhile, which says more.
	}
	if p.isOfAnother(nodeOf(e.doc, r.node.NodeID), r) {
		p.ofAnother(e)
		return
	}
	p.own, p.known, p.open, p.opened = isOwn, true, r.open, r.opened
	if !slices.Equal(p.files, r.files) {
		p.files = r.files
		p.fetch.renew()
	}
	p.missing, e.touched = r.missing, true
	if isOwn {
		s.index[partKey{r.node.NodeID, r.id}] = e.doc.ID
	}
	e.change(func(doc *messages.Incident) { s.write(doc, p, r) })
}

// write writes the node of a report into a document.
func (s *incidentsState) write(doc *messages.Incident, p *incidentPart, r *report) {
	node := r.node
	if has := nodeOf(doc, node.NodeID); has != nil {
		if has.IncidentID == node.IncidentID {
			node.Missing, node.State = has.Missing, has.State
			setFiles(&node, withoutReplaced(has.Files, p.files))
		} else {
			p.fetch = fetchProgress{}
		}
		if has.Kind == messages.IncidentRule && node.Kind == messages.IncidentContext {
			node.Kind = messages.IncidentRule // The proxy's own rules have fired on it.
		}
		*has = node
	} else {
		doc.Nodes = append(doc.Nodes, node)
	}
	if p.own {
		doc.Rules = slices.DeleteFunc(doc.Rules, func(a messages.IncidentAlert) bool { return a.NodeID == node.NodeID && !isProxyRule(a.Rule) })
		doc.Rules = append(doc.Rules, r.alerts...)
		doc.Repeated = max(doc.Repeated, r.repeated)
	}
	// What the agent has said of an event may have changed since, such as how many scrapes have failed.
	doc.Timeline = slices.DeleteFunc(doc.Timeline, func(e messages.IncidentEvent) bool { return e.NodeID == node.NodeID && e.Kind != proxyEvent })
	doc.Timeline = append(doc.Timeline, r.events...)
	s.derive(doc)
}

// proxyEvent is the kind of what the proxy itself has seen of an agent.
const proxyEvent = "proxy"

// derive sets what follows from the rules and nodes of a document, and keeps it within its limits.
func (s *incidentsState) derive(doc *messages.Incident) {
	slices.SortStableFunc(doc.Nodes, func(a, b messages.IncidentNode) int {
		return cmp.Or(kindOrder(a.Kind)-kindOrder(b.Kind), a.From.Compare(b.From), cmp.Compare(a.NodeID, b.NodeID))
	})
	slices.SortStableFunc(doc.Rules, func(a, b messages.IncidentAlert) int {
		return cmp.Or(a.FirstOccurrence.Compare(b.FirstOccurrence), cmp.Compare(a.NodeID, b.NodeID), cmp.Compare(a.Rule, b.Rule))
	})
	doc.Rules = fairCut(slices.CompactFunc(doc.Rules, func(a, b messages.IncidentAlert) bool {
		return a.NodeID == b.NodeID && a.Rule == b.Rule && maps.Equal(a.Labels, b.Labels)
	}),
		messages.MaxIncidentAlerts, func(a messages.IncidentAlert) string { return a.NodeID })
	for i := range doc.Rules {
		a := &doc.Rules[i]
		if i == 0 {
			doc.Summary = a.Summary
		}
		if a.FirstOccurrence.Before(doc.FirstOccurrence) {
			doc.FirstOccurrence = a.FirstOccurrence
		}
		if a.LastFiring.After(doc.LastFiring) {
			doc.LastFiring = a.LastFiring
		}
		if severityOrder(a.Severity) > severityOrder(doc.Severity) {
			doc.Severity = a.Severity
		}
	}
	if from := doc.FirstOccurrence.Add(-s.limits.before); doc.Kind == messages.IncidentRule {
		doc.From = from
		for i := range doc.Nodes {
			if n := &doc.Nodes[i]; n.Kind == messages.IncidentRule && n.From.Before(doc.From) && !n.From.IsZero() {
				doc.From = n.From
			}
		}
	}
	orderTimeline(doc, messages.MaxIncidentEvents)
	fit(doc)
}

func kindOrder(k messages.IncidentKind) int {
	if k == messages.IncidentContext {
		return 1
	}
	return 0
}

// severityOrder is 0 for what is no severity.
func severityOrder(severity string) int {
	return slices.Index([]string{"info", "warning", "critical"}, severity) + 1
}

// orderTimeline puts the events into the order of time, each of them once, and leaves out what is too much: of
// those nodes that have the most.
func orderTimeline(doc *messages.Incident, limit int) {
	slices.SortStableFunc(doc.Timeline, func(a, b messages.IncidentEvent) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.NodeID, b.NodeID), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Text, b.Text))
	})
	doc.Timeline = slices.CompactFunc(doc.Timeline, func(a, b messages.IncidentEvent) bool {
		return a.At.Equal(b.At) && a.NodeID == b.NodeID && a.Kind == b.Kind && a.Text == b.Text
	})
	kept := fairCut(doc.Timeline, limit, func(e messages.IncidentEvent) string { return e.NodeID })
	doc.EventsDropped = max(doc.EventsDropped, len(doc.Timeline)-len(kept))
	doc.Timeline = kept
}

// fairCut returns at most limit elements, in their order: the first ones of each node, and of none more than are
// needed.
func fairCut[T any](list []T, limit int, nodeID func(T) string) []T {
	if len(list) <= limit {
		return list
	}
	counts := map[string]int{}
	for _, v := range list {
		counts[nodeID(v)]++
	}
	share, room := 0, limit // room is what is left when each node has its share.
	for {
		more := 0
		for _, n := range counts {
			if n > share {
				more++
			}
		}
		if more > room {
			break
		}
		share, room = share+1, room-more
	}
	had := map[string]int{}
	kept := make([]T, 0, limit)
	for _, v := range list {
		had[nodeID(v)]++
		switch n := had[nodeID(v)]; {
		case n <= share:
			kept = append(kept, v)
		case n == share+1 && room > 0:
			room--
			kept = append(kept, v)
		}
	}
	return kept
}

// fit leaves out what makes a document too large, the least important first.
func fit(doc *messages.Incident) {
	if doc.MemoryBytes() <= maxDocumentMemory {
		return
	}
	orderTimeline(doc, messages.MaxIncidentEvents/5)
	for i := range doc.Rules {
		doc.Rules[i].Labels, doc.Rules[i].Description = nil, ""
	}
	for i := range doc.Nodes {
		if doc.MemoryBytes() <= maxDocumentMemory {
			return
		}
		n := &doc.Nodes[i]
		n.Labels, n.Missing = nil, n.Missing[:min(len(n.Missing), 5)]
	}
}

// equalIncidents reports whether two documents are the same.
func equalIncidents(a, b *messages.Incident) bool { return reflect.DeepEqual(a, b) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
