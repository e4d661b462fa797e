package modes

import (
	"crypto/tls"
	"net"
	"os"
	"testing"
	"time"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
)

// handshake makes a handshake in memory, and returns the client's error, or else the server's.
func handshake(t *testing.T, client, server *tls.Config) error {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	served := make(chan error, 1)
	go func() {
		s := tls.Server(b, server)
		served <- s.Handshake()
		_ = b.Close()
	}()
	if err := tls.Client(a, client).Handshake(); err != nil {
		return err
	}
	return <-served
}

// Certificates are replaced while agents are connected: no session ends, and a new connection has the new ones.
func TestTLSRotation(t *testing.T) {
	f := func(name string, prepare, rotate func(t *testing.T, w *tlsWorld)) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			inTLSWorld(t, prepare, func(t *testing.T, w *tlsWorld) {
				w.startAgents(2)
				w.pass(time.Second)
				w.requireOnline(3)
				before, err := w.seen(stranger(w.issueAgent(w.ca)))
				require.NoError(t, err)
				for range 3 {
					rotate(t, w)
					w.pass(10 * time.Second)
					now, err := w.seen(stranger(w.issueAgent(w.ca)))
					require.NoError(t, err)
					require.NotEqual(t, before.Raw, now.Raw)
					before = now
					w.requireWhole()
				}
				require.EqualValues(t, 3, w.opened(), "no session was lost")
				w.net.cut()
				w.pass(10 * time.Second)
				w.requireOnline(3)
			})
		})
	}
	f("rename", nothing, func(t *testing.T, w *tlsWorld) {
		w.issueProxy(w.ca)
		w.issueAgent(w.ca)
	})
	swap := func(t *testing.T, w *tlsWorld) {
		issued := w.ca.Issue(w.t, certtest.Leaf{DNS: []string{"proxy", "n0", "n1", "n2"}, NotAfter: time.Now().AddDate(0, 1, 0)})
		certtest.SwapDir(w.t, w.path("secret"), map[string][]byte{"tls.crt": issued.CertPEM, "tls.key": issued.KeyPEM, "ca.crt": w.ca.CertPEM})
	}
	f("symbolic links", func(t *testing.T, w *tlsWorld) {
		swap(t, w)
		w.server.CertFile, w.server.KeyFile, w.server.ClientCAFile = w.path("secret/tls.crt"), w.path("secret/tls.key"), w.path("secret/ca.crt")
		w.link.CertFile, w.link.KeyFile, w.link.CAFile = w.server.CertFile, w.server.KeyFile, w.server.ClientCAFile
	}, swap)
}

// An authority is replaced in three steps: both are trusted, then all have new certificates, then the old one goes.
func TestTLSRotationOfTheAuthority(t *testing.T) {
	inTLSWorld(t, nothing, func(t *testing.T, w *tlsWorld) {
		old, next := w.ca, certtest.NewCA(t, "ca") // It has the same name.
		for _, whose := range []string{"clients", "proxies"} {
			w.trust(whose, old, next)
		}
		w.pass(10 * time.Second)
		w.issueProxy(next)
		agent := w.issueAgent(next)
		w.pass(10 * time.Second)
		w.requireOnline(1)
		require.EqualValues(t, 1, w.opened())
		w.net.cut() // Agents come again before the old authority goes.
		w.pass(10 * time.Second)
		w.requireOnline(1)
		for _, whose := range []string{"clients", "proxies"} {
			w.trust(whose, next)
		}
		w.pass(10 * time.Second)
		w.requireOnline(1)
		require.EqualValues(t, 2, w.opened(), "a certificate of the new authority outlasts the old one")
		_, err := w.seen(stranger(agent))
		require.NoError(t, err)
		_, err = w.seen(stranger(old.Issue(t, certtest.Leaf{CN: "agent"})))
		require.ErrorContains(t, err, "unknown certificate authority")
	})
}

// Agents of an authority that is removed are disconnected, and stay out. Others are not.
func TestTLSRevocationByRemoval(t *testing.T) {
	inTLSWorld(t, nothing, func(t *testing.T, w *tlsWorld) {
		good := certtest.NewCA(t, "good")
		w.trust("clients", w.ca, good)
		w.issueAgent(good)
		w.pass(10 * time.Second)
		w.startAgents(1) // The first agent has a certificate of the first authority, this one of the other.
		w.pass(time.Second)
		w.requireOnline(2)
		bad := w.ca.Issue(t, certtest.Leaf{CN: "agent"})
		bad.Write(t, w.dir, "agent")
		w.pass(10 * time.Second)
		require.EqualValues(t, 2, w.opened())

		w.trust("clients", good)
		w.pass(7 * time.Second)
		require.Equal(t, []string{"n1"}, w.online())
		require.EqualValues(t, 2, w.opened())
		require.Contains(t, w.linkError(), "the proxy trusts the authority of no certificate in --proxy-cert-file")
		ended := w.logs.FilterMessage("agent is unconnected: its session ended").All()
		require.Len(t, ended, 1)
		require.Equal(t, `the certificate with "n0", "n1", "n2", "agent" is not trusted any more: connect with one of an authority in --grpc-client-ca-file`,
			ended[0].ContextMap()["reason"])
		w.issueAgent(good)
		w.pass(15 * time.Second)
		w.requireOnline(2)
	})
}

