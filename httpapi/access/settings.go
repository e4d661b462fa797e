package access

import (
	"context"
	"crypto/x509"
	"net/http"
	"time"

	"golang.org/x/time/rate"
)

// Settings are one version of what a web configuration says of requests. They do not change. The zero value lets
// everybody in.
type Settings struct {
	// Users are the bcrypt hashes of passwords, by the name of the user.
	Users map[string][]byte
	// VerifyClient checks the certificates that a client has shown, its own first; nil: they do not say who it is.
	VerifyClient func(certs []*x509.Certificate, now time.Time) error
	// CertificateRequired: there is no connection without a certificate that is verified.
	CertificateRequired bool
	// Headers are on each response.
	Headers map[string]string
	// Limiter bounds all requests together; nil: it does not.
	Limiter *rate.Limiter
}

// Roles of tokens.
const (
	RoleRead    = "read"
	RoleOperate = "operate"
)

// Identity is who has made a request.
type Identity struct {
	// Name is that of a user, of a token, or of a certificate.
	Name string
	// Operate: it may change something, and not only read.
	Operate bool
}

type identityKey struct{}

// With returns the request with who has made it.
func With(r *http.Request, who Identity) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), identityKey{}, who))
}

// Of returns who has made a request. It is not ok where nobody is asked.
func Of(r *http.Request) (who Identity, ok bool) {
	who, ok = r.Context().Value(identityKey{}).(Identity)
	return who, ok
}
