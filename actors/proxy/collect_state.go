package proxy

import (
	"maps"
	"slices"
	"time"

	"fodc/messages"
)

// collectState is the rules of one collection: which nodes are asked, what has come,
// and when the answer is complete. A node's answer counts only when it is whole.
type collectState struct {
	started time.Time
	nodes   []messages.NodeAnswer // sorted by node id, as the registry gave them
	byAgent map[string]int        // agent id -> index of a node whose answer is awaited
}

// target is a node that a collection may ask.
type target struct {
	identity messages.Identity
	agentID  string
	online   bool
	timing   *messages.Timing // nil: not known
	version  string
	heardAt  time.Time // of its newest heartbeat
}

// begin takes the nodes that the query selects, and returns the agent ids to ask.
func (s *collectState) begin(targets []target, now time.Time) (ask []string) {
	s.started = now
	s.nodes = make([]messages.NodeAnswer, len(targets))
	s.byAgent = make(map[string]int, len(targets))
	for i, t := range targets {
		s.nodes[i] = messages.NodeAnswer{Identity: t.identity, AgentID: t.agentID, Timing: t.timing,
			LastHeartbeat: t.heardAt, AgentVersion: t.version}
		if !t.online {
			s.nodes[i].Missing = messages.MissingUnconnected
			continue
		}
		s.byAgent[t.agentID] = i
		ask = append(ask, t.agentID)
	}
	return ask
}

// got takes a chunk of a node's answer. It is ignored unless it is awaited.
func (s *collectState) got(agentID string, blocks []messages.Block, flaws messages.Flaws, last bool, now time.Time) {
	i, ok := s.byAgent[agentID]
	if !ok {
		return
	}
	n := &s.nodes[i]
	n.Blocks = append(n.Blocks, blocks...)
	n.Flaws.Add(flaws)
	if last {
		n.Took = now.Sub(s.started)
		delete(s.byAgent, agentID)
	}
}

// awaits reports whether the agent's answer is awaited, or the rest of it.
func (s *collectState) awaits(agentID string) bool {
	_, awaited := s.byAgent[agentID]
	return awaited
}

// drop gives up what has come. It returns the agent ids that still owe an answer.
func (s *collectState) drop() []string {
	owing := s.awaited()
	s.nodes, s.byAgent = nil, nil
	return owing
}

// failed takes note that a node's answer will not come.
func (s *collectState) failed(agentID string, reason messages.MissingReason, now time.Time) {
	i, ok := s.byAgent[agentID]
	if !ok {
		return
	}
	n := &s.nodes[i]
	n.Missing, n.Blocks, n.Flaws, n.Took = reason, nil, messages.Flaws{}, now.Sub(s.started)
	delete(s.byAgent, agentID)
}

// expire ends the collection at its deadline: who has not answered is missing. It
// returns the agent ids that still owe an answer.
func (s *collectState) expire(now time.Time) []string {
	owing := s.awaited()
	for _, agentID := range owing {
		s.failed(agentID, messages.MissingTimeout, now)
	}
	return owing
}

// awaited returns the agent ids whose answers are not complete.
func (s *collectState) awaited() []string { return slices.Sorted(maps.Keys(s.byAgent)) }

// isComplete reports whether there is nothing left to wait for.
func (s *collectState) isComplete() bool { return len(s.byAgent) == 0 }

// result is the collection as far as it has come; the state must not be used after.
func (s *collectState) result() *messages.Collection {
	return &messages.Collection{Nodes: s.nodes}
}

// outcome says in words how the collection ended.
func (s *collectState) outcome() string {
	missing := 0
	for i := range s.nodes {
		if s.nodes[i].Missing != messages.MissingNone {
			missing++
		}
	}
	if missing == 0 {
		return "answered: " + itoa(len(s.nodes)) + " nodes, none is missing"
	}
	return "answered: " + itoa(missing) + " of " + itoa(len(s.nodes)) + " nodes are missing"
}
