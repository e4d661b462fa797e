package proxy

import (
	"time"

	"fodc/messages"
)

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
	refusedRate                            // its address registers too often
)

func (r *refusal) Error() string { return r.text }

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
	// evicted is the node that had to go to make room for this one; the zero eviction if
	// none had to.
	evicted eviction
}

// eviction is a node that was removed to make room. Its session must end if it lives;
// agentID is empty if it does not.
type eviction struct{ nodeID, agentID string }

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
	if !s.rate.take(peer.IP, now) {
		return admission{}, &refusal{refusedRate, "agents at " + peer.IP + " register too often: an address may do so " +
			itoa(registrationsPerMinute) + " times a minute, and " + itoa(int(s.rate.burst)) +
			" times at once (as many as --max-agents allows, at least " + itoa(minRegistrationBurst) + "): try again in some seconds"}
	}
	if err := reg.Validate(); err != nil {
		return admission{}, &refusal{refusedInvalid, err.Error()}
	}
	identity := reg.Identity()
	n, known := s.nodes[identity.NodeID]
	adm := admission{identity: identity, returning: known}
	turns := 0
	if known {
		if refused := s.checkReturn(n, reg, peer, now); refused != nil {
			return admission{}, refused
		}
		if n.live && now.Sub(n.registeredAt) < turnInterval {
			turns = n.turns + 1
		}
		adm.contested = turns%turnsAgain == turnsSuspect
		adm.replaced = s.release(n)
		reg = keepKnownRole(reg, n.registration)
		adm.identity = reg.Identity()
	} else {
		var refused *refusal
		if adm.evicted, refused = s.makeRoom(identity.NodeID, now); refused != nil {
			return admission{}, refused
		}
		n = &node{}
		s.nodes[identity.NodeID] = n
	}
	primary := reg.Primary
	if primary.IsZero() {
		primary = peer
	}
	sent, was := reg.Config, *n
	reg.Config = was.registration.Config
	*n = node{identity: adm.identity, registration: reg, primary: primary, peerIP: peer.IP, agentID: agentID, live: true,
		registeredAt: now, lastHeartbeat: now, reported: messages.StatusOnline, turns: turns,
		spoken: was.spoken, configBytes: was.configBytes}
	s.keepConfig(n, sent)
	s.byAgent[agentID] = n
	return adm, nil
}

// checkReturn refuses the registration of a node that is online unless it can be the same
// agent again: from the host that its session comes from, and from the same primary address
// where both are said. Who leaves the address out, or makes one up, proves nothing with it.
func (s *registryState) checkReturn(n *node, reg messages.Registration, peer messages.Address, now time.Time) *refusal {
	if s.status(n, now) != messages.StatusOnline {
		return nil
	}
	holder, claimant := n.registration.Primary, reg.Primary
	switch {
	case !holder.IsZero() && !claimant.IsZero() && holder != claimant:
		return conflict(n, holder.String(), claimant.String())
	case !sameHost(n.peerIP, peer.IP):
		return conflict(n, n.peerIP, peer.IP)
	default:
		return nil
	}
}

func conflict(n *node, holder, claimant string) *refusal {
	return &refusal{refusedConflict, "node_id " + quote(n.identity.NodeID) + " is online from " +
		holder + ", and cannot be registered from " + claimant +
		" as well: give each node a --node-id of its own; if it is the same node, its old session has to expire first"}
}

// sameHost reports whether two connections come from one host. localhost has two addresses:
// an agent beside the proxy may come from 127.0.0.1 now, and from ::1 next time.
func sameHost(a, b string) bool { return a == b || isLocalhost(a) && isLocalhost(b) }

func isLocalhost(ip string) bool { return ip == "127.0.0.1" || ip == "::1" }

// makeRoom makes sure that there is room for a node that is not known. Where there is none,
// the unconnected node that has been so for longest goes, of those that never said more than
// their registration: it costs nothing to make up many of them, and who has been heard of
// must not have to go for them.
func (s *registryState) makeRoom(nodeID string, now time.Time) (eviction, *refusal) {
	if len(s.nodes) < s.limits.MaxAgents {
		return eviction{}, nil
	}
	var oldest *node
	for _, n := range s.nodes {
		if n.spoken || s.status(n, now) == messages.StatusOnline {
			continue
		}
		if oldest == nil || goesBefore(s, n, oldest) {
			oldest = n
		}
	}
	if oldest == nil {
		return eviction{}, &refusal{refusedFull, "the proxy has " + itoa(len(s.nodes)) +
			" agents, as many as --max-agents allows: " + quote(nodeID) + " is one too many"}
	}
	delete(s.nodes, oldest.identity.NodeID)
	return eviction{nodeID: oldest.identity.NodeID, agentID: s.release(oldest)}, nil
}

// goesBefore orders by time, and by name where that is the same.
func goesBefore(s *registryState, a, b *node) bool {
	if d := s.unconnectedSince(a).Compare(s.unconnectedSince(b)); d != 0 {
		return d < 0
	}
	return a.identity.NodeID < b.identity.NodeID
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

func isRoleKnown(role string) bool { return role != "" && role != messages.RoleUnspecified }
