package modes

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"fodc/messages/wire"
	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

func (w *tlsWorld) getJSON(target string, v any) {
	w.t.Helper()
	require.NoError(w.t, json.Unmarshal([]byte(w.get(target)), v))
}

// attach opens a metrics stream with a key.
func (w *tlsWorld) attach(conn *grpc.ClientConn, key string) grpc.BidiStreamingClient[wire.StreamMetricsRequest, wire.StreamMetricsResponse] {
	w.t.Helper()
	s, err := wire.NewFODCServiceClient(conn).StreamMetrics(metadata.AppendToOutgoingContext(w.t.Context(), "agent_id", key))
	require.NoError(w.t, err)
	return s
}

// answer answers what a session is asked with one sample.
func (w *tlsWorld) answer(conn *grpc.ClientConn, key, name string, value float64) {
	s := w.attach(conn, key)
	go func() {
		for {
			req, err := s.Recv()
			if err != nil || s.Send(&wire.StreamMetricsRequest{RequestId: req.GetRequestId(),
				Metrics: []*wire.Metric{{Name: name, Value: value, Type: wire.MetricType_METRIC_TYPE_GAUGE}}}) != nil {
				return
			}
		}
	}()
}

func TestAgentWithoutTokenCannotRegister(t *testing.T) {
	inIdentityWorld(t, wantTokens("agents", "good"), func(t *testing.T, w *tlsWorld) {
		without := w.join(joining{node: "a", leaf: named("a")})
		w.requireRefused(without, "token", "an agent's token is needed: the agent must name a file with one (--proxy-token-file)")
		w.pass(10 * time.Second) // The log has a line for each reason and ten seconds.
		wrong := w.join(joining{node: "b", leaf: named("b"), tokenFile: w.writeToken("b", "bad")})
		w.pass(10 * time.Second)
		require.Contains(t, w.linkErrorOf(wrong), "the token is not one of --grpc-agent-token-file")
		require.Empty(t, w.online())
		w.join(joining{node: "c", leaf: named("c"), tokenFile: w.writeToken("c", "good")})
		require.Equal(t, []string{"c"}, w.online())
		require.Contains(t, w.get("/cluster"), `"verified":true,"certificate_name":"c","token_name":"agents"`)
		for _, line := range append(w.logs.All(), w.agentLogs.All()...) {
			require.NotContains(t, fmt.Sprint(line.Message, line.ContextMap()), "good")
		}
	})
}

// A session whose token is removed ends, and both sides say why. That of another token goes on.
func TestAgentWithRemovedTokenCannotKeepItsSession(t *testing.T) {
	inIdentityWorld(t, wantTokens("one", "1", "two", "2"), func(t *testing.T, w *tlsWorld) {
		w.server.ClientAuth = clientAuthOptional
		first := w.join(joining{node: "a", leaf: named("a"), tokenFile: w.writeToken("a", "1")})
		w.join(joining{node: "b", leaf: named("b"), tokenFile: w.writeToken("b", "2")})
		require.Equal(t, []string{"a", "b"}, w.online())
		w.writeTokens("two", "2")
		w.pass(6 * time.Second)
		require.Equal(t, []string{"b"}, w.online())
		require.EqualValues(t, 1, w.counts().SessionsEnded["revoked"])
		ended := w.logs.FilterMessage("agent is unconnected: its session ended").All()
		require.Len(t, ended, 1)
		require.Equal(t, `--grpc-agent-token-file has no token with the name "one" any more`, ended[0].ContextMap()["reason"])
		w.pass(10 * time.Second)
		w.requireRefused(first, "token", "the token is not one of --grpc-agent-token-file")
		w.writeToken("a", "2")
		w.pass(30 * time.Second)
		require.Equal(t, []string{"a", "b"}, w.online())
	})
}

// A token is replaced under its name: agents keep their sessions, and come again with the new one.
func TestTokenRotation(t *testing.T) {
	inIdentityWorld(t, wantTokens("agents", "old"), func(t *testing.T, w *tlsWorld) {
		file := w.writeToken("a", "old")
		w.join(joining{node: "a", leaf: named("a"), tokenFile: file})
		w.writeTokens("agents", "old", "agents", "new")
		w.pass(6 * time.Second)
		w.writeToken("a", "new")
		w.pass(6 * time.Second)
		w.writeTokens("agents", "new")
		w.pass(6 * time.Second)
		require.EqualValues(t, 1, w.opened())
		require.Equal(t, []string{"a"}, w.online())
		w.requireWhole()
		w.net.cut()
		w.pass(10 * time.Second)
		require.Equal(t, []string{"a"}, w.online())
		require.Zero(t, w.counts().Refused["token"])
	})
}

