package proxy

import (
	"time"

	"fodc/messages"
)

// check returns in words what would become of a registration, or the *rejection that admit would return now. It changes
// nothing but the rate of the peer's address: whoever may register so often may ask so often.
func (s *registryState) check(reg messages.Registration, peer messages.Address, by verifiedPeer, now time.Time) (text string, err error) {
	if rejected := s.checkRate(peer, now); rejected != nil {
		return "", rejected
	}
	name, rejected := s.checkClaim(reg, peer, by, now)
	if rejected != nil {
		return "", rejected
	}
	id := reg.Identity()
	n, known := s.nodes[id.NodeID]
	displaced := len(s.displacedBy(id, by))
	if !known && displaced == 0 && len(s.nodes) >= s.limits.MaxAgents && s.unconfirmed.next(now) == nil {
		return "", s.full(id.NodeID)
	}
	text = "node_id " + quote(id.NodeID) + " would be accepted"
	switch {
	case name != "" && by.token != "":
		text += " for " + quote(name) + " in the certificate and the token " + quote(by.token)
	case name != "":
		text += " for " + quote(name) + " in the certificate"
	case by.token != "":
		text += " for the token " + quote(by.token)
	case s.verifies:
		text += ", although it has shown neither a certificate nor a token"
	}
	switch {
	case !known:
		text += "; the proxy does not know the node yet"
	case s.status(n, now) == messages.StatusOnline:
		text += "; the node is online from " + n.peerIP + ", and a registration would replace its session"
	default:
		text += "; the node is known, and unconnected"
	}
	if displaced > 0 {
		text += "; agents without a certificate that have its names would be removed"
	}
	return text, nil
}
