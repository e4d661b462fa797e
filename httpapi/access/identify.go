package access

import (
	"crypto/x509"
	"net/http"
	"slices"
	"strings"
	"time"

	"fodc/messages"
)

// The challenges of a response that asks who the client is.
const (
	challengeBasic  = `Basic realm="fodc", charset="UTF-8"`
	challengeBearer = `Bearer realm="fodc"`
)

// identify returns who has made a request. With users there must be a user or a token, whatever certificate there is;
// without users, a certificate will do.
func (g *Gate) identify(s *Settings, r *http.Request) (Identity, *Refusal) {
	certificate, err := g.certificate(s, r)
	if err != nil {
		return Identity{}, err
	}
	credentials := r.Header.Values("Authorization")
	if len(credentials) > 1 {
		return Identity{}, g.challenge(s, NoCredentials, "there are %d headers Authorization: one is allowed", len(credentials))
	}
	scheme, value, _ := strings.Cut(strings.Join(credentials, ""), " ")
	switch {
	case g.findToken != nil && strings.EqualFold(scheme, "Bearer"):
		name, role, ok := g.findToken(strings.TrimSpace(value))
		if !ok {
			return Identity{}, g.challenge(s, WrongToken, "the token is none of --bearer-token-file")
		}
		return Identity{Name: name, Operate: role == RoleOperate}, nil
	case len(s.Users) > 0 && strings.EqualFold(scheme, "Basic"):
		return g.user(s, r)
	case len(s.Users) == 0 && certificate != nil:
		return *certificate, nil
	}
	return Identity{}, g.challenge(s, NoCredentials, "who are you? Allowed are %s", strings.Join(g.allowed(s), " or "))
}

// allowed names the ways to show who one is.
func (g *Gate) allowed(s *Settings) (ways []string) {
	if len(s.Users) > 0 {
		ways = append(ways, "a user and a password (basic authentication)")
	}
	if g.findToken != nil {
		ways = append(ways, "a token (Authorization: Bearer TOKEN)")
	}
	if len(s.Users) == 0 && s.VerifyClient != nil {
		ways = append(ways, "a client certificate")
	}
	return ways
}

// challenge refuses a request, and says by which credentials it would be answered.
func (g *Gate) challenge(s *Settings, why Reason, format string, args ...any) *Refusal {
	refusal := refused(why, messages.ErrUnauthorized, format, args...)
	if len(s.Users) > 0 {
		refusal.Challenges = append(refusal.Challenges, challengeBasic)
	}
	if g.findToken != nil {
		refusal.Challenges = append(refusal.Challenges, challengeBearer)
	}
	return refusal
}

func (g *Gate) user(s *Settings, r *http.Request) (Identity, *Refusal) {
	name, password, ok := r.BasicAuth()
	if !ok {
		return Identity{}, g.challenge(s, NoCredentials, "the header Authorization is not what basic authentication has")
	}
	known := ""
	if _, isUser := s.Users[name]; isUser {
		known = name
	}
	ok, err := g.passwords.check(r.Context(), r.RemoteAddr, s.Users, name, password)
	switch {
	case err != nil:
		refusal := later(Busy, "too many passwords are being compared: try again later")
		refusal.User = known
		return Identity{}, refusal
	case !ok:
		refusal := g.challenge(s, WrongPassword, "the user or the password is wrong")
		refusal.User = known
		return Identity{}, refusal
	}
	return Identity{Name: name, Operate: g.operates(name)}, nil
}

// operates reports whether one of the names is an operator's.
func (g *Gate) operates(names ...string) bool {
	return len(g.operators) == 0 || slices.ContainsFunc(names, func(name string) bool { return g.operators[name] })
}

// certificate returns whom the certificate of the connection names; nil: nobody. It is verified with the present
// settings: those of the handshake may be old.
func (g *Gate) certificate(s *Settings, r *http.Request) (*Identity, *Refusal) {
	if s.VerifyClient == nil {
		return nil, nil
	}
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		if s.CertificateRequired {
			return nil, g.challenge(s, WrongCertificate, "the connection has no client certificate: connect again with one")
		}
		return nil, nil
	}
	if err := s.VerifyClient(r.TLS.PeerCertificates, time.Now()); err != nil {
		return nil, g.challenge(s, WrongCertificate, "the client certificate of this connection is not allowed any more: connect again with another one")
	}
	names := namesOf(r.TLS.PeerCertificates[0])
	if len(names) == 0 {
		return nil, g.challenge(s, WrongCertificate, "the client certificate has no name: a CN or a SAN is needed")
	}
	return &Identity{Name: names[0], Operate: g.operates(names...)}, nil
}

// namesOf returns the names in a certificate.
func namesOf(c *x509.Certificate) (names []string) {
	names = append(names, c.Subject.CommonName)
	names = append(names, c.DNSNames...)
	for _, u := range c.URIs {
		names = append(names, u.String())
	}
	names = append(names, c.EmailAddresses...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}
