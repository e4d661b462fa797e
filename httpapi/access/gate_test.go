package access

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"fodc/messages"
	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/time/rate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func hashOf(t *testing.T, password string) []byte {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	require.NoError(t, err)
	return hash
}

func someTokens(token string) (name, role string, ok bool) {
	switch token {
	case "reading":
		return "prometheus", RoleRead, true
	case "operating":
		return "robot", RoleOperate, true
	}
	return "", "", false
}

// asker makes requests to a gate with some settings.
type asker struct {
	t        *testing.T
	cfg      Config
	settings Settings
	ca       *certtest.CA
}

func newAsker(t *testing.T) *asker { return &asker{t: t, ca: certtest.NewCA(t, "ca")} }

func (a *asker) withUsers() *asker {
	a.settings.Users = map[string][]byte{"alice": hashOf(a.t, "secret of alice"), "bob": hashOf(a.t, "secret of bob")}
	return a
}

func (a *asker) withTokens() *asker { a.cfg.FindToken = someTokens; return a }

func (a *asker) withCertificates(required bool) *asker {
	a.settings.CertificateRequired = required
	a.settings.VerifyClient = func(certs []*x509.Certificate, now time.Time) error {
		_, err := certs[0].Verify(x509.VerifyOptions{Roots: a.ca.Pool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		return err
	}
	return a
}

func (a *asker) withOperators(names ...string) *asker { a.cfg.Operators = names; return a }

type change func(*http.Request)

func basic(user, password string) change {
	return func(r *http.Request) { r.SetBasicAuth(user, password) }
}
func header(name, value string) change { return func(r *http.Request) { r.Header.Add(name, value) } }
func bearer(token string) change       { return header("Authorization", "Bearer "+token) }

func (a *asker) certificate(ca *certtest.CA, l certtest.Leaf) change {
	return func(r *http.Request) {
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{ca.Issue(a.t, l).Cert}}
	}
}

// expect is who has asked, for requests that read and for those that change something; a reason is why one is refused.
func (a *asker) expect(reads, changes string, how ...change) {
	a.t.Helper()
	a.cfg.Settings = func() *Settings { return &a.settings }
	g := New(a.cfg)
	for _, c := range []struct {
		want string
		of   Request
	}{{reads, Request{}}, {changes, Request{Changes: true}}} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		for _, f := range how {
			f(r)
		}
		got := ""
		checked, err := g.Check(r, c.of)
		if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
			got = string(refusal.Reason)
		} else if who, ok := Of(checked); ok {
			got = who.Name
		}
		require.Equal(a.t, c.want, got, "changes: %v", c.of.Changes)
		_, err = g.Check(r, Request{Open: true})
		require.NoError(a.t, err)
	}
}

const (
	none     = string(NoCredentials)
	onlyRead = string(OnlyReads)
	badToken = string(WrongToken)
	badPass  = string(WrongPassword)
	badCert  = string(WrongCertificate)
)

func TestNobodyIsAsked(t *testing.T) {
	newAsker(t).expect("", "", header("Authorization", "Bearer x"))
	newAsker(t).withCertificates(false).expect("", "")
	newAsker(t).withOperators("alice").expect("", "", basic("alice", "x"))
}

func TestUsersAreAsked(t *testing.T) {
	a := newAsker(t).withUsers()
	a.expect("alice", "alice", basic("alice", "secret of alice"))
	a.expect(none, none)
	a.expect(none, none, bearer("operating"))
	a.expect(none, none, header("Authorization", "Basic !"))
	a.expect(none, none, basic("alice", "secret of alice"), header("Authorization", "Basic x"))
	a.expect(badPass, badPass, basic("alice", "secret of bob"))
	a.expect(badPass, badPass, basic("alice", ""))
	a.expect(badPass, badPass, basic("", ""))
	a.expect(badPass, badPass, basic("carol", "secret of alice"))
	a.withOperators("bob")
	a.expect("alice", onlyRead, basic("alice", "secret of alice"))
	a.expect("bob", "bob", basic("bob", "secret of bob"))
}

