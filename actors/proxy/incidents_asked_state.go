package proxy

import (
	"slices"
	"time"

	"fodc/messages"
)

// Limits of what people and scripts ask for.
const (
	maxOpenRequests    = 8
	maxRequestsPerHour = 60
	// maxPendingActions bounds what agents still have to do, and actionTime is for how long it is tried.
	maxPendingActions = 1000
	actionTime        = 6 * time.Hour
	maxRequestBefore  = 24 * time.Hour
	maxRequestAfter   = time.Hour
)

// pendingAction is what an agent still has to do.
type pendingAction struct {
	nodeID   string
	question messages.IncidentActionQuestion
	until    time.Time
	asking   bool
}

// request opens an incident because somebody wants it.
func (s *incidentsState) request(o messages.IncidentOrder, now time.Time) (*messages.Incident, error) {
	nodes := o.Nodes
	if len(nodes) == 0 {
		nodes = s.nodesOnline()
	}
	for _, id := range nodes {
		if s.agents[id] == nil {
			return nil, messages.Errorf(messages.ErrNotFound, "no node with the node_id %s is registered", quote(id))
		}
	}
	if err := s.mayRequest(nodes, now); err != nil {
		return nil, err
	}
	before, after := min(max(o.Before, 0), maxRequestBefore), min(max(o.After, 0), maxRequestAfter)
	e := s.openNew(messages.IncidentRequest, now, now)
	e.change(func(doc *messages.Incident) {
		doc.Reason, doc.RequestedBy = cleanTo(o.Reason, messages.MaxIncidentText), cleanTo(o.By, messages.MaxIncidentText)
		doc.Summary, doc.From, doc.To = doc.Reason, documentTime(now.Add(-before)), documentTime(now.Add(after))
		for _, id := range slices.Compact(slices.Sorted(slices.Values(nodes))) {
			e.parts[id] = &incidentPart{profiles: o.Profiles, since: now}
			doc.Nodes = append(doc.Nodes, s.newNode(s.agents[id], doc, messages.IncidentRequest))
		}
		doc.Timeline = append(doc.Timeline, messages.IncidentEvent{At: documentTime(now), Kind: "incident", Text: "evidence is kept as somebody wants it: " + doc.Reason})
		s.derive(doc)
	})
	s.countOpened("request")
	return e.doc, nil
}

// nodesOnline returns those that keep their evidence if somebody names none: as many as an incident may have.
func (s *incidentsState) nodesOnline() []string {
	ids := sortedKeys(s.agents)
	ids = slices.DeleteFunc(ids, func(id string) bool { return !s.agents[id].online })
	return ids[:min(len(ids), s.limits.maxNodes)]
}

func (s *incidentsState) mayRequest(nodes []string, now time.Time) error {
	var open []messages.AskedIncident
	for _, e := range s.sorted() {
		if e.doc.Kind == messages.IncidentRequest && e.doc.State == messages.IncidentOpen {
			open = append(open, messages.AskedIncident{ID: e.doc.ID, Left: e.doc.To.Sub(now)})
		}
	}
	s.askedAt = slices.DeleteFunc(s.askedAt, func(at time.Time) bool { return now.Sub(at) >= time.Hour })
	switch {
	case len(nodes) == 0:
		return messages.Errorf(messages.ErrNotFound, "no node is online")
	case len(nodes) > messages.MaxIncidentNodes:
		return messages.Errorf(messages.ErrBadData, "%d nodes, at most %d are allowed", len(nodes), messages.MaxIncidentNodes)
	case len(open) >= maxOpenRequests:
		return messages.TooManyAsked(open, maxOpenRequests)
	case len(s.askedAt) >= maxRequestsPerHour:
		return messages.TooManyAskedInAnHour(len(s.askedAt), maxRequestsPerHour, now.Sub(s.askedAt[0]))
	}
	s.askedAt = append(s.askedAt, now)
	return nil
}

// act does something to an incident, and has the agents do it, too, that are to keep or remove their evidence.
func (s *incidentsState) act(id string, action messages.IncidentAction, now time.Time) error {
	e := s.entries[id]
	if e == nil {
		return errNoIncident(id)
	}
	switch action {
	case messages.IncidentSeen:
		if e.doc.SeenAt.IsZero() {
			e.change(func(doc *messages.Incident) { doc.SeenAt = documentTime(now) })
		}
		return nil
	case messages.IncidentPin, messages.IncidentUnpin:
		if pinned := action == messages.IncidentPin; e.doc.Pinned != pinned {
			e.change(func(doc *messages.Incident) { doc.Pinned = pinned })
			s.forward(e.doc, action, now)
		}
		return nil
	case messages.IncidentDelete:
		if e.doc.State == messages.IncidentOpen {
			return messages.ErrIncidentOpen
		}
		s.forward(e.doc, action, now)
		s.forget(e)
		s.removals = append(s.removals, incidentRemoval{remove: id})
		return nil
	}
	return messages.Errorf(messages.ErrBadData, "the action %s is not known", quote(string(action)))
}

func errNoIncident(id string) error {
	return messages.Errorf(messages.ErrNotFound, "there is no incident %s", quote(id))
}

// forward has the agents of the nodes do it.
func (s *incidentsState) forward(doc *messages.Incident, action messages.IncidentAction, now time.Time) {
	for i := range doc.Nodes {
		if n := &doc.Nodes[i]; n.IncidentID != "" && len(s.actions) < maxPendingActions {
			s.actions = append(s.actions, pendingAction{nodeID: n.NodeID, until: now.Add(actionTime),
				question: messages.IncidentActionQuestion{IncidentID: n.IncidentID, Action: action}})
		}
	}
}

// nextActions returns what is to be asked of agents now, and takes it for asked.
func (s *incidentsState) nextActions(now time.Time) (next []pendingAction) {
	s.actions = slices.DeleteFunc(s.actions, func(a pendingAction) bool { return now.After(a.until) })
	under := 0
	for i := range s.actions {
		if s.actions[i].asking {
			under++
		}
	}
	for i := range s.actions {
		a := &s.actions[i]
		if agent := s.agents[a.nodeID]; a.asking || agent == nil || !agent.attached || under >= maxFreezesAtOnce {
			continue
		}
		a.asking = true
		under++
		next = append(next, *a)
	}
	return next
}

// acted takes the answer. What an agent did not answer is tried again when it has connected again.
func (s *incidentsState) acted(a pendingAction, answer *messages.NodeAnswer) {
	i := slices.IndexFunc(s.actions, func(o pendingAction) bool { return o.nodeID == a.nodeID && o.question == a.question })
	switch {
	case i < 0:
	case answer.Missing == messages.MissingNone, answer.Missing == messages.MissingError, answer.Missing == messages.MissingUnserved:
		s.actions = slices.Delete(s.actions, i, i+1)
	default:
		s.actions[i].asking = false
	}
}
