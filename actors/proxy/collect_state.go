package proxy

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"fodc/messages"
)

// Limits of one collection.
const (
	// maxConcurrentLatest and maxConcurrentWindows bound the nodes of a collection that are
	// asked at a time, and so its answers in flight. A memoryBudget may allow fewer windows.
	maxConcurrentLatest  = 64
	maxConcurrentWindows = 8
	// fewNames is how many families make the answer to a window no larger than the latest samples of
	// all: then as many nodes are asked at a time. They may be far away.
	fewNames = 16
	// paceInterval is how often a collection checks whether it has to ask more nodes although
	// the nodes that were asked have not answered. With a short deadline it checks
	// paceChecksPerHalf times in the first half of its time.
	paceInterval      = 20 * time.Millisecond
	paceChecksPerHalf = 8
)

// collectState decides for a collection: which nodes are asked when, and when the collection is
// complete. A node's answer counts only if it has come to its end.
//
// Nodes that do not answer do not delay the others: all nodes are asked in the first half of
// the collection's time, however many do not answer.
type collectState struct {
	started       time.Time
	half          time.Duration
	maxConcurrent int
	nodes         []messages.NodeAnswer // sorted by node id, as the registry gave them
	byAgent       map[string]int        // agent id -> index of the node, while its answer is awaited
	asked         []time.Time           // by the index of the node; zero if it was not asked
	queue         []string              // agent ids of the nodes that were not asked yet
	online        int                   // all nodes to be asked
	pending       int                   // nodes that were asked and have not answered
}

// target is a node that a collection may ask.
type target struct {
	identity messages.Identity
	agentID  string
	online   bool
	timing   *messages.Timing // nil if not known
	version  string
	heardAt  time.Time // when its newest heartbeat came
}

// begin starts a collection of the nodes. At most maxConcurrent of them are asked at a time.
func (s *collectState) begin(targets []target, maxConcurrent int, deadline, now time.Time) {
	s.started, s.half, s.maxConcurrent = now, deadline.Sub(now)/2, maxConcurrent
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
		s.queue = append(s.queue, t.agentID)
	}
	s.online = len(s.queue)
}

// ask returns the agent ids to be asked now.
func (s *collectState) ask(now time.Time) (ids []string) {
	for len(s.queue) > 0 && (s.pending < s.maxConcurrent || s.isBehind(now)) {
		id := s.queue[0]
		s.queue = s.queue[1:]
		if i, awaited := s.byAgent[id]; awaited {
			s.asked[i] = now
			s.pending++
			ids = append(ids, id)
		}
	}
	return ids
}

// isBehind reports whether fewer nodes were asked than the pace requires.
func (s *collectState) isBehind(now time.Time) bool {
	done := float64(s.online-len(s.queue)) / float64(s.online)
	return done*float64(s.half) < float64(now.Sub(s.started))
}

// mayYield reports whether the collection may let others go first. Later, the nodes could have too
// little time left.
func (s *collectState) mayYield(now time.Time) bool { return now.Sub(s.started) < s.half/2 }

// isPaced reports whether there are nodes left to be asked.
func (s *collectState) isPaced() bool { return len(s.queue) > 0 }

// addChunk adds a chunk of a node's answer. It ignores one that is not awaited.
func (s *collectState) addChunk(m answerChunk, now time.Time) {
	i, ok := s.byAgent[m.agentID]
	if !ok {
		return
	}
	n := &s.nodes[i]
	n.Blocks = append(n.Blocks, m.blocks...)
	n.Parts = append(n.Parts, m.parts...)
	n.Problems.Add(m.problems)
	n.Partial = cmp.Or(m.partial, n.Partial)
	if m.last {
		s.end(m.agentID, i, now)
	}
}

// end records that nothing more of a node is awaited.
func (s *collectState) end(agentID string, i int, now time.Time) {
	if at := s.asked[i]; !at.IsZero() {
		s.nodes[i].Took = now.Sub(at)
		s.pending--
	}
	delete(s.byAgent, agentID)
}

// awaits reports whether the agent's answer, or a part of it, is awaited.
func (s *collectState) awaits(agentID string) bool {
	_, awaited := s.byAgent[agentID]
	return awaited
}

// drop drops the answers that have come. It returns the agent ids whose answers are awaited.
func (s *collectState) drop() []string {
	pending := s.awaited()
	s.nodes, s.byAgent = nil, nil
	return pending
}

// failed records that a node's answer will not come. It returns the memory of the chunks that have
// come, which are not part of the result.
func (s *collectState) failed(agentID string, reason messages.MissingReason, now time.Time) (dropped int64) {
	i, ok := s.byAgent[agentID]
	if !ok {
		return 0
	}
	n := &s.nodes[i]
	dropped = memoryOf(n.Blocks, n.Parts)
	n.Missing, n.Partial, n.Blocks, n.Parts, n.Problems = reason, messages.PartialNone, nil, nil, messages.Problems{}
	s.end(agentID, i, now)
	return dropped
}

// endedWithError records that no more of a node's answer will come than has come, which is part of the result.
func (s *collectState) endedWithError(agentID string, reason messages.MissingReason, now time.Time) {
	if i, ok := s.byAgent[agentID]; ok {
		s.nodes[i].Missing, s.nodes[i].Partial = reason, messages.PartialNone
		s.end(agentID, i, now)
	}
}

// expire ends the collection at its deadline: the nodes that have not answered are missing. It
// returns their agent ids.
func (s *collectState) expire(now time.Time) []string {
	pending := s.awaited()
	for _, agentID := range pending {
		s.failed(agentID, messages.MissingTimeout, now)
	}
	return pending
}

// awaited returns the agent ids whose answers are not complete.
func (s *collectState) awaited() []string { return slices.Sorted(maps.Keys(s.byAgent)) }

// isComplete reports whether no answer is awaited.
func (s *collectState) isComplete() bool { return len(s.byAgent) == 0 }

// result returns the collection. The state must not be used after that.
func (s *collectState) result() *messages.Collection {
	return &messages.Collection{Nodes: s.nodes}
}

// outcome says how the collection ended, for /debug/actors.
func (s *collectState) outcome() string {
	missing, partial, unserved := 0, 0, 0
	for i := range s.nodes {
		switch n := &s.nodes[i]; {
		case n.Missing == messages.MissingUnserved:
			unserved++
		case n.Missing != messages.MissingNone:
			missing++
		case n.Partial != messages.PartialNone:
			partial++
		}
	}
	text := "answered: " + itoa(missing) + " of " + itoa(len(s.nodes)) + " nodes are missing"
	if missing == 0 {
		text = "answered: " + itoa(len(s.nodes)) + " nodes, none is missing"
	}
	if partial > 0 {
		text += ", partial answers: " + itoa(partial)
	}
	if unserved > 0 {
		text += ", without such a stream: " + itoa(unserved)
	}
	return text
}