// The names of the tests of what cannot be done are in the table of threats.
func TestReaderCannotChangeAnything(t *testing.T) {
	a := newAsker(t).withTokens()
	a.expect("prometheus", onlyRead, bearer("reading"))
	a.expect("robot", "robot", bearer("operating"))
	a.expect("robot", "robot", header("Authorization", "bEaReR operating"))
	a.expect(badToken, badToken, bearer("Operating"))
	a.expect(badToken, badToken, bearer(""))
	a.expect(none, none)
	a.expect(none, none, basic("robot", "operating"))
	a.withUsers().expect("alice", "alice", basic("alice", "secret of alice"))
	a.expect("prometheus", onlyRead, bearer("reading"))
	a.withOperators("prometheus").expect("prometheus", onlyRead, bearer("reading"))
	a.expect("robot", "robot", bearer("operating"))
}

func TestCertificatesAreAsked(t *testing.T) {
	a := newAsker(t).withCertificates(true)
	f := func(reads, changes string, l certtest.Leaf) {
		t.Helper()
		a.expect(reads, changes, a.certificate(a.ca, l))
	}
	f("one", "one", certtest.Leaf{CN: "one"})
	f("two.example", "two.example", certtest.Leaf{DNS: []string{"two.example"}})
	f("spiffe://x/y", "spiffe://x/y", certtest.Leaf{URIs: []string{"spiffe://x/y"}})
	f(badCert, badCert, certtest.Leaf{})
	f(badCert, badCert, certtest.Leaf{CN: "one", NotAfter: time.Now().Add(-time.Minute)})
	a.expect(badCert, badCert)
	a.expect(badCert, badCert, a.certificate(certtest.NewCA(t, "other"), certtest.Leaf{CN: "one"}))
	a.withOperators("two.example", "three")
	f("one", onlyRead, certtest.Leaf{CN: "one"})
	f("one", "one", certtest.Leaf{CN: "one", DNS: []string{"two.example"}})
	// With users, a certificate alone does not do.
	a.withUsers().expect(none, none, a.certificate(a.ca, certtest.Leaf{CN: "three"}))
	a.expect(badCert, badCert, basic("alice", "secret of alice"))
	a.expect("alice", onlyRead, basic("alice", "secret of alice"), a.certificate(a.ca, certtest.Leaf{CN: "three"}))

	a = newAsker(t).withCertificates(false).withTokens()
	a.expect("one", "one", a.certificate(a.ca, certtest.Leaf{CN: "one"}))
	a.expect("prometheus", onlyRead, bearer("reading"))
	a.expect(none, none)
	a.expect(badToken, badToken, bearer("x"), a.certificate(a.ca, certtest.Leaf{CN: "one"}))
	a.expect(badCert, badCert, a.certificate(certtest.NewCA(t, "other"), certtest.Leaf{CN: "one"}))
}

func TestOtherSiteCannotActThroughABrowser(t *testing.T) {
	const otherSite = string(OtherSite)
	external, err := url.Parse("https://fodc.example/prefix")
	require.NoError(t, err)
	for _, a := range []*asker{newAsker(t), newAsker(t).withUsers()} {
		who, credentials := "", basic("alice", "secret of alice")
		if a.settings.Users != nil {
			who = "alice"
		}
		a.expect(who, otherSite, credentials, header("Sec-Fetch-Site", "cross-site"))
		a.expect(who, otherSite, credentials, header("Sec-Fetch-Site", "same-site"))
		a.expect(who, otherSite, credentials, header("Origin", "https://evil.example"))
		a.expect(who, otherSite, credentials, header("Origin", "null"))
		a.expect(who, otherSite, credentials, header("Origin", "https://fodc.example"))
		a.expect(who, who, credentials, header("Origin", "http://example.com"))
		a.expect(who, who, credentials, header("Sec-Fetch-Site", "same-origin"))
		a.cfg.ExternalURLs = []*url.URL{external}
		a.expect(who, who, credentials, header("Origin", "https://fodc.example"))
		a.expect(who, otherSite, credentials, header("Origin", "https://evil.example"))
	}
}

