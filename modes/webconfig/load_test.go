package webconfig

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/modes/certtest"
	"fodc/modes/files"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// dir has the files that configurations name: server.crt, server.key, other.key, ca.crt.
type dir struct {
	t    *testing.T
	path string
	ca   *certtest.CA
}

func newDir(t *testing.T) *dir {
	d := &dir{t, t.TempDir(), certtest.NewCA(t, "ca")}
	d.ca.Write(t, d.path, "ca")
	d.ca.Issue(t, certtest.Leaf{CN: "server", DNS: []string{"localhost"}, NotBefore: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)}).Write(t, d.path, "server")
	d.ca.Issue(t, certtest.Leaf{CN: "other"}).Write(t, d.path, "other")
	certtest.WriteFile(t, filepath.Join(d.path, "empty"), nil)
	return d
}

func (d *dir) write(config string) string {
	return certtest.WriteFile(d.t, filepath.Join(d.path, "web.yml"), []byte(config))
}

// load loads a configuration as a program does at its start.
func (d *dir) load(config string) (*Config, error) {
	d.t.Helper()
	w := files.NewWatcher(zap.NewNop())
	defer w.Stop()
	v, err := files.Watch(w, Flag, NewLoader(d.write(config), false).Load, nil)
	if err != nil {
		return nil, err
	}
	return v.Get(), nil
}

func tlsWith(lines string) string {
	return "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n" + lines
}

// The kinds of configurations that are in the documentation and the tests of exporter-toolkit 0.20.0 as good ones.
func TestConfigurationsOfTheToolkitThatAreGood(t *testing.T) {
	d := newDir(t)
	indented := func(name string) string {
		text, err := os.ReadFile(filepath.Join(d.path, name))
		require.NoError(t, err)
		return "|\n    " + strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "\n    ") + "\n"
	}
	hash := "$2y$12$1DpfPeqF9HzHJt.EWswy1exHluGfbhnn3yXhR7Xes6m3WJqFg0Wby"
	f := func(config string, check func(c *Config)) {
		t.Helper()
		c, err := d.load(config)
		require.NoError(t, err)
		check(c)
	}
	open := func(c *Config) { require.False(t, c.Access.Asks()) }
	f("", func(c *Config) { require.Nil(t, c.TLS); open(c) })
	f("rate_limit:\n  interval: 0\n  burst: 0\n", func(c *Config) { require.Nil(t, c.Access.Limiter) })
	f("rate_limit:\n  interval: 1s\n  burst: 0\n", func(c *Config) { require.False(t, c.Access.Limiter.Allow()) })
	f("rate_limit:\n  interval: \"500ms\"\n  burst: 3\n", func(c *Config) {
		require.Equal(t, 3, c.Access.Limiter.Burst())
		require.InDelta(t, 2, float64(c.Access.Limiter.Limit()), 1e-9)
	})
	f("http_server_config:\n  headers:\n    X-Frame-Options: deny\n    Strict-Transport-Security: max-age=31536000; includeSubDomains\n    X-Content-Type-Options: nosniff\n"+
		"    X-XSS-Protection: 1\n    Content-Security-Policy: \"default-src 'self' *.test.example.net\"\n", func(c *Config) {
		require.Len(t, c.Access.Headers, 5)
		require.Equal(t, "1", c.Access.Headers["X-XSS-Protection"])
	})
	f("basic_auth_users:\n  alice: "+hash+"\n  bob: $2y$18$4VeFDzXIoPHKnKTU3O3GH.N.vZu06CVqczYZ8WvfzrddFU6tGqjR.\n", func(c *Config) {
		require.True(t, c.Access.Asks())
		require.Equal(t, hash, string(c.Access.Users["alice"]))
	})
	f(tlsWith(""), func(c *Config) {
		require.Equal(t, uint16(tls.VersionTLS12), c.TLS.MinVersion)
		require.Equal(t, []string{"h2", "http/1.1"}, c.TLS.NextProtos)
		require.Len(t, c.TLS.Certificates, 1)
		open(c)
	})
	f("tls_server_config:\n  cert: "+indented("server.crt")+"  key: "+indented("server.key"), open)
	f("tls_server_config:\n  cert_file: server.crt\n  key: "+indented("server.key")+"  client_auth_type: RequireAnyClientCert\n", open)
	for _, kind := range []string{"NoClientCert", "RequestClientCert", "RequireClientCert", "RequireAnyClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"} {
		f(tlsWith("  client_auth_type: "+kind+"\n"), open) // Without authorities of its own it says nothing of who somebody is.
	}
	f(tlsWith("  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n"), func(c *Config) {
		require.True(t, c.Access.Asks())
		require.Equal(t, tls.RequireAndVerifyClientCert, c.TLS.ClientAuth)
	})
	f(tlsWith("  client_auth_type: VerifyClientCertIfGiven\n  client_ca: "+indented("ca.crt")), func(c *Config) { open(c); require.NotNil(t, c.Access.VerifyClient) })
	f(tlsWith("  client_auth_type: VerifyClientCertIfGiven\n  cipher_suites:\n  - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\n  max_version: TLS12\nhttp_server_config:\n  http2: false\n"),
		func(c *Config) {
			require.Equal(t, []string{"http/1.1"}, c.TLS.NextProtos)
			require.Equal(t, []uint16{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}, c.TLS.CipherSuites)
			require.Equal(t, uint16(tls.VersionTLS12), c.TLS.MaxVersion)
		})
	f(tlsWith("  cipher_suites:\n  - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n  - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\n  prefer_server_cipher_suites: false\n  min_version: TLS12\n  max_version: TLS12\n"), open)
	f(tlsWith("  min_version: TLS10\n"), func(c *Config) { require.Equal(t, uint16(tls.VersionTLS10), c.TLS.MinVersion) })
	f(tlsWith("  min_version: TLS13\n  curve_preferences:\n  - CurveP521\n"), func(c *Config) { require.Equal(t, []tls.CurveID{tls.CurveP521}, c.TLS.CurvePreferences) })
	f(tlsWith("  curve_preferences:\n  - CurveP256\n  - CurveP384\n  - CurveP521\n  - X25519\n"), open)
}

