package proxy

import (
	"container/list"
	"maps"
	"slices"
	"time"

	"fodc/messages"
)

// RegistryLimits bounds what the registry keeps, and for how long.
type RegistryLimits struct {
	// HeartbeatTimeout is the silence after which a node counts as unconnected.
	HeartbeatTimeout time.Duration
	// CleanupTimeout is how long an unconnected node is kept.
	CleanupTimeout time.Duration
	// MaxAgents bounds the nodes. A node that is in the registry may always register again.
	MaxAgents int
}

// registryState decides for the registry. A node has one entry. Each registration is a new
// session with an agent id of its own, and replaces the node's former session. Messages of a
// session that was replaced are ignored.
type registryState struct {
	limits     RegistryLimits
	nodeIDFrom NodeIDFrom
	verifies   bool // agents are asked for certificates or tokens
	nodes      map[string]*node
	byAgent    map[string]*node // live sessions only
	byName     nodesByName
	rate       registrationRate

	unconfirmed  unconfirmedNodes
	configsBytes int // the memory of all configurations
}

// node is an entry of the registry. Whether it is online is not stored but derived, see
// status: no missed event can leave it wrong.
type node struct {
	identity      messages.Identity
	registration  messages.Registration
	primary       messages.Address // as sent, else the peer's
	peerIP        string           // where the newest session's connection comes from
	agentID       string
	live          bool // the session of agentID lives
	registeredAt  time.Time
	lastHeartbeat time.Time
	lostAt        time.Time // when the session broke; zero while it lives
	lastError     string
	reported      messages.Status // the status that was last logged
	// replacements counts the registrations in a row that replaced a live session younger
	// than replacementInterval.
	replacements int
	// confirmed says that an agent of the node ever did more than register: it has sent a
	// heartbeat, or opened a further stream.
	confirmed bool
	// unconfirmed is the node's place among the unconfirmedNodes; nil if it is confirmed.
	unconfirmed *list.Element
	// configBytes is the memory of the configuration.
	configBytes int
	// verified is how the agent of the newest session has shown who it is.
	verified messages.Verified
}

func newRegistryState(limits RegistryLimits) *registryState {
	return &registryState{limits: limits, nodes: map[string]*node{}, byAgent: map[string]*node{}, byName: nodesByName{},
		rate: newRegistrationRate(limits.MaxAgents)}
}

// release detaches the node's live session and returns its agent id; empty if there is none.
func (s *registryState) release(n *node) string {
	if !n.live {
		return ""
	}
	n.live = false
	delete(s.byAgent, n.agentID)
	return n.agentID
}

// heartbeat records that the session lives, and the node's role, labels, runtime, timing and
// configuration if the heartbeat has them. It returns the node's id if the node was
// unconnected. Of a heartbeat with invalid fields only the configuration is used.
func (s *registryState) heartbeat(agentID string, reg messages.Registration, now time.Time) (back string) {
	n, ok := s.byAgent[agentID]
	if !ok {
		return ""
	}
	if s.status(n, now) != messages.StatusOnline {
		back = n.identity.NodeID
	}
	n.lastHeartbeat, n.lastError, n.reported = now, "", messages.StatusOnline
	s.confirm(n)
	s.storeConfig(n, reg.Config)
	known := n.registration
	reg.NodeID, reg.PodName, reg.Primary = known.NodeID, known.PodName, known.Primary
	if reg.Validate() != nil {
		return back
	}
	reg = keepKnownRole(reg, known)
	if len(reg.Labels) == 0 && reg.Capabilities == (messages.Capabilities{}) {
		reg.Labels = known.Labels // A baseline agent may not repeat them.
	}
	n.registration.Role, n.registration.Labels = reg.Role, reg.Labels
	if reg.Runtime != nil {
		n.registration.Runtime = reg.Runtime
	}
	if reg.Timing != nil {
		n.registration.Timing = reg.Timing
	}
	n.identity = n.registration.Identity()
	return back
}

// identity returns who the node of a session is, and former for a session that was replaced.
func (s *registryState) identity(agentID string, former messages.Identity) messages.Identity {
	if n := s.byAgent[agentID]; n != nil {
		return n.identity
	}
	return former
}

// ended records the end of a session. After a goodbye the node is removed; after a loss it
// stays as unconnected. It returns the node's id if the session was the node's newest.
func (s *registryState) ended(agentID string, goodbye bool, why string, now time.Time) (of string) {
	n, ok := s.byAgent[agentID]
	if !ok {
		return ""
	}
	if goodbye {
		s.remove(n)
		return n.identity.NodeID
	}
	s.release(n)
	n.lostAt, n.lastError, n.reported = now, why, messages.StatusUnconnected
	if !n.confirmed {
		s.dropConfig(n)
		s.unconfirmed.sessionEnded(n)
	}
	return n.identity.NodeID
}

// streamOpened records that the session has opened a further stream.
func (s *registryState) streamOpened(agentID string) {
	if n := s.byAgent[agentID]; n != nil {
		s.confirm(n)
	}
}

// isLive reports whether the session lives.
func (s *registryState) isLive(agentID string) bool { return s.byAgent[agentID] != nil }

// status derives a node's status from its last heartbeat and its session.
func (s *registryState) status(n *node, now time.Time) messages.Status {
	if now.Before(s.unconnectedSince(n)) {
		return messages.StatusOnline
	}
	return messages.StatusUnconnected
}

// unconnectedSince returns the time from which the node is unconnected. It is in the future
// while the node is online.
func (s *registryState) unconnectedSince(n *node) time.Time {
	silent := n.lastHeartbeat.Add(s.limits.HeartbeatTimeout)
	if !n.live && n.lostAt.Before(silent) {
		return n.lostAt
	}
	return silent
}

// swept is the result of a sweep.
type swept struct {
	// Unconnected are the nodes whose heartbeats have stopped since the last sweep.
	Unconnected []string
	// Removed are the nodes that were unconnected for too long.
	Removed []string
	// EndSessions are the agent ids of the live sessions of the removed nodes.
	EndSessions []string
}

// sweep finds the nodes whose heartbeats have stopped, and removes those that were unconnected
// for the cleanup timeout.
func (s *registryState) sweep(now time.Time) swept {
	var found swept
	for _, id := range slices.Sorted(maps.Keys(s.nodes)) {
		n := s.nodes[id]
		since := s.unconnectedSince(n)
		if now.Before(since) {
			continue
		}
		if now.Sub(since) >= s.limits.CleanupTimeout {
			found.Removed = append(found.Removed, id)
			if agentID := s.remove(n); agentID != "" {
				found.EndSessions = append(found.EndSessions, agentID)
			}
			continue
		}
		if n.reported == messages.StatusOnline {
			n.reported = messages.StatusUnconnected
			n.lastError = "no heartbeat for " + s.limits.HeartbeatTimeout.String()
			found.Unconnected = append(found.Unconnected, id)
		}
	}
	return found
}
