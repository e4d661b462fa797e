package proxy

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"fodc/messages"
)

// Limits of the nodes that keep their evidence for an incident of others.
const (
	// contextDelay is how long after an incident was opened its neighbours are chosen: some of them may have
	// one themselves.
	contextDelay = 2 * time.Second
	// contextReach is how old an incident may be that neighbours are asked about.
	contextReach = 72 * time.Hour
	// maxContextProfiles bounds the neighbours whose nodes are asked for profiles.
	maxContextProfiles = 5
	// maxFreezeTries is how often an agent is asked until it connects again; freezeRetry is the first delay,
	// which doubles.
	maxFreezeTries = 6
	freezeRetry    = 5 * time.Second
	// maxFreezesAtOnce bounds the questions under way.
	maxFreezesAtOnce = 8
	// freezeTime is how long after the end of an incident a node may take to freeze its evidence.
	freezeTime = 10 * time.Minute
)

// freezeProgress is how far it is that a node keeps its evidence because the proxy wants it.
type freezeProgress struct {
	asking bool
	// asked says that the agent was asked, final that it was told when the incident has ended.
	asked, final bool
	tries        int
	next         time.Time
	// closed says that nothing more will come; reason is why there is nothing.
	closed bool
	reason string
	// unserved says that the agent has no incidents.
	unserved bool
}

// again lets the agent be asked again, which has connected: it may have been killed before it had stored what it was asked.
func (f *freezeProgress) again(now time.Time) {
	f.asked, f.final = false, false
	f.tries, f.next, f.closed, f.reason, f.unserved = 0, now, false, "", false
}

// freezeAsk is a question for one agent.
type freezeAsk struct {
	incidentID, nodeID string
	question           messages.FreezeQuestion
}

// chooseNeighbours adds the nodes that keep their evidence of the time of an incident: those of the roles of the
// nodes with problems, then liaisons, then others. After a restart of the proxy they are added as their agents come back, others
// when all had the time to: they shall not take the places of those.
func (s *incidentsState) chooseNeighbours(e *incidentEntry, now time.Time) {
	problems := e.problems()
	if e.doc.Kind != messages.IncidentRule || problems == e.chosenFor || s.choosesLater(e, now) || now.Sub(e.doc.FirstOccurrence) > contextReach {
		return
	}
	on := s.choosesOn(e, now)
	if !on {
		e.chosenFor = problems
	}
	roles, room, profiles := map[string]bool{}, s.limits.maxNodes, maxContextProfiles
	for i := range e.doc.Nodes {
		switch n := &e.doc.Nodes[i]; {
		case n.Kind == messages.IncidentRule:
			roles[n.Role] = n.Role != ""
		default:
			room--
			if e.parts[n.NodeID].profiles {
				profiles--
			}
		}
	}
	room = min(room, messages.MaxIncidentNodes-len(e.doc.Nodes))
	var others []*incidentAgent
	for id, a := range s.agents {
		if e.parts[id] == nil {
			others = append(others, a)
		}
	}
	rank := func(a *incidentAgent) int {
		switch {
		case roles[a.identity.Role]:
			return 0
		case strings.Contains(strings.ToLower(a.identity.Role), "liaison"):
			return 1
		}
		return 2
	}
	if on {
		others = slices.DeleteFunc(others, func(a *incidentAgent) bool { return rank(a) > 1 || !a.isBack() })
	}
	slices.SortFunc(others, func(a, b *incidentAgent) int {
		return cmp.Or(rank(a)-rank(b), cmp.Compare(a.identity.NodeID, b.identity.NodeID))
	})
	others = others[:max(min(len(others), room), 0)]
	e.change(func(doc *messages.Incident) {
		for _, a := range others {
			p := &incidentPart{profiles: rank(a) == 0 && profiles > 0, since: now}
			if p.profiles {
				profiles--
			}
			e.parts[a.identity.NodeID] = p
			doc.Nodes = append(doc.Nodes, s.newNode(a, doc, messages.IncidentContext))
		}
		s.derive(doc)
	})
}

// choosesLater reports whether it is too early to choose the neighbours.
func (s *incidentsState) choosesLater(e *incidentEntry, now time.Time) bool {
	return e.doc.Kind == messages.IncidentRule && now.Sub(e.since) < contextDelay
}

