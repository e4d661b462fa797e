package proxy

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"fodc/messages"

	"github.com/prometheus/common/model"
)

// The rules of the proxy: what no agent can see.
const (
	ruleAgentLost   = "AgentLost"
	ruleRoleLost    = "RoleLost"
	ruleSeveralLost = "SeveralLost"
)

// Limits of those rules.
const (
	// missedHeartbeats is how many of them make an agent lost.
	missedHeartbeats = 3
	// severalWithin is the time within which two or more are lost together.
	severalWithin = 10 * time.Second
	// maxLookGap is how long the proxy may not have looked at its nodes. Later it was stopped or suspended itself, and
	// knows nothing of them.
	maxLookGap = 10 * time.Second
	// lostReach is how long after it was lost an agent that is back may say what has happened, and aroundLoss by how
	// much that may lie outside the time without it.
	lostReach  = 24 * time.Hour
	aroundLoss = 5 * time.Minute
)

func isProxyRule(rule string) bool {
	return rule == ruleAgentLost || rule == ruleRoleLost || rule == ruleSeveralLost
}

// lostNodes are the nodes as the rules see them.
type lostNodes struct {
	nodes    map[string]*watchedNode
	lookedAt time.Time
}

type watchedNode struct {
	identity messages.Identity
	// since is when it was seen online without an end since then; zero: it is not, or was not for long enough.
	since  time.Time
	online bool
	// missed says that the last look found it silent for too long. At the next one it is lost: an agent, or a proxy, that
	// stood still for a while is back by then.
	missed bool
	// lostAt is when it was lost, zero if it is not; back when it came back the last time, and former when it
	// had been lost then.
	lostAt, back, former time.Time
}

func newLostNodes() lostNodes { return lostNodes{nodes: map[string]*watchedNode{}} }

// restore takes a node that was lost when the former process ended.
func (l *lostNodes) restore(doc *messages.Incident, n *messages.IncidentNode) {
	for i := range doc.Rules {
		if a := &doc.Rules[i]; a.Rule == ruleAgentLost && a.NodeID == n.NodeID && a.Firing {
			l.nodes[n.NodeID] = &watchedNode{identity: messages.Identity{NodeID: n.NodeID, Role: n.Role, PodName: n.PodName, Labels: n.Labels}, lostAt: a.FirstOccurrence}
		}
	}
}

// looked takes the picture of the cluster.
func (s *incidentsState) looked(cluster messages.Cluster, now time.Time) {
	suspended := !s.lost.lookedAt.IsZero() && now.Sub(s.lost.lookedAt) > maxLookGap
	s.lost.lookedAt = now
	there := map[string]bool{}
	var lost []string
	for i := range cluster.Nodes {
		n := &cluster.Nodes[i]
		id := n.Identity.NodeID
		there[id] = true
		s.see(n)
		w := s.lost.nodes[id]
		if w == nil {
			w = &watchedNode{}
			s.lost.nodes[id] = w
		}
		if w.identity = n.Identity; suspended {
			w.since = time.Time{}
		}
		if s.watch(w, n, now) {
			lost = append(lost, id)
		}
	}
	for _, id := range sortedKeys(s.lost.nodes) {
		if w := s.lost.nodes[id]; !there[id] && s.vanished(id, w, suspended, now) {
			lost = append(lost, id)
		}
	}
	s.report(lost, now)
}

// see keeps what is known of the agent of a node.
func (s *incidentsState) see(n *messages.NodeStatus) {
	a := s.agentOf(n.Identity)
	a.online = n.Status == messages.StatusOnline
	if a.agentID != n.AgentID {
		a.agentID, a.attached, a.known = n.AgentID, false, 0
	}
	if n.Timing != nil {
		a.offset = clockOffset(n.Timing)
	}
}

// watch reports whether a node of the registry is lost now.
func (s *incidentsState) watch(w *watchedNode, n *messages.NodeStatus, now time.Time) (lost bool) {
	missed := w.missed
	w.missed = false
	if w.online = n.Status == messages.StatusOnline; w.online {
		if w.since.IsZero() {
			w.since = now
		}
		if !w.lostAt.IsZero() {
			w.former, w.back, w.lostAt = w.lostAt, now, time.Time{}
			s.back(n.Identity.NodeID, now)
		}
		return false
	}
	silent := missedHeartbeats * s.limits.heartbeat
	switch {
	case !w.lostAt.IsZero(), now.Sub(n.LastHeartbeat) < silent:
		return false
	case w.since.IsZero() || n.LastHeartbeat.Sub(w.since) < s.limits.heartbeat/2:
		w.since = time.Time{} // It has sent no heartbeat after its registration: nobody misses it.
		return false
	case !missed:
		w.missed = true
		return false
	}
	w.lostAt, w.since = n.LastHeartbeat, time.Time{}
	if n.LostAt.After(w.lostAt) {
		w.lostAt = n.LostAt
	}
	return true
}

