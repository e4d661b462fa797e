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
	// displaced are the nodes without a certificate that were removed since they had its names.
	displaced []eviction
	verified  messages.Verified
}

// Two agents with the same node id on one host look like one agent that registers again and
// again: each replaces the session that the other has just opened.
const (
	replacementInterval = time.Minute
	suspectAfter        = 3
	suspectAgainEvery   = 100
)

// admit accepts a registration as the session agentID, or returns a *rejection. peer is the
// remote address of the connection, by is what the peer has shown.
func (s *registryState) admit(reg messages.Registration, agentID string, peer messages.Address, by verifiedPeer, now time.Time) (admission, error) {
	if rejected := s.checkRate(peer, now); rejected != nil {
		return admission{}, rejected
	}
	name, rejected := s.checkClaim(reg, peer, by, now)
	if rejected != nil {
		return admission{}, rejected
	}
	identity := reg.Identity()
	n, known := s.nodes[identity.NodeID]
	adm := admission{identity: identity, returning: known, verified: messages.Verified{Certificate: name, Token: by.token}}
	adm.displaced = s.displace(identity, by)
	replacements := 0
	if known {
		if n.live && now.Sub(n.registeredAt) < replacementInterval {
			replacements = n.replacements + 1
		}
		adm.duplicateSuspected = replacements%suspectAgainEvery == suspectAfter
		adm.replaced = s.release(n)
		s.unconfirmed.remove(n)
		s.byName.remove(n)
		reg = keepKnownRole(reg, n.registration)
		adm.identity = reg.Identity()
	} else { // It is not rejected if nodes were displaced: there is a place then.
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
		confirmed: was.confirmed || name != "", configBytes: was.configBytes, verified: adm.verified}
	s.storeConfig(n, sent)
	s.byName.add(n)
	s.byAgent[agentID] = n
	if !n.confirmed {
		s.unconfirmed.add(n)
	}
	return adm, nil
}

// checkRate rejects a registration if too many have come from the address of its peer.
func (s *registryState) checkRate(peer messages.Address, now time.Time) *rejection {
	if s.rate.take(peer.IP, now) {
		return nil
	}
	return &rejection{rejectedRate, "agents at " + peer.IP + " register too often: an address may do so " +
		itoa(registrationsPerMinute) + " times a minute, and " + itoa(int(s.rate.burst)) +
		" times at once (as many as --max-agents allows, at least " + itoa(minRegistrationBurst) + "): try again in some seconds"}
}

// checkClaim rejects a registration that is not valid, or whose peer may not be that node. It returns
// the name of the peer's certificate by which it is accepted; empty if the peer has none.
func (s *registryState) checkClaim(reg messages.Registration, peer messages.Address, by verifiedPeer, now time.Time) (name string, rejected *rejection) {
	if by.rejected != nil {
		return "", by.rejected
	}
	if err := reg.Validate(); err != nil {
		return "", &rejection{rejectedInvalid, err.Error()}
	}
	if name, rejected = s.checkNames(reg, by); rejected != nil {
		return "", rejected
	}
	identity := reg.Identity()
	if n, known := s.nodes[identity.NodeID]; known {
		if rejected := s.checkReturn(n, reg, peer, by, now); rejected != nil {
			return "", rejected
		}
	}
	return name, s.checkOthers(identity, by)
}

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