func TestPageOfAnotherNameCannotReadLoopback(t *testing.T) {
	const otherHost = string(OtherHost)
	external, err := url.Parse("https://Fodc.example:8443")
	require.NoError(t, err)
	a := newAsker(t)
	a.cfg.Hosts, a.cfg.ExternalURLs = []string{"Machine"}, []*url.URL{external}
	f := func(want, host string, how ...change) {
		t.Helper()
		for local, want := range map[string]string{"127.0.0.1:1": want, "[::1]:1": want, "10.0.0.1:1": ""} {
			a.expect(want, want, append(how, func(r *http.Request) {
				addr, err := net.ResolveTCPAddr("tcp", local)
				require.NoError(t, err)
				*r = *r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, addr))
				r.Host = host
			})...)
		}
	}
	for _, host := range []string{"localhost:17901", "LOCALHOST", "localhost.", "a.localhost", "127.0.0.1:1", "127.9.9.9", "[::1]:1", "::1", "10.1.2.3:1", "machine:1", "fodc.example:1", ""} {
		f("", host)
	}
	for _, host := range []string{"evil.example", "evil.example:17901", "127.0.0.1.evil.example", "localhost.evil.example", "xlocalhost", "fodc.example.evil", "1"} {
		f(otherHost, host)
		f(otherHost, host, header("X-Forwarded-For", "1.2.3.4"), header("X-Forwarded-Host", "localhost"))
	}
	// Who shows who he is, is no page of another site.
	a.withTokens()
	a.expect("robot", "robot", bearer("operating"), func(r *http.Request) { r.Host = "evil.example" })
}

func TestWhatARefusalSays(t *testing.T) {
	a := newAsker(t).withUsers().withTokens()
	core, logs := observer.New(zapcore.DebugLevel)
	a.cfg.Log, a.cfg.Settings = zap.New(core), func() *Settings { return &a.settings }
	g := New(a.cfg)
	require.True(t, g.Asks())
	f := func(kind messages.ErrorKind, text, user string, of Request, how ...change) *Refusal {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, "/cluster", nil)
		for _, f := range how {
			f(r)
		}
		_, err := g.Check(r, of)
		var refusal *Refusal
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, kind, refusal.Err.Kind)
		require.Equal(t, text, refusal.Error())
		line := logs.TakeAll()[0]
		require.Equal(t, user, line.ContextMap()["user"])
		for _, v := range line.ContextMap() {
			require.NotContains(t, v, "secret")
		}
		return refusal
	}
	refusal := f(messages.ErrUnauthorized, "who are you? Allowed are a user and a password (basic authentication) or a token (Authorization: Bearer TOKEN)", "", Request{})
	require.Equal(t, []string{challengeBasic, challengeBearer}, refusal.Challenges)
	f(messages.ErrUnauthorized, "the user or the password is wrong", "alice", Request{}, basic("alice", "secret"))
	f(messages.ErrUnauthorized, "the user or the password is wrong", "", Request{}, basic("secret", "x"))
	f(messages.ErrUnauthorized, "the token is none of --bearer-token-file", "", Request{}, bearer("secret"))
	f(messages.ErrForbidden, `"prometheus" may only read: who changes something needs a token of the role operate, or to be one of --http-operator`, "prometheus", Request{Changes: true}, bearer("reading"))
	require.Equal(t, map[Reason]uint64{NoCredentials: 1, WrongPassword: 2, WrongToken: 1, OnlyReads: 1, WrongCertificate: 0, OtherSite: 0, OtherHost: 0, Busy: 0, RateLimit: 0}, g.Refusals())

	logs.TakeAll()
	for range 100 {
		_, err := g.Check(httptest.NewRequest(http.MethodGet, "/", nil), Request{})
		require.Error(t, err)
	}
	require.LessOrEqual(t, logs.Len(), logLines)
}

func TestRateLimit(t *testing.T) {
	a := newAsker(t)
	a.settings.Limiter = rate.NewLimiter(rate.Every(time.Hour), 2)
	a.expect("", "")
	a.expect(string(RateLimit), string(RateLimit))
	a.settings.Limiter = rate.NewLimiter(rate.Every(time.Hour), 0)
	a.expect(string(RateLimit), string(RateLimit))
}

// Browsers send an origin in small letters, and without the port that its scheme has anyway.
func TestOriginOfExternalURL(t *testing.T) {
	f := func(want, text string) {
		t.Helper()
		u, err := url.Parse(text)
		require.NoError(t, err)
		require.Equal(t, want, originOf(u))
	}
	f("https://fodc.example", "https://FODC.example:443/fodc")
	f("http://fodc.example", "http://fodc.example:80")
	f("https://fodc.example:80", "https://fodc.example:80")
	f("http://[2001:db8::1]:8080", "http://[2001:DB8::1]:8080/")
	f("http://[2001:db8::1]", "http://[2001:db8::1]")
}