// As above, the bad ones, and further ones.
func TestConfigurationsThatAreBad(t *testing.T) {
	d := newDir(t)
	d.ca.Issue(t, certtest.Leaf{CN: "old", NotAfter: time.Now().Add(-time.Hour)}).Write(t, d.path, "old")
	d.ca.Issue(t, certtest.Leaf{CN: "new", NotBefore: time.Now().Add(time.Hour)}).Write(t, d.path, "new")
	text, err := os.ReadFile(filepath.Join(d.path, "ca.crt"))
	require.NoError(t, err)
	certtest.WriteFile(t, filepath.Join(d.path, "short.crt"), text[:len(text)/2])
	certtest.WriteFile(t, filepath.Join(d.path, "one-and-a-half.crt"), append(text, text[:len(text)/2]...))
	f := func(want, config string) {
		t.Helper()
		_, err := d.load(config)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, `--web-config-file: "`+d.path+`/web.yml": `)
		require.NotContains(t, err.Error(), "secret")
	}
	f("cannot unmarshal", "hWkNKCp3fvIx3jKnsaBI\nsecretTuEjdwNS8A2vYdFbiKqr\n")
	f("field cert_filse not found", "tls_server_config:\n  cert_filse: server.crt\n")
	f(`headers: "Content-Type" is not one of Content-Security-Policy, `, "http_server_config:\n  headers:\n    Content-Type: foo\n")
	f(`headers: X-Frame-Options is "foo": allowed is deny or sameorigin`, "http_server_config:\n  headers:\n    X-Frame-Options: foo\n")
	f(`headers: X-Content-Type-Options is "sniff": allowed is nosniff`, "http_server_config:\n  headers:\n    X-Content-Type-Options: sniff\n")
	f(`headers: Content-Security-Policy: one line`, "http_server_config:\n  headers:\n    Content-Security-Policy: \"a\\r\\nSet-Cookie: b\"\n")
	f(`basic_auth_users: "john": the password must be a hash of bcrypt`, "basic_auth_users:\n  john: secret\n")
	f(`basic_auth_users: "john": the hash has the cost 19, at most 18 is allowed`, "basic_auth_users:\n  john: $2y$19$4VeFDzXIoPHKnKTU3O3GH.N.vZu06CVqczYZ8WvfzrddFU6tGqjR.\n")
	f(`basic_auth_users: the name of a user has 1 to 128 bytes`, "basic_auth_users:\n  \"a:b\": $2y$10$4VeFDzXIoPHKnKTU3O3GH.N.vZu06CVqczYZ8WvfzrddFU6tGqjR.\n")
	f("cannot unmarshal", "basic_auth_users: \"alice:secret\"\n")
	f("rate_limit: interval and burst are at least 0", "rate_limit:\n  interval: -1s\n")
	f("client CA's have been configured without a Client Auth Policy", tlsWith("  client_ca_file: ca.crt\n"))
	f("client_ca_file or client_ca has no certificate", tlsWith("  client_ca_file: server.key\n  client_auth_type: RequireAndVerifyClientCert\n"))
	f("client_ca_file: read ", tlsWith("  client_ca_file: somefile\n  client_auth_type: RequireAndVerifyClientCert\n"))
	f("client_ca_file: \""+d.path+"/empty\" is empty", tlsWith("  client_ca_file: empty\n"))
	f("invalid ClientAuth: x", tlsWith("  client_auth_type: x\n"))
	f("missing one of cert or cert_file", "tls_server_config:\n  cert_file: \"\"\n  key_file: server.key\n")
	f("missing one of cert or cert_file", "tls_server_config:\n  cert_file: \"\"\n  key_file: \"\"\n  client_auth_type: x\n")
	f("missing one of key or key_file", "tls_server_config:\n  cert_file: server.crt\n  key: \"\"\n")
	f("missing one of key or key_file", "tls_server_config:\n  cert_file: server.crt\n")
	f("cert_file: read \""+d.path+"/somefile\": no such file", "tls_server_config:\n  cert_file: somefile\n  key_file: server.key\n")
	f("key_file: read ", "tls_server_config:\n  cert_file: server.crt\n  key_file: somefile\n")
	f("cert_file: \""+d.path+"/short.crt\" is cut short", "tls_server_config:\n  cert_file: short.crt\n  key_file: server.key\n")
	f("key_file: \""+d.path+"/short.crt\" is cut short", "tls_server_config:\n  cert_file: server.crt\n  key_file: short.crt\n")
	for _, name := range []string{"short.crt", "one-and-a-half.crt"} {
		f("client_ca_file: \""+d.path+"/"+name+"\" is cut short", tlsWith("  client_ca_file: "+name+"\n  client_auth_type: RequireAndVerifyClientCert\n"))
	}
	f("cert_file \""+d.path+"/server.crt\", key_file \""+d.path+"/other.key\": ", "tls_server_config:\n  cert_file: server.crt\n  key_file: other.key\n")
	f("cert_file \""+d.path+"/old.crt\", key_file \""+d.path+"/old.key\": the certificate", "tls_server_config:\n  cert_file: old.crt\n  key_file: old.key\n")
	f("private key does not match", "tls_server_config:\n  cert_file: server.crt\n  key_file: other.key\n")
	f(`the certificate of "old" has expired at `, "tls_server_config:\n  cert_file: old.crt\n  key_file: old.key\n")
	f(`the certificate of "new" is not valid before `, "tls_server_config:\n  cert_file: new.crt\n  key_file: new.key\n")
	f("unknown cipher: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA2048", tlsWith("  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA2048]\n"))
	f("unknown curve: CurveP257", tlsWith("  curve_preferences: [CurveP257]\n"))
	f("unknown TLS version: TLS111", tlsWith("  min_version: TLS111\n"))
	f("min_version is above max_version", tlsWith("  min_version: TLS13\n  max_version: TLS12\n"))
	f("HTTP/2 needs TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", tlsWith("  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\n  max_version: TLS12\n"))
}

