package proxy

import (
	"context"
	"crypto/tls"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/credentials"
)

// tlsOf returns the TLS of a proxy that wants certificates, and the credentials of an agent that may be the nodes.
func tlsOf(t *testing.T, nodes ...string) (func() *tls.Config, credentials.TransportCredentials) {
	t.Helper()
	ca := certtest.NewCA(t, "ca")
	begin, end := ca.Cert.NotBefore, ca.Cert.NotAfter // fake time, too
	server := &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, certtest.Leaf{DNS: []string{"proxy"}, NotBefore: begin, NotAfter: end}).TLS}, NextProtos: []string{"h2"},
		ClientCAs: ca.Pool(), ClientAuth: tls.RequireAndVerifyClientCert, SessionTicketsDisabled: true}
	agent := &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, certtest.Leaf{DNS: nodes, NotBefore: begin, NotAfter: end}).TLS}, RootCAs: ca.Pool(), ServerName: "proxy"}
	return func() *tls.Config { return server }, credentials.NewTLS(agent)
}

// inTLSWorld is inWorld with TLS. Agents may be the nodes p1 and n2.
func inTLSWorld(t *testing.T, test func(t *testing.T, w *world)) {
	cfg := testConfig
	var secure credentials.TransportCredentials
	cfg.TLS, secure = tlsOf(t, "p1", "n2")
	inWorld(t, cfg, func(t *testing.T, w *world) {
		w.secure = secure
		test(t, w)
	})
}

// An agent that does not read is cut off under TLS, too: its connection is closed, not only its session.
func TestTLSAgentThatDoesNotRead(t *testing.T) {
	inTLSWorld(t, func(t *testing.T, w *world) {
		w.agent(baseline("p1"), always(1)).beat()
		a := w.connect(columnar("n2"))
		a.burst()
		full := time.Now()
		a.beatUntilCutOff()
		require.InDelta(t, testConfig.Limits.HeartbeatTimeout.Seconds(), time.Since(full).Seconds(), 2)
		require.EqualValues(t, 1, w.counts().SessionsEnded["unread"])
		require.Equal(t, messages.StatusUnconnected, w.statuses()["n2"])
		require.Equal(t, map[string]any{"p1": 1., "n2": messages.MissingUnconnected}, shown(w.collect(messages.Query{})))
	})
}

// A connection without a session ends under TLS as well as without, and one with a session does not.
func TestTLSConnectionsWithoutASession(t *testing.T) {
	inTLSWorld(t, func(t *testing.T, w *world) {
		a := w.agent(baseline("p1"), always(1))
		a.beat()
		stranger := w.client()
		start := time.Now()
		for w.counts().ConnectionsClosed["unregistered"] == 0 {
			require.Less(t, time.Since(start), unregisteredTimeout+6*time.Second)
			ctx, cancel := context.WithCancel(t.Context())
			s, err := stranger.RegisterAgent(ctx)
			cancel()
			if err == nil {
				_, _ = s.Recv()
			}
			time.Sleep(5 * time.Second)
		}
		time.Sleep(10 * unregisteredTimeout)
		synctest.Wait()
		require.EqualValues(t, 1, w.counts().ConnectionsClosed["unregistered"])
		require.EqualValues(t, 1, w.counts().SessionsOpened)
		require.Equal(t, map[string]any{"p1": 1.}, shown(w.collect(messages.Query{})))
	})
}