// vanished handles a node that the registry has removed. While it was online, that was a goodbye.
func (s *incidentsState) vanished(id string, w *watchedNode, suspended bool, now time.Time) (lost bool) {
	a := s.agents[id]
	if a != nil {
		a.online, a.attached = false, false
	}
	lost = !w.online && w.lostAt.IsZero() && !w.since.IsZero() && !suspended && now.Sub(w.since) >= missedHeartbeats*s.limits.heartbeat
	switch {
	case lost:
		w.lostAt, w.since = now, time.Time{}
	case w.lostAt.IsZero() && now.Sub(w.back) > lostReach, now.Sub(w.lostAt) > lostReach && !w.lostAt.IsZero():
		delete(s.lost.nodes, id)
		delete(s.agents, id)
	case w.lostAt.IsZero():
		w.online, w.since = false, time.Time{}
		delete(s.agents, id)
	}
	return lost
}

// report opens an incident for nodes that are lost, or adds them to one.
func (s *incidentsState) report(lost []string, now time.Time) {
	for _, id := range lost {
		w := s.lost.nodes[id]
		e := s.placeLost(w, now)
		if e == nil {
			continue
		}
		s.addAlert(e, w, messages.IncidentAlert{Rule: ruleAgentLost, NodeID: id, Severity: "warning",
			Summary:     "The agent of " + id + " is lost: nothing was heard of it for " + model.Duration(now.Sub(w.lostAt).Round(time.Second)).String() + ".",
			Description: "The agent has not said goodbye. Look whether its host, its node or the network between is gone.", FirstOccurrence: documentTime(w.lostAt)}, now)
		if role := w.identity.Role; role != "" && s.isRoleLost(role) {
			s.addAlert(e, w, messages.IncidentAlert{Rule: ruleRoleLost, NodeID: id, Severity: "critical", Labels: map[string]string{"node_role": role},
				Summary: "All agents of the role " + role + " are lost.", FirstOccurrence: documentTime(w.lostAt)}, now)
		}
		if together := s.lost.around(w.lostAt); len(together) > 1 {
			s.addAlert(e, w, messages.IncidentAlert{Rule: ruleSeveralLost, Severity: "critical",
				Summary:         shortened(strconv.Itoa(len(together)) + " agents were lost within " + severalWithin.String() + ": " + strings.Join(together, ", ") + "."),
				FirstOccurrence: documentTime(s.lost.nodes[together[0]].lostAt)}, now)
		}
		s.mergeOverlapping(e, now)
	}
}

// isRoleLost reports whether no node of the role is left of at least one.
func (s *incidentsState) isRoleLost(role string) bool {
	for _, w := range s.lost.nodes {
		if w.identity.Role == role && (w.online || !w.since.IsZero()) {
			return false
		}
	}
	return true
}

// around returns the nodes that are lost since about the same time, in the order of time.
func (l *lostNodes) around(at time.Time) []string {
	ids := slices.Collect(maps.Keys(l.nodes))
	ids = slices.DeleteFunc(ids, func(id string) bool {
		return l.nodes[id].lostAt.IsZero() || l.nodes[id].lostAt.Sub(at).Abs() > severalWithin
	})
	slices.SortFunc(ids, func(a, b string) int {
		if c := l.nodes[a].lostAt.Compare(l.nodes[b].lostAt); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	return ids
}

// placeLost returns the incident that a lost node belongs to; nil if it is only counted.
func (s *incidentsState) placeLost(w *watchedNode, now time.Time) *incidentEntry {
	for _, e := range s.sorted() {
		if e.doc.Kind == messages.IncidentRule && (len(e.doc.Nodes) < messages.MaxIncidentNodes || e.parts[w.identity.NodeID] != nil) &&
			!w.lostAt.After(s.until(e, now)) && inSpan(e.doc.FirstOccurrence, e.doc.LastFiring, w.lostAt, w.lostAt) {
			return e
		}
	}
	r := &report{first: w.lostAt, open: true, node: messages.IncidentNode{NodeID: w.identity.NodeID}, alerts: []messages.IncidentAlert{{Rule: ruleAgentLost}}}
	if !s.mayOpen(r) {
		return nil
	}
	s.countOpened(ruleAgentLost)
	return s.openNew(messages.IncidentRule, w.lostAt, now)
}

// wasDuring reports whether an agent's incident is of the time for which the agent was lost.
func (l *lostNodes) wasDuring(doc *messages.Incident, r *report) bool {
	i := slices.IndexFunc(doc.Rules, func(a messages.IncidentAlert) bool { return a.Rule == ruleAgentLost && a.NodeID == r.node.NodeID })
	w := l.nodes[r.node.NodeID]
	if i < 0 || w == nil {
		return false
	}
	lostAt, back := doc.Rules[i].FirstOccurrence, w.back
	if !w.lostAt.IsZero() {
		back = l.lookedAt // It has connected, which was not seen yet.
	} else if w.former.Sub(lostAt).Abs() > time.Second {
		return false // It was lost once more since.
	}
	return r.first.Add(aroundLoss).After(lostAt) && r.first.Before(back.Add(aroundLoss)) && back.Sub(lostAt) < lostReach
}
