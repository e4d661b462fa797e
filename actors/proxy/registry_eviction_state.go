package proxy

import (
	"container/list"
	"time"
)

// confirmationGrace is how long after its registration a node with a live session is safe from
// eviction. An agent opens its metrics stream as soon as the registration is answered.
const confirmationGrace = 5 * time.Second

// eviction is a node that was removed for a new one. agentID is its live session, which must
// end; empty if there is none.
type eviction struct{ nodeID, agentID string }

// unconfirmedNodes are the nodes that are not confirmed: those that may be evicted. They are
// kept in the order of eviction, because a search through all nodes at each registration would
// let a flood of registrations delay the heartbeats of real nodes.
type unconfirmedNodes struct {
	lost list.List // those without a session, in the order in which the sessions ended
	live list.List // those with a session, in the order in which they have registered
}

// add adds a node that has registered.
func (u *unconfirmedNodes) add(n *node) { n.unconfirmed = u.live.PushBack(n) }

// sessionEnded moves a node to those without a session.
func (u *unconfirmedNodes) sessionEnded(n *node) {
	u.remove(n)
	n.unconfirmed = u.lost.PushBack(n)
}

// remove removes a node that was confirmed or has left the registry. It may be called twice.
func (u *unconfirmedNodes) remove(n *node) {
	if n.unconfirmed == nil {
		return
	}
	u.lost.Remove(n.unconfirmed) // Remove ignores the elements of other lists.
	u.live.Remove(n.unconfirmed)
	n.unconfirmed = nil
}

// next returns the node to be evicted first; nil if none may be evicted now.
func (u *unconfirmedNodes) next(now time.Time) *node {
	if e := u.lost.Front(); e != nil {
		return e.Value.(*node)
	}
	if e := u.live.Front(); e != nil {
		if n := e.Value.(*node); now.Sub(n.registeredAt) >= confirmationGrace {
			return n
		}
	}
	return nil
}

// evictIfFull makes sure that a new node fits in the registry. If the registry is full, it
// removes a node that is not confirmed: first those without a session, then those that have
// said nothing for confirmationGrace. Anybody can register many nodes; confirmed nodes must not
// lose their place to them. If there is no such node, the new one is rejected.
func (s *registryState) evictIfFull(nodeID string, now time.Time) (eviction, *rejection) {
	if len(s.nodes) < s.limits.MaxAgents {
		return eviction{}, nil
	}
	n := s.unconfirmed.next(now)
	if n == nil {
		return eviction{}, s.full(nodeID)
	}
	return eviction{nodeID: n.identity.NodeID, agentID: s.remove(n)}, nil
}

func (s *registryState) full(nodeID string) *rejection {
	return &rejection{rejectedFull, "the proxy has " + itoa(len(s.nodes)) +
		" agents, as many as --max-agents allows: " + quote(nodeID) + " is one too many"}
}

// confirm records that an agent of the node did more than register. Confirmed nodes are not
// evicted. Those with a certificate are confirmed when they register: were they evicted, anybody could
// register as them.
func (s *registryState) confirm(n *node) {
	n.confirmed = true
	s.unconfirmed.remove(n)
}

// remove removes a node. It returns the agent id of its live session, which must end; empty if
// there is none.
func (s *registryState) remove(n *node) (agentID string) {
	s.unconfirmed.remove(n)
	s.dropConfig(n)
	s.byName.remove(n)
	delete(s.nodes, n.identity.NodeID)
	return s.release(n)
}