const alice = "basic_auth_users:\n  alice: $2y$12$1DpfPeqF9HzHJt.EWswy1exHluGfbhnn3yXhR7Xes6m3WJqFg0Wby\n"

// What would let in everybody, or cannot change while the server runs, leaves the version before in force.
func TestWhatCannotChangeInARunningServer(t *testing.T) {
	d := newDir(t)
	f := func(want, from, to string, tokens bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			w := files.NewWatcher(zap.NewNop())
			defer w.Stop()
			v, err := files.Watch(w, Flag, NewLoader(d.write(from), tokens).Load, nil)
			require.NoError(t, err)
			before := v.Get()
			d.write(to)
			time.Sleep(3 * files.Interval)
			synctest.Wait()
			status := w.Statuses()[0]
			if want == "" {
				require.Empty(t, status.Failed)
				require.NotSame(t, before, v.Get())
				return
			}
			require.Contains(t, status.Failed, want)
			require.Same(t, before, v.Get())
		})
	}
	const everybody = "restart it to let in everybody"
	certificates := "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n"
	f(everybody, alice, "", false)
	f(everybody, alice, "basic_auth_users: {}\n", false)
	f("", alice, "# nobody\n", true)
	f("", "", alice, false)
	f("", alice, strings.Replace(alice, "alice", "bob", 1), false)
	f("restart it to use TLS", "", tlsWith(""), false)
	f("restart it to do without", tlsWith(""), "", false)
	f(everybody, tlsWith(certificates), tlsWith(""), false)
	f(everybody, tlsWith(certificates), tlsWith("  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.crt\n"), false)
	f("", tlsWith(certificates), tlsWith("")+alice, false)
	f("", tlsWith(""), tlsWith(certificates), false)
	f("", tlsWith(""), tlsWith("http_server_config:\n  http2: false\n"), false)
	f("cert_file", tlsWith(""), "tls_server_config:\n  cert_file: missing\n  key_file: server.key\n", false)
}

