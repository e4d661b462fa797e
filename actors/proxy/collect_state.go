package proxy

import (
	"maps"
	"slices"
	"time"

	"fodc/messages"
)

// Limits of one collection.
const (
	// latestAtOnce and windowsAtOnce bound the nodes that owe an answer at a time, and with
	// that what a collection has in flight. There may be fewer windows: see room.
	latestAtOnce  = 64
	windowsAtOnce = 8
	// paceInterval is how often it is looked whether more nodes have to be asked, though
	// those before them have not answered; more often where there is little time.
	paceInterval = 20 * time.Millisecond
	looksPerHalf = 8
)

// collectState is the rules of one collection: which nodes are asked when, what has come,
// and when the answer is complete. A node's answer counts only when it is whole.
//
// Nodes that do not answer hold up no others: however many they are, all have been asked
// when half of the time is over.
type collectState struct {
	started time.Time
	half    time.Duration
	atOnce  int
	nodes   []messages.NodeAnswer // sorted by node id, as the registry gave them
	byAgent map[string]int        // agent id -> index of a node whose answer is awaited
	asked   []time.Time           // by the index of the node; zero: not yet
	unasked []string              // agent ids
	online  int                   // nodes that are to be asked in all
	owing   int                   // nodes that were asked, and are awaited
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

// begin takes the nodes that the query selects, of which so many may owe an answer at a time.
func (s *collectState) begin(targets []target, atOnce int, deadline, now time.Time) {
	s.started, s.half, s.atOnce = now, deadline.Sub(now)/2, atOnce
	s.nodes = make([]messages.NodeAnswer, len(targets))
	s.asked = make([]time.Time, len(targets))
	s.byAgent = make(map[string]int, len(targets))
	for i, t := range targets {
		s.nodes[i] = messages.NodeAnswer{Identity: t.identity, AgentID: t.agentID, Timing: t.timing,
			LastHeartbeat: t.heardAt, AgentVersion: t.version}
		if !t.online {
			s.nodes[i].Missing = messages.MissingUnconnected
			continue
		}
		s.byAgent[t.agentID] = i
		s.unasked = append(s.unasked, t.agentID)
	}
	s.online = len(s.unasked)
}

// ask returns the agent ids to be asked now.
func (s *collectState) ask(now time.Time) (ids []string) {
	for len(s.unasked) > 0 && (s.owing < s.atOnce || s.isBehind(now)) {
		id := s.unasked[0]
		s.unasked = s.unasked[1:]
		if i, awaited := s.byAgent[id]; awaited {
			s.asked[i] = now
			s.owing++
			ids = append(ids, id)
		}
	}
	return ids
}

// isBehind reports whether fewer nodes were asked than ought to be by now.
func (s *collectState) isBehind(now time.Time) bool {
	done := float64(s.online-len(s.unasked)) / float64(s.online)
	return done*float64(s.half) < float64(now.Sub(s.started))
}

// isPaced reports whether there is anybody left to be asked.
func (s *collectState) isPaced() bool { return len(s.unasked) > 0 }

// got takes a chunk of a node's answer. It is ignored unless it is awaited.
func (s *collectState) got(agentID string, blocks []messages.Block, problems messages.Problems, last bool, now time.Time) {
	i, ok := s.byAgent[agentID]
	if !ok {
		return
	}
	n := &s.nodes[i]
	n.Blocks = append(n.Blocks, blocks...)
	n.Problems.Add(problems)
	if last {
		s.end(agentID, i, now)
	}
}

// end takes note that nothing more of a node is awaited.
func (s *collectState) end(agentID string, i int, now time.Time) {
	if at := s.asked[i]; !at.IsZero() {
		s.nodes[i].Took = now.Sub(at)
		s.owing--
	}
	delete(s.byAgent, agentID)
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

// failed takes note that a node's answer will not come. It returns what has come of it, which
// is shown to nobody.
func (s *collectState) failed(agentID string, reason messages.MissingReason, now time.Time) (dropped []messages.Block) {
	i, ok := s.byAgent[agentID]
	if !ok {
		return nil
	}
	n := &s.nodes[i]
	dropped = n.Blocks
	n.Missing, n.Blocks, n.Problems = reason, nil, messages.Problems{}
	s.end(agentID, i, now)
	return dropped
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
