package modes

import (
	"crypto/tls"
	"testing"
	"time"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
)

func nothing(*testing.T, *tlsWorld) {}

// Each failure says at both sides what it is and what to do, and is counted.
func TestTLSFailures(t *testing.T) {
	f := func(name string, prepare func(*testing.T, *tlsWorld), agentSays, reason, proxySays string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			inTLSWorld(t, prepare, func(t *testing.T, w *tlsWorld) {
				w.pass(10 * time.Second)
				require.Contains(t, w.linkError(), agentSays)
				require.Empty(t, w.online())
				if reason == "" {
					return
				}
				require.NotZero(t, w.counts().HandshakesFailed[reason], "%v", w.counts().HandshakesFailed)
				require.NotZero(t, w.logs.FilterMessage("a handshake of TLS has failed: "+proxySays).Len(), "%v", w.logs.All())
				require.Less(t, w.logs.FilterMessageSnippet("a handshake of TLS").Len(), 4, "a peer that comes again and again fills no log")
			})
		})
	}
	f("no TLS", func(t *testing.T, w *tlsWorld) { w.link = LinkSecurityConfig{} }, "Unavailable",
		"no_tls", "the peer speaks no TLS (an agent needs --proxy-tls)")
	f("TLS with a proxy that has none", func(t *testing.T, w *tlsWorld) { w.server = GRPCTLSConfig{} },
		"the proxy speaks no TLS: it needs --grpc-tls-cert-file, or this agent no --proxy-tls", "", "")
	f("no certificate", func(t *testing.T, w *tlsWorld) { w.link.CertFile, w.link.KeyFile = "", "" },
		"the proxy wants a certificate of this agent: --proxy-cert-file and --proxy-key-file",
		"no_certificate", "the peer shows no certificate (an agent needs --proxy-cert-file, or this proxy --grpc-client-auth=optional)")
	f("a certificate of another authority", func(t *testing.T, w *tlsWorld) { w.issueAgent(certtest.NewCA(t, "other")) },
		"the proxy trusts the authority of no certificate in --proxy-cert-file (its --grpc-client-ca-file)",
		"unknown_authority", "the peer's certificate is of no authority in --grpc-client-ca-file")
	f("another authority, where certificates are optional", func(t *testing.T, w *tlsWorld) {
		w.server.ClientAuth = clientAuthOptional
		w.issueAgent(certtest.NewCA(t, "other"))
	}, "the proxy trusts the authority of no certificate", "unknown_authority", "the peer's certificate is of no authority in --grpc-client-ca-file")
	f("a server's certificate", func(t *testing.T, w *tlsWorld) { w.issueAgentAs(w.ca, certtest.Leaf{Server: true}) },
		"the proxy refuses the certificate in --proxy-cert-file", "other", "see the error")
	f("an authority that the agent does not trust", func(t *testing.T, w *tlsWorld) { w.trust("proxies", certtest.NewCA(t, "other")) },
		"the proxy's certificate is of no authority that is trusted: --proxy-ca-file names the file of its authority", "other", "see the error")
	f("the authorities of the system", func(t *testing.T, w *tlsWorld) { w.link.CAFile = "" },
		"the proxy's certificate is of no authority that is trusted: --proxy-ca-file names the file of its authority", "other", "see the error")
	f("another name", func(t *testing.T, w *tlsWorld) {
		w.issueProxyAs(w.ca, certtest.Leaf{DNS: []string{"proxy-1"}, IPs: []string{"10.0.0.1"}})
	},
		`the proxy's certificate is for "proxy-1" and 10.0.0.1, and not for "proxy": --proxy-server-name names the one that it has`, "other", "see the error")
	f("another name that is configured", func(t *testing.T, w *tlsWorld) { w.link.ServerName = "proxy.example" },
		`the proxy's certificate is for "proxy", and not for "proxy.example"`, "other", "see the error")
	f("a common name is none", func(t *testing.T, w *tlsWorld) { w.issueProxyAs(w.ca, certtest.Leaf{CN: "proxy"}) },
		`the proxy's certificate is for no host (its common name, which does not count, is "proxy")`, "other", "see the error")
	f("a client's certificate", func(t *testing.T, w *tlsWorld) {
		w.issueProxyAs(w.ca, certtest.Leaf{DNS: []string{"proxy"}, Client: true})
	},
		"TLS with the proxy: x509: certificate specifies an incompatible key usage", "other", "see the error")
}