// Who holds on to a connection when his authority is removed cannot register on it again, and is disconnected.
func TestAgentOfRemovedAuthorityCannotStayConnected(t *testing.T) {
	inIdentityWorld(t, nothing, func(t *testing.T, w *tlsWorld) {
		conn := w.client(stranger(w.ca.Issue(t, *named("a"))))
		s, welcome := w.register(t.Context(), conn, &wire.RegisterAgentRequest{NodeId: "a"})
		require.True(t, welcome.GetSuccess())
		w.trust("clients", certtest.NewCA(t, "other"))
		w.pass(6 * time.Second)
		_, err := s.Recv()
		require.Equal(t, codes.PermissionDenied, status.Code(err))
		require.ErrorContains(t, err, `the certificate with "a" is not trusted any more: connect with one of an authority in --grpc-client-ca-file`)
		_, welcome = w.register(t.Context(), conn, &wire.RegisterAgentRequest{NodeId: "a"})
		require.False(t, welcome.GetSuccess())
		require.Contains(t, welcome.GetMessage(), "is not trusted any more")
		idle, err := wire.NewFODCServiceClient(conn).RegisterAgent(t.Context())
		require.NoError(t, err)
		w.pass(35 * time.Second)
		_, err = idle.Recv()
		require.Error(t, err)
		_, err = wire.NewFODCServiceClient(conn).RegisterAgent(t.Context())
		require.Error(t, err, "a new connection is refused")
		require.NotEqual(t, connectivity.Ready, conn.GetState())
	})
}

// A session's key is good for nothing on any other connection: neither of the same certificate, nor of another, nor of none.
func TestStolenKeyCannotBeUsedFromAnotherConnection(t *testing.T) {
	inIdentityWorld(t, certificatesOptional, func(t *testing.T, w *tlsWorld) {
		own := w.ca.Issue(t, *named("a"))
		conn := w.client(stranger(own))
		_, welcome := w.register(t.Context(), conn, &wire.RegisterAgentRequest{NodeId: "a"})
		w.answer(conn, welcome.GetAgentId(), "x", 1)
		w.pass(time.Second)
		registered := w.client(stranger(w.ca.Issue(t, *named("b"))))
		_, other := w.register(t.Context(), registered, &wire.RegisterAgentRequest{NodeId: "b"})
		require.True(t, other.GetSuccess())
		for name, thief := range map[string]*grpc.ClientConn{"the same certificate": w.client(stranger(own)), "another certificate": registered,
			"no certificate": w.client(withoutCertificate())} {
			s := w.attach(thief, welcome.GetAgentId())
			_ = s.Send(&wire.StreamMetricsRequest{Metrics: []*wire.Metric{{Name: "x", Value: 666, Type: wire.MetricType_METRIC_TYPE_GAUGE}}})
			_, err := s.Recv()
			require.Equal(t, codes.PermissionDenied, status.Code(err), name)
			require.ErrorContains(t, err, "the session of this agent_id was registered on another connection", name)
		}
		require.Equal(t, []string{`x{node_id="a",node_role="data",pod_name="a"} 1`}, linesOf(w.get("/metrics"), "x{"))
		require.EqualValues(t, 3, w.counts().StreamsRefused["other_connection"])
	})
}

// What HTTP, the log and the tree of actors show is not the key, and attaches no stream.
func TestKeyCannotBeReadAnywhere(t *testing.T) {
	inIdentityWorld(t, nothing, func(t *testing.T, w *tlsWorld) {
		conn := w.client(stranger(w.ca.Issue(t, *named("a"))))
		_, welcome := w.register(t.Context(), conn, &wire.RegisterAgentRequest{NodeId: "a"})
		key, public := welcome.GetAgentId(), welcome.GetPublicAgentId()
		w.answer(conn, key, "x", 1)
		ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), "agent_id", key), time.Second)
		defer cancel()
		_, err := wire.NewFODCServiceClient(w.client(stranger(w.ca.Issue(t, *named("b"))))).StreamMetrics(ctx)
		require.NoError(t, err)
		w.pass(2 * time.Second)
		shown := ""
		for _, target := range []string{"/metrics", "/metrics-windows", "/metrics-windows?format=json", "/metrics-windows?format=openmetrics",
			"/sd", "/cluster", "/cluster/config", "/cluster/topology", "/cluster/lifecycle", "/diagnostics", "/health", "/metrics/self", "/debug/actors", "/debug/actors?format=text"} {
			shown += w.get(target)
		}
		for _, line := range w.logs.All() {
			shown += fmt.Sprintln(line.Message, line.ContextMap())
		}
		require.Contains(t, shown, public)
		require.NotContains(t, strings.ToUpper(shown), key)
		_, err = w.attach(conn, public).Recv()
		require.Equal(t, codes.NotFound, status.Code(err))
	})
}
