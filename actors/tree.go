package actors

import (
	"cmp"
	"time"

	"fodc/messages"
)

// Tree returns all actors as they are now, in the order of their spawn, and the last ones
// that ended, newest first. It reads the table and asks no actor, so it works when some
// are stuck.
func (s *System) Tree() messages.ActorTree {
	now := time.Now()
	cells := s.table.cells()
	nodes := make([]messages.ActorNode, len(cells))
	for i, m := range cells {
		nodes[i] = m.node(now)
	}
	s.table.mu.RLock()
	gone := s.table.ended.newestFirst()
	s.table.mu.RUnlock()
	return messages.ActorTree{At: now, Actors: nest(nodes), Ended: gone, DeadLetters: s.deadLetters.total.Load()}
}

func (m *cell) node(now time.Time) messages.ActorNode {
	n := messages.ActorNode{ID: m.self.Id, Parent: m.parent, Kind: m.kind, State: stateNames[m.state.Load()],
		Started: m.started, Mailbox: m.waiting(), MailboxPeak: m.peak.Load()}
	m.mu.Lock()
	defer m.mu.Unlock()
	n.Subject, n.Handled = m.subject, m.handled
	n.Restarts, n.Failures, n.LastFailure = m.restarts, m.failures, m.last
	if m.busy != nil {
		n.Busy = m.busy.String()
		n.BusySeconds = max(0, now.Sub(m.busySince).Seconds())
	}
	return n
}

func (m *cell) asEnded(now time.Time) endedActor {
	m.mu.Lock()
	defer m.mu.Unlock()
	return endedActor{failed: m.stopReason != "", EndedActor: messages.EndedActor{ID: m.self.Id, Kind: m.kind, Subject: m.subject,
		Ended: now, Reason: cmp.Or(m.stopReason, m.endReason, "stopped"), LastFailure: m.last}}
}

// nest puts children below their parents. A child whose parent is not in the list is an
// orphan, and stands at the top.
func nest(nodes []messages.ActorNode) []messages.ActorNode {
	known := map[string]bool{}
	for _, n := range nodes {
		known[n.ID] = true
	}
	below := map[string][]messages.ActorNode{}
	for _, n := range nodes {
		above := n.Parent
		if above != "" && !known[above] {
			n.Orphan, above = true, ""
		}
		below[above] = append(below[above], n)
	}
	var fill func(of string) []messages.ActorNode
	fill = func(of string) []messages.ActorNode {
		all := below[of]
		for i := range all {
			all[i].Children = fill(all[i].ID)
		}
		return all
	}
	if top := fill(""); top != nil {
		return top
	}
	return []messages.ActorNode{}
}
