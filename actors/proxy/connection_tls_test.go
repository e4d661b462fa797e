package proxy

import (
	"context"
	"crypto/tls"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
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

// What strangers send in handshakes takes bounded memory: Go reads a first message of 64 KiB before it looks at it, and certificates of 256 KiB.
func TestTLSHandshakesAreLimited(t *testing.T) {
	const strangers, most = 600, 64 << 20
	cfg := testConfig
	cfg.Limits.MaxAgents = strangers
	var secure credentials.TransportCredentials
	cfg.TLS, secure = tlsOf(t, "p1")
	test := func(t *testing.T, w *world) {
		w.secure = secure
		w.agent(baseline("p1"), always(1)).beat()
		before, hello := heapAndStacks(), endlessClientHello()
		for range strangers {
			c, err := w.net.Dial()
			require.NoError(t, err)
			defer c.Close()
			go func() { _, _ = c.Write(hello) }()
		}
		synctest.Wait()
		more, closed := heapAndStacks()-before, w.counts().ConnectionsClosed["bytes"]
		t.Logf("%d bytes more, %d connections closed", more, closed)
		require.Less(t, more, int64(most))
		require.NotZero(t, closed)
		require.Zero(t, w.counts().HandshakesFailed["other"], "the proxy has ended them itself")
		require.Equal(t, map[string]any{"p1": 1.}, shown(w.collect(messages.Query{})))
	}
	actorstest.Run(t, func(t *testing.T, sys *actors.System) { serveWorld(t, sys, cfg, 4<<10, test) })
}

// endlessClientHello are the records of a first message that lacks its last byte.
func endlessClientHello() (records []byte) {
	const size = 64 << 10
	hello := make([]byte, 4+size-1)
	hello[0], hello[1] = 1, size>>16
	for part := range slices.Chunk(hello, 16<<10) {
		records = append(append(records, 22, 3, 1, byte(len(part)>>8), byte(len(part))), part...)
	}
	return records
}