// A client that could go on with a session of before is verified anew, so that it does not come back when its authority
// is gone.
func TestTLSIsNotResumed(t *testing.T) {
	for _, version := range []string{tls12, tls13} {
		inTLSWorld(t, func(t *testing.T, w *tlsWorld) { w.server.MinVersion = version }, func(t *testing.T, w *tlsWorld) {
			cfg := stranger(w.issueAgent(w.ca))
			cfg.ClientSessionCache, cfg.ServerName, cfg.MaxVersion = tls.NewLRUClientSessionCache(8), "proxy", tlsVersion(version)
			resumed := false
			cfg.VerifyConnection = func(s tls.ConnectionState) error {
				resumed = resumed || s.DidResume
				return nil
			}
			for range 2 {
				_, err := w.seen(cfg)
				require.NoError(t, err)
			}
			require.False(t, resumed)
			w.trust("clients", certtest.NewCA(t, "other"))
			w.pass(10 * time.Second)
			_, err := w.seen(cfg)
			require.ErrorContains(t, err, "unknown certificate authority")
		})
	}
}

// A version of a file that cannot be used leaves the one before in force, and is named.
func TestTLSBrokenFiles(t *testing.T) {
	text := func(path string) []byte {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		return content
	}
	f := func(name string, spoil func(t *testing.T, w *tlsWorld), flag, why string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			inTLSWorld(t, nothing, func(t *testing.T, w *tlsWorld) {
				before := w.status(flag)
				spoil(t, w)
				w.pass(12 * time.Second)
				require.Contains(t, w.status(flag).Failed, why)
				require.Equal(t, before.LoadedAt, w.status(flag).LoadedAt)
				w.net.cut()
				w.pass(10 * time.Second)
				w.requireOnline(1)
				w.issueProxy(w.ca)
				w.issueAgent(w.ca)
				w.trust("clients", w.ca)
				w.trust("proxies", w.ca)
				w.pass(10 * time.Second)
				require.Empty(t, w.status(flag).Failed)
			})
		})
	}
	for file, flag := range map[string]string{"proxy": "grpc-tls-cert-file", "agent": "proxy-cert-file"} {
		f(file+": no key", func(t *testing.T, w *tlsWorld) { require.NoError(t, os.Remove(w.path(file+".key"))) }, flag, "no such file")
		f(file+": another key", func(t *testing.T, w *tlsWorld) {
			certtest.WriteFile(t, w.path(file+".key"), w.ca.Issue(t, certtest.Leaf{}).KeyPEM)
		}, flag, "does not fit the certificate")
		f(file+": cut short", func(t *testing.T, w *tlsWorld) {
			certtest.WriteFile(t, w.path(file+".crt"), text(w.path(file + ".crt"))[:200])
		}, flag, "is cut short, or broken")
		f(file+": expired", func(t *testing.T, w *tlsWorld) {
			w.ca.Issue(t, certtest.Leaf{CN: "x", NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}).Write(t, w.dir, file)
		}, flag, `the certificate of "x" in`)
		f(file+": not valid yet", func(t *testing.T, w *tlsWorld) {
			w.ca.Issue(t, certtest.Leaf{CN: "x", NotBefore: time.Now().Add(time.Hour)}).Write(t, w.dir, file)
		}, flag, "is not valid before")
	}
	for file, flag := range map[string]string{"clients.crt": "grpc-client-ca-file", "proxies.crt": "proxy-ca-file"} {
		f(file+": empty", func(t *testing.T, w *tlsWorld) { certtest.WriteFile(t, w.path(file), nil) }, flag, "has no certificate in PEM")
		f(file+": gone", func(t *testing.T, w *tlsWorld) { require.NoError(t, os.Remove(w.path(file))) }, flag, "no such file")
		f(file+": a key", func(t *testing.T, w *tlsWorld) {
			certtest.WriteFile(t, w.path(file), w.ca.Issue(t, certtest.Leaf{}).KeyPEM)
		}, flag, "has no certificate in PEM")
	}
}