func TestLimiterGoesOn(t *testing.T) {
	d := newDir(t)
	limit := "rate_limit:\n  interval: 1h\n  burst: 1\n"
	l := NewLoader(d.write(limit), false)
	w := files.NewWatcher(zap.NewNop())
	defer w.Stop()
	v, err := files.Watch(w, Flag, l.Load, nil)
	require.NoError(t, err)
	require.True(t, v.Get().Access.Limiter.Allow())
	d.write(alice + limit)
	w.Check()
	require.Eventually(t, func() bool { return v.Get().Access.Asks() }, 10*time.Second, time.Millisecond)
	require.False(t, v.Get().Access.Limiter.Allow(), "a new version gives no new requests")
}

// A certificate may be none, unless it is required; the toolkit's check of names panics then.
func TestNamesOfClients(t *testing.T) {
	d := newDir(t)
	c, err := d.load(tlsWith("  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.crt\n  client_allowed_sans: [one, \"10.0.0.1\", \"spiffe://x/y\"]\n"))
	require.NoError(t, err)
	require.NoError(t, c.TLS.VerifyPeerCertificate(nil, nil))
	f := func(allowed bool, l certtest.Leaf) {
		t.Helper()
		err := c.Access.VerifyClient([]*x509.Certificate{d.ca.Issue(t, l).Cert}, time.Now())
		require.Equal(t, allowed, err == nil, "%v", err)
	}
	f(true, certtest.Leaf{DNS: []string{"x", "one"}})
	f(true, certtest.Leaf{IPs: []string{"10.0.0.1"}})
	f(true, certtest.Leaf{URIs: []string{"spiffe://x/y"}})
	f(false, certtest.Leaf{CN: "one"})
	f(false, certtest.Leaf{DNS: []string{"one"}, NotAfter: time.Now().Add(-time.Minute)})
	f(false, certtest.Leaf{DNS: []string{"one"}, Server: true})
}