// choosesOn reports whether more neighbours may be chosen, as the proxy has started again before they were and their agents may
// still come back.
func (s *incidentsState) choosesOn(e *incidentEntry, now time.Time) bool {
	return e.doc.Kind == messages.IncidentRule && e.restored && e.chosenFor != e.problems() && now.Sub(e.since) < restartGrace
}

// newNode is a node of which nothing has come yet.
func (s *incidentsState) newNode(a *incidentAgent, doc *messages.Incident, kind messages.IncidentKind) messages.IncidentNode {
	id := a.identity
	return messages.IncidentNode{NodeID: id.NodeID, Role: id.Role, PodName: id.PodName, Labels: fewLabels(id.Labels), AgentID: a.agentID, Kind: kind,
		State: messages.IncidentOpen, ClockOffsetSeconds: -a.offset.Seconds(), From: doc.From, To: doc.To, Dir: messages.EvidenceDir(id.NodeID)}
}

// nextFreezes returns the questions that are due, and takes them for asked.
func (s *incidentsState) nextFreezes(now time.Time) (asks []freezeAsk) {
	under := 0
	for _, e := range s.entries {
		for _, p := range e.parts {
			if p.freeze.asking {
				under++
			}
		}
	}
	for _, e := range s.sorted() {
		if e.doc.State == messages.IncidentCollected || !e.isKept(now) {
			continue
		}
		for i := range e.doc.Nodes {
			n := &e.doc.Nodes[i]
			p, a := e.parts[n.NodeID], s.agents[n.NodeID]
			if p.own || a == nil || !a.online || !p.freeze.isDue(!e.doc.To.IsZero(), now) || p.known && !p.open {
				continue
			}
			if under++; under > maxFreezesAtOnce {
				return asks
			}
			p.freeze.asking = true
			asks = append(asks, freezeAsk{e.doc.ID, n.NodeID, freezeQuestion(e, n, p)})
		}
	}
	return asks
}

func (f *freezeProgress) isDue(ended bool, now time.Time) bool {
	return !f.asking && !f.closed && !now.Before(f.next) && (!f.asked || ended && !f.final)
}

// freezeQuestion asks by the clock of the node.
func freezeQuestion(e *incidentEntry, n *messages.IncidentNode, p *incidentPart) messages.FreezeQuestion {
	kind, offset := messages.IncidentContext, offsetOf(n)
	if e.doc.Kind == messages.IncidentRequest {
		kind = messages.IncidentRequest
	}
	q := messages.FreezeQuestion{ID: e.doc.ID, Kind: kind, FirstOccurrence: e.doc.FirstOccurrence.Add(-offset), From: e.doc.From.Add(-offset),
		Profiles: p.profiles, Reason: cmp.Or(e.doc.Reason, e.doc.Summary), By: e.doc.RequestedBy}
	if !e.doc.To.IsZero() {
		q.To = e.doc.To.Add(-offset)
	}
	return q
}

// freezeAnswered takes the answer to such a question, which may have failed.
func (s *incidentsState) freezeAnswered(ask freezeAsk, a *messages.NodeAnswer, now time.Time) {
	e := s.entries[ask.incidentID]
	if e == nil || e.parts[ask.nodeID] == nil {
		return
	}
	p := e.parts[ask.nodeID]
	f := &p.freeze
	f.asking = false
	e.touched = true
	for _, part := range a.Parts {
		if record, ok := part.(*messages.IncidentRecord); ok && record.Incident.ID == ask.incidentID {
			f.asked, f.final, f.tries = true, !ask.question.To.IsZero(), 0
			n := nodeOf(e.doc, ask.nodeID)
			s.take(newReport(&record.Incident, a.Identity, a.AgentID, offsetOf(n), now), now)
			return
		}
	}
	switch f.tries++; {
	case a.Missing == messages.MissingUnserved:
		f.closed, f.unserved, f.reason = true, true, "its agent keeps no incidents"
	case f.tries >= maxFreezeTries:
		f.closed, f.reason = true, "its agent has not kept its evidence: "+cmp.Or(string(a.Missing), "the answer is not valid")
	default:
		f.next = now.Add(freezeRetry << (f.tries - 1))
	}
}
