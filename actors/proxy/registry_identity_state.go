package proxy

import (
	"slices"
	"strings"
	"time"

	"fodc/messages"
)

// verifiedPeer is who the peer of a registration is, by what it has shown. The zero value has shown
// nothing.
type verifiedPeer struct {
	certificate *certificateNames // nil: none
	token       string            // its name; empty: none
	rejected    *rejection        // what it has shown is not accepted; nil: it is
}

// checkNames rejects a registration whose names are not in the certificate of its peer, and returns
// the name by which it is accepted. A pod name must be in it as well, since profiles are asked for by
// pod name, unless it is the node id.
func (s *registryState) checkNames(reg messages.Registration, by verifiedPeer) (name string, rejected *rejection) {
	if by.certificate == nil {
		return "", nil
	}
	id := reg.Identity()
	name, ok := by.certificate.nameFor(id.NodeID, s.nodeIDFrom)
	if !ok {
		return "", s.notInCertificate("node_id", id.NodeID, by.certificate)
	}
	if id.PodName != id.NodeID {
		if _, ok := by.certificate.nameFor(id.PodName, s.nodeIDFrom); !ok {
			return "", s.notInCertificate("pod_name", id.PodName, by.certificate)
		}
	}
	return name, nil
}

func (s *registryState) notInCertificate(field, claimed string, c *certificateNames) *rejection {
	from := s.nodeIDFrom
	if from == "" {
		from = NodeIDFromAny
	}
	return &rejection{rejectedCertificate, field + " " + quote(claimed) + " is not in the certificate, which has " + c.text(from) +
		" (--grpc-node-id-from " + string(from) + "): issue a certificate with that name, or register with a name that it has"}
}

// checkReturn rejects the registration of a node that is known unless it can be the same agent.
// name is that of the peer's certificate, see checkNames.
//
//   - A node whose newest session had a certificate is never taken by a peer without one. While it
//     is online, the peer's certificate must have the name by which that one was accepted; the address
//     does not matter, since a pod may have moved. If all nodes have the same certificate, it must
//     come from the host of the live session.
//   - A peer with a certificate may take a node that had none: it has proved more.
//   - Of two without certificates, see checkHost. A token says who may speak, not for which node.
func (s *registryState) checkReturn(n *node, reg messages.Registration, peer messages.Address, by verifiedPeer, now time.Time) *rejection {
	online := s.status(n, now) == messages.StatusOnline
	switch held := n.verified.Certificate; {
	case held != "" && by.certificate == nil:
		return takenByVerified("node_id", n.identity.NodeID)
	case !online, held == "" && by.certificate != nil:
		return nil
	case held == "":
		return checkHost(n, reg, peer)
	case !by.certificate.has(held, s.nodeIDFrom):
		return conflict(n, "an agent with the certificate of "+quote(held), "by one whose certificate has "+by.certificate.text(s.nodeIDFrom))
	case s.nodeIDFrom == NodeIDFromNone && !sameHost(n.peerIP, peer.IP):
		return conflict(n, n.peerIP, "from "+peer.IP)
	default:
		return nil
	}
}

// checkHost rejects the registration of a node that is online unless it comes from the host of
// the live session and, if both registrations have a primary address, from the same one. The
// primary address alone proves nothing, since a peer can send any or none.
func checkHost(n *node, reg messages.Registration, peer messages.Address) *rejection {
	holder, claimant := n.registration.Primary, reg.Primary
	switch {
	case !holder.IsZero() && !claimant.IsZero() && holder != claimant:
		return conflict(n, holder.String(), "from "+claimant.String())
	case !sameHost(n.peerIP, peer.IP):
		return conflict(n, n.peerIP, "from "+peer.IP)
	default:
		return nil
	}
}

func conflict(n *node, holder, claimant string) *rejection {
	return &rejection{rejectedConflict, "node_id " + quote(n.identity.NodeID) + " is online from " +
		holder + ", and cannot be registered " + claimant +
		" as well: give each node a --node-id of its own; if it is the same node, its old session has to expire first"}
}

// sameHost reports whether two connections come from one host. localhost has two addresses: an
// agent on the proxy's host may use 127.0.0.1 once and ::1 the next time.
func sameHost(a, b string) bool { return a == b || isLocalhost(a) && isLocalhost(b) }

func isLocalhost(ip string) bool { return ip == "127.0.0.1" || ip == "::1" }

func takenByVerified(field, claimed string) *rejection {
	return &rejection{rejectedUnverified, field + " " + quote(claimed) + " belongs to a node whose agent has a certificate, and cannot be registered without one"}
}

// nodesByName are the nodes that have a name, as their node id or as their pod name.
type nodesByName map[string]map[*node]struct{}

func (b nodesByName) add(n *node) {
	for _, name := range [...]string{n.identity.NodeID, n.identity.PodName} {
		if b[name] == nil {
			b[name] = map[*node]struct{}{}
		}
		b[name][n] = struct{}{}
	}
}

func (b nodesByName) remove(n *node) {
	for _, name := range [...]string{n.identity.NodeID, n.identity.PodName} {
		delete(b[name], n)
		if len(b[name]) == 0 {
			delete(b, name)
		}
	}
}

// checkOthers rejects a registration without a certificate whose node id or pod name is one of a
// node with a certificate: it would be asked for what is asked of that node.
func (s *registryState) checkOthers(id messages.Identity, by verifiedPeer) *rejection {
	if by.certificate != nil {
		return nil
	}
	for _, claimed := range [...][2]string{{"node_id", id.NodeID}, {"pod_name", id.PodName}} {
		for n := range s.byName[claimed[1]] {
			if n.verified.Certificate != "" && n.identity.NodeID != id.NodeID {
				return takenByVerified(claimed[0], claimed[1])
			}
		}
	}
	return nil
}

// displace removes the other nodes without a certificate that have a name of a node with one, and
// returns them with their sessions, which must end.
func (s *registryState) displace(id messages.Identity, by verifiedPeer) (displaced []eviction) {
	for _, n := range s.displacedBy(id, by) {
		displaced = append(displaced, eviction{nodeID: n.identity.NodeID, agentID: s.remove(n)})
	}
	return displaced
}

// displacedBy returns the nodes that displace removes, sorted by node id.
func (s *registryState) displacedBy(id messages.Identity, by verifiedPeer) (found []*node) {
	if by.certificate == nil {
		return nil
	}
	for _, name := range [...]string{id.NodeID, id.PodName} {
		for n := range s.byName[name] {
			if n.verified.Certificate == "" && n.identity.NodeID != id.NodeID {
				found = append(found, n)
			}
		}
	}
	slices.SortFunc(found, func(a, b *node) int { return strings.Compare(a.identity.NodeID, b.identity.NodeID) })
	return slices.Compact(found) // a node may have both names
}