// What has expired is refused in new connections. It stays in use as long as there is nothing better.
func TestTLSExpires(t *testing.T) {
	f := func(name string, prepare func(*testing.T, *tlsWorld), agentSays, reason string, renew func(*testing.T, *tlsWorld)) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			inTLSWorld(t, prepare, func(t *testing.T, w *tlsWorld) {
				w.requireOnline(1)
				w.pass(2 * time.Hour)
				w.requireOnline(1)
				require.EqualValues(t, 1, w.opened(), "a session that lives outlasts a certificate")
				w.net.cut()
				w.pass(10 * time.Second)
				require.Contains(t, w.linkError(), agentSays)
				require.NotZero(t, w.counts().HandshakesFailed[reason])
				renew(t, w)
				w.pass(15 * time.Second)
				w.requireOnline(1)
			})
		})
	}
	soon := func() time.Time { return time.Now().Add(time.Hour) }
	f("agent", func(t *testing.T, w *tlsWorld) { w.issueAgentAs(w.ca, certtest.Leaf{NotAfter: soon()}) },
		"the proxy says that the certificate in --proxy-cert-file has expired, or is not valid yet", "expired",
		func(t *testing.T, w *tlsWorld) { w.issueAgent(w.ca) })
	f("proxy", func(t *testing.T, w *tlsWorld) {
		w.issueProxyAs(w.ca, certtest.Leaf{DNS: []string{"proxy"}, NotAfter: soon()})
	},
		"the proxy's certificate cannot be used: it has expired at 2000-01-01T01:00:00Z", "other",
		func(t *testing.T, w *tlsWorld) { w.issueProxy(w.ca) })
}

func TestTLSNotValidYet(t *testing.T) {
	inTLSWorld(t, nothing, func(t *testing.T, w *tlsWorld) {
		_, err := w.seen(stranger(w.ca.Issue(t, certtest.Leaf{NotBefore: time.Now().Add(time.Hour)})))
		require.ErrorContains(t, err, "expired certificate")
		require.EqualValues(t, 1, w.counts().HandshakesFailed["expired"])
	})
}

// Older versions are refused unless a flag allows 1.2, and 1.1 always is.
func TestTLSVersions(t *testing.T) {
	f := func(allowed string, version uint16, ok bool) {
		t.Helper()
		inTLSWorld(t, func(t *testing.T, w *tlsWorld) { w.server.MinVersion = allowed }, func(t *testing.T, w *tlsWorld) {
			cfg := stranger(w.issueAgent(w.ca))
			cfg.MinVersion, cfg.MaxVersion = version, version
			_, err := w.seen(cfg)
			if ok {
				require.NoError(t, err, "the server speaks HTTP/2")
				return
			}
			require.ErrorContains(t, err, "protocol version not supported")
			require.EqualValues(t, 1, w.counts().HandshakesFailed["version"])
		})
	}
	f(tls13, tls.VersionTLS13, true)
	f(tls13, tls.VersionTLS12, false)
	f(tls12, tls.VersionTLS12, true)
	f(tls12, tls.VersionTLS11, false)
}

// The agent is not led to an older version either.
func TestTLSAgentRefusesOlderVersions(t *testing.T) {
	inTLSWorld(t, nothing, func(t *testing.T, w *tlsWorld) {
		security, err := w.link.start(w.agentWatcher)
		require.NoError(t, err)
		old := &tls.Config{Certificates: []tls.Certificate{w.issueProxy(w.ca).TLS}, MaxVersion: tls.VersionTLS12, NextProtos: []string{"h2"}}
		require.ErrorContains(t, handshake(t, security.TLS("proxy:1"), old), "protocol version")
		w.link.MinVersion = tls12
		security, err = w.link.start(w.agentWatcher)
		require.NoError(t, err)
		require.NoError(t, handshake(t, security.TLS("proxy:1"), old))
	})
}

// An agent without a certificate comes in where that is optional.
func TestTLSOptionalCertificates(t *testing.T) {
	inTLSWorld(t, func(t *testing.T, w *tlsWorld) {
		w.server.ClientAuth, w.link.CertFile, w.link.KeyFile = clientAuthOptional, "", ""
	}, func(t *testing.T, w *tlsWorld) { w.requireOnline(1) })
	inTLSWorld(t, func(t *testing.T, w *tlsWorld) { w.server.ClientAuth = clientAuthOptional }, func(t *testing.T, w *tlsWorld) { w.requireOnline(1) })
	inTLSWorld(t, func(t *testing.T, w *tlsWorld) { w.server.ClientCAFile = "" }, func(t *testing.T, w *tlsWorld) { w.requireOnline(1) })
}

// A probe that connects and closes at once is no failure, and a peer that says nothing is closed after the deadline.
func TestTLSPeersThatSayNothing(t *testing.T) {
	inTLSWorld(t, nothing, func(t *testing.T, w *tlsWorld) {
		c, err := w.net.dial(t.Context(), "")
		require.NoError(t, err)
		require.NoError(t, c.Close())
		silent, err := w.net.dial(t.Context(), "")
		require.NoError(t, err)
		w.pass(9 * time.Second)
		for reason, n := range w.counts().HandshakesFailed {
			require.Zero(t, n, reason)
		}
		w.pass(2 * time.Second)
		_, err = silent.Read(make([]byte, 1))
		require.Error(t, err)
		require.EqualValues(t, 1, w.counts().HandshakesFailed["other"])
	})
}
