package proxy

import (
	"context"
	"crypto/x509"
	"strings"

	"google.golang.org/grpc/credentials"
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
	// Token returns the name of a token, and whether it is good now; nil: agents need none.
	Token func(token string) (name string, ok bool)
}

// asked reports whether agents are asked for anything.
func (c Credentials) asked() bool { return c.Certificates || c.Token != nil }

// shown is what the peer of a registration has shown.
type shownCredentials struct {
	chain []*x509.Certificate // the client's own first; empty: none
	token string              // empty: none
}

// check returns who the peer is by what it has shown.
func (c Credentials) check(s shownCredentials) verifiedPeer {
	if err := c.revoked(s); err != nil {
		return verifiedPeer{rejected: err}
	}
	var is verifiedPeer
	if len(s.chain) > 0 {
		is.certificate = certificateNamesOf(s.chain[0])
	}
	if c.Token != nil {
		is.token, _ = c.Token(s.token)
	}
	return is
}

// revoked returns why what was shown is not accepted now; nil if it is.
func (c Credentials) revoked(s shownCredentials) *rejection {
	if len(s.chain) > 0 && c.Trusted != nil && !c.Trusted(s.chain) {
		return &rejection{rejectedCertificate, "the certificate with " + certificateNamesOf(s.chain[0]).text(NodeIDFromNone) +
			" is not trusted any more: connect with one of an authority in --grpc-client-ca-file"}
	}
	if c.Token == nil {
		return nil
	}
	if _, ok := c.Token(s.token); !ok {
		if s.token == "" {
			return &rejection{rejectedToken, "an agent's token is needed: --proxy-token-file of the agent names a file with one"}
		}
		return &rejection{rejectedToken, "the token is not one of --grpc-agent-token-file"}
	}
	return nil
}

// shownBy returns what the peer of a registration stream has shown. Its certificates are those of
// the connection, so all further streams of the session have the same ones.
func shownBy(stream context.Context) shownCredentials {
	return shownCredentials{connectionOf(stream).chain(), bearerToken(stream)}
}

// chain returns the certificates that the client has sent, its own first; nil if none was verified.
func (c connection) chain() []*x509.Certificate {
	if c.certificate == nil {
		return nil
	}
	if info, ok := c.AuthInfo.(credentials.TLSInfo); ok && len(info.State.PeerCertificates) > 0 {
		return info.State.PeerCertificates
	}
	return []*x509.Certificate{c.certificate}
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
