package proxy

import (
	"maps"
	"slices"
	"time"

	"fodc/messages"
)

// RegistryLimits bounds what the registry keeps, and for how long.
type RegistryLimits struct {
	// HeartbeatTimeout is the silence after which a node counts as unconnected.
	HeartbeatTimeout time.Duration
	// CleanupTimeout is how long an unconnected node stays visible.
	CleanupTimeout time.Duration
	// MaxAgents bounds the nodes; nodes that are known may return over it.
	MaxAgents int
}

// registryState is the rules of the registry: one entry a node, whatever its agent
// does; each registration is a new session, known by its agent id, and replaces the
// node's former one. What an older session still says is ignored.
type registryState struct {
	limits  RegistryLimits
	nodes   map[string]*node
	byAgent map[string]*node // live sessions only
	rate    registrationRate
}

// node is one entry. It is online by derivation (see status), so that no event
// can leave it wrong.
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
	// turns counts the registrations in a row that replaced a live session younger than
	// turnInterval.
	turns int
	// spoken says that an agent of the node ever said more than its registration: it has
	// sent a heartbeat, or opened a further stream.
	spoken bool
	// configBytes is what the configuration takes in memory.
	configBytes int
}

func newRegistryState(limits RegistryLimits) *registryState {
	return &registryState{limits: limits, nodes: map[string]*node{}, byAgent: map[string]*node{},
		rate: newRegistrationRate(limits.MaxAgents)}
}

// release takes the live session from the node and returns its agent id.
func (s *registryState) release(n *node) string {
	if !n.live {
		return ""
	}
	n.live = false
	delete(s.byAgent, n.agentID)
	return n.agentID
}

// heartbeat takes note that the session lives, and of what it says anew: a role
// that was not known, labels, runtime, configuration. It returns the node's id if that came back
// online. A heartbeat whose words are invalid counts as a heartbeat only.
func (s *registryState) heartbeat(agentID string, reg messages.Registration, now time.Time) (back string) {
	n, ok := s.byAgent[agentID]
	if !ok {
		return ""
	}
	if s.status(n, now) != messages.StatusOnline {
		back = n.identity.NodeID
	}
	n.lastHeartbeat, n.lastError, n.reported, n.spoken = now, "", messages.StatusOnline, true
	s.keepConfig(n, reg.Config)
	known := n.registration
	reg.NodeID, reg.PodName, reg.Primary = known.NodeID, known.PodName, known.Primary
	if reg.Validate() != nil {
		return back
	}
	if !isRoleKnown(reg.Role) {
		reg.Role = known.Role
	}
	if len(reg.Labels) == 0 {
		reg.Labels = known.Labels
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

// ended takes note that the session is over: after a goodbye the node is gone,
// after a loss it stays as unconnected. It returns the node's id if the session was
// its newest.
func (s *registryState) ended(agentID string, goodbye bool, why string, now time.Time) (of string) {
	n, ok := s.byAgent[agentID]
	if !ok {
		return ""
	}
	s.release(n)
	if goodbye {
		delete(s.nodes, n.identity.NodeID)
		return n.identity.NodeID
	}
	n.lostAt, n.lastError, n.reported = now, why, messages.StatusUnconnected
	if !n.spoken {
		n.dropConfig()
	}
	return n.identity.NodeID
}

// streamOpened takes note that the session has opened a further stream.
func (s *registryState) streamOpened(agentID string) {
	if n := s.byAgent[agentID]; n != nil {
		n.spoken = true
	}
}

// isLive reports whether the session lives.
func (s *registryState) isLive(agentID string) bool { return s.byAgent[agentID] != nil }

// status derives a node's state from what was heard of it.
func (s *registryState) status(n *node, now time.Time) messages.Status {
	if now.Before(s.unconnectedSince(n)) {
		return messages.StatusOnline
	}
	return messages.StatusUnconnected
}

// unconnectedSince returns when the node counts, or will count, as unconnected if
// nothing more is heard of it.
func (s *registryState) unconnectedSince(n *node) time.Time {
	silent := n.lastHeartbeat.Add(s.limits.HeartbeatTimeout)
	if !n.live && n.lostAt.Before(silent) {
		return n.lostAt
	}
	return silent
}

// swept is what a sweep found.
type swept struct {
	// Unconnected are the nodes whose heartbeats have stopped since the last sweep.
	Unconnected []string
	// Removed are the nodes that were unconnected for too long.
	Removed []string
	// EndSessions are the agent ids of the removed nodes' sessions that still live.
	EndSessions []string
}

// sweep finds the nodes that have changed by the passing of time alone.
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
			if agentID := s.release(n); agentID != "" {
				found.EndSessions = append(found.EndSessions, agentID)
			}
			delete(s.nodes, id)
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
