package proxy

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"

	"fodc/messages"
)

// NodeIDFrom says which names of its certificate an agent may register with.
type NodeIDFrom string

// The values of a NodeIDFrom. The zero value is NodeIDFromAny.
const (
	// NodeIDFromSAN allows the DNS names and the URIs of the certificate's alternative names.
	NodeIDFromSAN NodeIDFrom = "san"
	// NodeIDFromCN allows the common name.
	NodeIDFromCN NodeIDFrom = "cn"
	// NodeIDFromAny allows both.
	NodeIDFromAny NodeIDFrom = "any"
	// NodeIDFromNone allows any node id: all nodes have the same certificate.
	NodeIDFromNone NodeIDFrom = "none"
)

// maxNamesInText bounds the names of a certificate in an error.
const maxNamesInText = 5

// certificateNames are the names in a client's certificate. Those that no node can have, since a
// registration with them is invalid, are left out.
type certificateNames struct {
	dns  []string
	uris []*url.URL
	cn   string
	// own says that it is the certificate of an agent in this process, which may be any node.
	own bool
	// digest is that of the certificate, which stands in for a name if there is none.
	digest string
}

func certificateNamesOf(c *x509.Certificate) *certificateNames {
	sum := sha256.Sum256(c.Raw)
	n := &certificateNames{digest: "sha256:" + hex.EncodeToString(sum[:])}
	for _, name := range c.DNSNames {
		if messages.CanBeNodeID(name) {
			n.dns = append(n.dns, name)
		}
	}
	for _, u := range c.URIs {
		if messages.CanBeNodeID(u.String()) {
			n.uris = append(n.uris, u)
		}
	}
	if messages.CanBeNodeID(c.Subject.CommonName) {
		n.cn = c.Subject.CommonName
	}
	return n
}

// nameFor returns the name of the certificate by which its owner may be the node with the id, and
// false if it may not. Of several it returns the one that says most about the node.
func (n *certificateNames) nameFor(id string, from NodeIDFrom) (name string, ok bool) {
	if n.own {
		from = NodeIDFromNone
	}
	if from == NodeIDFromNone {
		return n.all(from)[0], true
	}
	if id == "" {
		return "", false
	}
	if from != NodeIDFromCN {
		if name, ok := n.alternativeFor(id); ok {
			return name, true
		}
	}
	if from != NodeIDFromSAN && n.cn == id {
		return n.cn, true
	}
	return "", false
}

// alternativeFor is nameFor with the alternative names: one that is the id itself, then the whole
// of a URI, then the end of its path, then a wildcard.
func (n *certificateNames) alternativeFor(id string) (name string, ok bool) {
	for _, dns := range n.dns {
		if dns == id && !strings.Contains(dns, "*") {
			return dns, true
		}
	}
	for _, u := range n.uris {
		if u.String() == id {
			return id, true
		}
	}
	for _, u := range n.uris {
		if endOfPath(u) == id {
			return u.String(), true
		}
	}
	for _, dns := range n.dns {
		if isOneLabelUnder(id, dns) {
			return dns, true
		}
	}
	return "", false
}

// endOfPath returns the last segment of a URI's path; empty if there is none, or if there is more
// behind the path. One with an escape is none: it may stand for a slash.
func endOfPath(u *url.URL) string {
	path := u.EscapedPath()
	i := strings.LastIndexByte(path, '/')
	if i < 0 || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(path[i:], "%") {
		return ""
	}
	return path[i+1:]
}

// isOneLabelUnder reports whether the id is a host's name with one label in the place of the
// wildcard's asterisk.
func isOneLabelUnder(id, wildcard string) bool {
	domain, ok := strings.CutPrefix(wildcard, "*.")
	if !ok || domain == "" || strings.Contains(domain, "*") {
		return false
	}
	label, ok := strings.CutSuffix(id, "."+domain)
	return ok && label != "" && !strings.ContainsFunc(label, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_'
	})
}

// has reports whether the certificate has the name by which another one was accepted.
func (n *certificateNames) has(name string, from NodeIDFrom) bool {
	return slices.Contains(n.all(from), name)
}

// all returns the names that count. With NodeIDFromNone all count, and there is at least one.
func (n *certificateNames) all(from NodeIDFrom) (names []string) {
	if n.own {
		from = NodeIDFromNone
	}
	if from != NodeIDFromCN {
		names = slices.Clone(n.dns)
		for _, u := range n.uris {
			names = append(names, u.String())
		}
	}
	if from != NodeIDFromSAN && n.cn != "" {
		names = append(names, n.cn)
	}
	if from == NodeIDFromNone && len(names) == 0 {
		names = []string{n.digest}
	}
	return names
}

// text returns the names that count, for an error.
func (n *certificateNames) text(from NodeIDFrom) string {
	names := n.all(from)
	if len(names) == 0 {
		return "no name"
	}
	var b strings.Builder
	for i, name := range names {
		if i == maxNamesInText {
			b.WriteString(" and " + itoa(len(names)-i) + " more")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(name))
	}
	return b.String()
}
