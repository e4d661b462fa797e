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
}

// node is one entry. It is online by derivation (see status), so that no event
// can leave it wrong.
type node struct {
	identity      messages.Identity
	registration  messages.Registration
	primary       messages.Address // as sent, else the peer's
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
}

// refusal is why a registration is not accepted.
type refusal struct {
	why  refusalKind
	text string
}

type refusalKind uint8

const (
	refusedInvalid  refusalKind = iota + 1 // what it says of itself is not acceptable
	refusedConflict                        // its name belongs to a node that is online elsewhere
	refusedFull                            // there are as many nodes as are allowed
)

func (r *refusal) Error() string { return r.text }

func newRegistryState(limits RegistryLimits) *registryState {
	return &registryState{limits: limits, nodes: map[string]*node{}, byAgent: map[string]*node{}}
}

// admission is an accepted registration.
type admission struct {
	identity messages.Identity
	// replaced is the agent id of the node's former session, which must end; empty
	// if there was none.
	replaced string
	// returning says that the node was known.
	returning bool
	// contested says that two agents seem to take turns as this node. It is said once
	// in a row of such turns, and again after many more.
	contested bool
}

// Two agents with one name on one host look like one that returns without end: each
// takes the session that the other has just opened.
const (
	turnInterval = time.Minute
	turnsSuspect = 3
	turnsAgain   = 100
)

// admit accepts a registration as the session agentID, or refuses it. peer is the
// address that the connection comes from.
func (s *registryState) admit(reg messages.Registration, agentID string, peer messages.Address, now time.Time) (admission, error) {
	if err := reg.Validate(); err != nil {
		return admission{}, &refusal{refusedInvalid, err.Error()}
	}
	identity := reg.Identity()
	n, known := s.nodes[identity.NodeID]
	switch {
	case known && s.status(n, now) == messages.StatusOnline && claimedFromElsewhere(n.registration.Primary, reg.Primary):
		return admission{}, &refusal{refusedConflict, "node_id " + quote(identity.NodeID) + " is online from " +
			n.registration.Primary.String() + ", and cannot be registered from " + reg.Primary.String() +
			" as well: give each node a --node-id of its own; if it is the same node, its old session has to expire first"}
	case !known && len(s.nodes) >= s.limits.MaxAgents:
		return admission{}, &refusal{refusedFull, "the proxy has " + itoa(len(s.nodes)) +
			" agents, as many as --max-agents allows: " + quote(identity.NodeID) + " is one too many"}
	}
	adm := admission{identity: identity, returning: known}
	turns := 0
	if known {
		if n.live && now.Sub(n.registeredAt) < turnInterval {
			turns = n.turns + 1
		}
		adm.contested = turns%turnsAgain == turnsSuspect
		adm.replaced = s.release(n)
		reg = keepKnownRole(reg, n.registration)
		reg.Config = keepKnownConfig(reg.Config, n.registration.Config)
		adm.identity = reg.Identity()
	} else {
		n = &node{}
		s.nodes[identity.NodeID] = n
	}
	primary := reg.Primary
	if primary.IsZero() {
		primary = peer
	}
	*n = node{identity: adm.identity, registration: reg, primary: primary, agentID: agentID, live: true,
		registeredAt: now, lastHeartbeat: now, reported: messages.StatusOnline, turns: turns}
	s.byAgent[agentID] = n
	return adm, nil
}

func claimedFromElsewhere(holder, claimant messages.Address) bool {
	return !holder.IsZero() && !claimant.IsZero() && holder != claimant
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

// keepKnownRole fills in what a baseline agent says only with a later heartbeat.
func keepKnownRole(reg, known messages.Registration) messages.Registration {
	if isRoleKnown(known.Role) && !isRoleKnown(reg.Role) {
		reg.Role = known.Role
		if len(reg.Labels) == 0 {
			reg.Labels = known.Labels
		}
	}
	return reg
}

// keepKnownConfig returns what is known of a node's configuration with what was sent
// now: nil is no news.
func keepKnownConfig(sent, known *messages.NodeConfig) *messages.NodeConfig {
	if sent == nil {
		return known
	}
	return sent.KeepKnown(known)
}

func isRoleKnown(role string) bool { return role != "" && role != messages.RoleUnspecified }

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
	n.lastHeartbeat, n.lastError, n.reported = now, "", messages.StatusOnline
	known := n.registration
	n.registration.Config = keepKnownConfig(reg.Config, known.Config)
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
	} else {
		n.lostAt, n.lastError, n.reported = now, why, messages.StatusUnconnected
	}
	return n.identity.NodeID
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
