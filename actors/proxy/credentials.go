package proxy

import (
	"context"
	"crypto/x509"
	"strings"

	"google.golang.org/grpc/metadata"
)

// Credentials says how agents show who they are. The zero value asks them for nothing. The registry
// calls its functions, which must not block.
type Credentials struct {
	// Certificates says that agents are asked for certificates in the handshake.
	Certificates bool
	// NodeIDFrom says which names of its certificate an agent may register with.
	NodeIDFrom NodeIDFrom
	// Trusted reports whether the certificates of a client, its own first, are trusted now. Those
	// that it is asked about were when the connection was made. Nil: they still are.
	Trusted func(chain []*x509.Certificate) bool
	// Own is the certificate of an agent in this process, which may be any node; nil: there is none.
	Own *x509.Certificate
	// Tokens are those that agents must have one of; nil: they need none.
	Tokens TokenTable
}

// TokenTable knows the tokens that are good now.
type TokenTable interface {
	// Find returns the name of a token. It is not ok for one that is not good.
	Find(token string) (name string, ok bool)
	// Has reports whether a token with the name is good.
	Has(name string) bool
}

// asked reports whether agents are asked for anything.
func (c Credentials) asked() bool { return c.Certificates || c.Tokens != nil }

// shownCredentials is what the peer of a registration has shown.
type shownCredentials struct {
	chain []*x509.Certificate // the client's own first; empty: none
	token string              // empty: none
}

// check returns who the peer is by what it has shown.
func (c Credentials) check(s shownCredentials) verifiedPeer {
	var is verifiedPeer
	if len(s.chain) > 0 {
		is.certificate = certificateNamesOf(s.chain[0])
		is.certificate.own = c.Own != nil && c.Own.Equal(s.chain[0])
	}
	if c.Tokens != nil {
		var ok bool
		switch is.token, ok = c.Tokens.Find(s.token); {
		case s.token == "":
			return verifiedPeer{rejected: &rejection{rejectedToken, "an agent's token is needed: the agent must name a file with one (--proxy-token-file)"}}
		case !ok:
			return verifiedPeer{rejected: &rejection{rejectedToken, "the token is not one of --grpc-agent-token-file"}}
		}
	}
	if why := c.revoked(acceptedCredentials{s.chain, is.token}); why != nil {
		return verifiedPeer{rejected: why}
	}
	return is
}

// acceptedCredentials is by what a session was accepted. Of the token the name is enough: when another
// token takes its place under the same name, sessions go on.
type acceptedCredentials struct {
	chain     []*x509.Certificate // empty: none
	tokenName string              // empty: none
}

// revoked returns why what a session was accepted by is not accepted now; nil if it is.
func (c Credentials) revoked(a acceptedCredentials) *rejection {
	if len(a.chain) > 0 && c.Trusted != nil && !c.Trusted(a.chain) {
		return &rejection{rejectedCertificate, "the certificate with " + certificateNamesOf(a.chain[0]).text(NodeIDFromNone) +
			" is not trusted any more: connect with one of an authority in --grpc-client-ca-file"}
	}
	if c.Tokens != nil && !c.Tokens.Has(a.tokenName) {
		return &rejection{rejectedToken, "--grpc-agent-token-file has no token with the name " + quote(a.tokenName) + " any more"}
	}
	return nil
}

// shownBy returns what the peer of a registration stream has shown. Its certificates are those of
// the connection, so all further streams of the session have the same ones.
func shownBy(stream context.Context) shownCredentials {
	return shownCredentials{connectionOf(stream).chain, bearerToken(stream)}
}

// bearerToken returns the token of the stream's metadata; empty if there is none.
func bearerToken(stream context.Context) string {
	md, _ := metadata.FromIncomingContext(stream)
	all := md.Get("authorization")
	if len(all) == 0 {
		return ""
	}
	scheme, token, _ := strings.Cut(all[0], " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
