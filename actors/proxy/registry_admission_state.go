package proxy

import (
	"time"

	"fodc/messages"
)

// rejection is the error for a registration that is not accepted.
type rejection struct {
	reason rejectionReason
	text   string
}

func (r *rejection) Error() string { return r.text }

// admission is an accepted registration.
type admission struct {
	identity messages.Identity
	// replaced is the agent id of the node's former session, which must end; empty
	// if there was none.
	replaced string
	// returning says that the node was known.
	returning bool
	// duplicateSuspected says that two agents seem to replace each other as this node. It is
	// true once suspectAfter replacements came in a row, and then every suspectAgainEvery.
	duplicateSuspected bool
	// evicted is the node that was removed for this one; the zero eviction if none was.
	evicted eviction
}

// Two agents with the same node id on one host look like one agent that registers again and
// again: each replaces the session that the other has just opened.
const (
	replacementInterval = time.Minute
	suspectAfter        = 3
	suspectAgainEvery   = 100
)

// admit accepts a registration as the session agentID, or returns a *rejection. peer is the
// remote address of the connection.
func (s *registryState) admit(reg messages.Registration, agentID string, peer messages.Address, now time.Time) (admission, error) {
	if !s.rate.take(peer.IP, now) {
		return admission{}, &rejection{rejectedRate, "agents at " + peer.IP + " register too often: an address may do so " +
			itoa(registrationsPerMinute) + " times a minute, and " + itoa(int(s.rate.burst)) +
			" times at once (as many as --max-agents allows, at least " + itoa(minRegistrationBurst) + "): try again in some seconds"}
	}
	if err := reg.Validate(); err != nil {
		return admission{}, &rejection{rejectedInvalid, err.Error()}
	}
	identity := reg.Identity()
	n, known := s.nodes[identity.NodeID]
	adm := admission{identity: identity, returning: known}
	replacements := 0
	if known {
		if rejected := s.checkReturn(n, reg, peer, now); rejected != nil {
			return admission{}, rejected
		}
		if n.live && now.Sub(n.registeredAt) < replacementInterval {
			replacements = n.replacements + 1
		}
		adm.duplicateSuspected = replacements%suspectAgainEvery == suspectAfter
		adm.replaced = s.release(n)
		s.unconfirmed.remove(n)
		reg = keepKnownRole(reg, n.registration)
		adm.identity = reg.Identity()
	} else {
		var rejected *rejection
		if adm.evicted, rejected = s.evictIfFull(identity.NodeID, now); rejected != nil {
			return admission{}, rejected
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
		registeredAt: now, lastHeartbeat: now, reported: messages.StatusOnline, replacements: replacements,
		confirmed: was.confirmed, configBytes: was.configBytes}
	s.storeConfig(n, sent)
	s.byAgent[agentID] = n
	if !n.confirmed {
		s.unconfirmed.add(n)
	}
	return adm, nil
}

// checkReturn rejects the registration of a node that is online unless it can be the same
// agent: it must come from the host of the live session and, if both registrations have a
// primary address, from the same one. The primary address alone proves nothing, since a peer
// can send any or none.
func (s *registryState) checkReturn(n *node, reg messages.Registration, peer messages.Address, now time.Time) *rejection {
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

func conflict(n *node, holder, claimant string) *rejection {
	return &rejection{rejectedConflict, "node_id " + quote(n.identity.NodeID) + " is online from " +
		holder + ", and cannot be registered from " + claimant +
		" as well: give each node a --node-id of its own; if it is the same node, its old session has to expire first"}
}

// sameHost reports whether two connections come from one host. localhost has two addresses: an
// agent on the proxy's host may use 127.0.0.1 once and ::1 the next time.
func sameHost(a, b string) bool { return a == b || isLocalhost(a) && isLocalhost(b) }

func isLocalhost(ip string) bool { return ip == "127.0.0.1" || ip == "::1" }

// keepKnownRole returns the registration or heartbeat with the known role and labels if it has no
// role: an agent that has to ask its node for the role says it with a later heartbeat, and until then
// has at most the labels that were configured.
func keepKnownRole(reg, known messages.Registration) messages.Registration {
	if isRoleKnown(known.Role) && !isRoleKnown(reg.Role) {
		reg.Role = known.Role
		if len(known.Labels) > 0 {
			reg.Labels = known.Labels
		}
	}
	return reg
}

func isRoleKnown(role string) bool { return role != "" && role != messages.RoleUnspecified }
