//go:build e2e && linux

package modes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// stranger is a connection to a proxy that speaks the wire by hand.
type stranger struct {
	t      *testing.T
	conn   *grpc.ClientConn
	client wire.FODCServiceClient
}

// strangerFrom connects from an address of this machine.
func strangerFrom(t *testing.T, ip, addr string) *stranger {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", addr) }))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &stranger{t, conn, wire.NewFODCServiceClient(conn)}
}

// register registers a node, and returns its stream and the answer.
func (s *stranger) register(ctx context.Context, first *wire.RegisterAgentRequest) (grpc.BidiStreamingClient[wire.RegisterAgentRequest, wire.RegisterAgentResponse], *wire.RegisterAgentResponse) {
	s.t.Helper()
	reg, err := s.client.RegisterAgent(ctx)
	require.NoError(s.t, err)
	require.NoError(s.t, reg.Send(first))
	welcome, err := reg.Recv()
	require.NoError(s.t, err)
	return reg, welcome
}

// forge opens a metrics stream and the others of the field with a key, and answers what the
// proxy asks there. It returns how the streams end; OK is one that is still open after a while.
func (s *stranger) forge(key string) map[codes.Code]int {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(s.t.Context(), "agent_id", key), 500*time.Millisecond)
	defer cancel()
	ends := map[codes.Code]int{}
	metrics, err := s.client.StreamMetrics(ctx)
	require.NoError(s.t, err)
	_ = metrics.Send(forgedAnswer())
	for {
		if _, err = metrics.Recv(); err != nil {
			break
		}
		_ = metrics.Send(forgedAnswer())
	}
	ends[status.Code(err)]++
	for _, name := range []string{"StreamClusterTopology", "StreamLifecycle", "StreamCrashDiagnostics", "StreamPressureProfiles", "StreamSchemaRegistry"} {
		stream, err := s.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/banyandb.fodc.v1.FODCService/"+name)
		require.NoError(s.t, err)
		ends[status.Code(stream.RecvMsg(&emptypb.Empty{}))]++
	}
	return ends
}

// forgedValue is on no page but by forgery.
const forgedValue, forgedText = 6.66125e+42, "6.66125e+42"

func forgedAnswer() *wire.StreamMetricsRequest {
	return &wire.StreamMetricsRequest{Timestamp: timestamppb.Now(), Metrics: []*wire.Metric{
		{Name: "forged", Value: forgedValue, Type: wire.MetricType_METRIC_TYPE_GAUGE},
		{Name: "requests_total", Labels: map[string]string{"path": "/a"}, Value: forgedValue, Type: wire.MetricType_METRIC_TYPE_COUNTER}}}
}

// idLike matches whatever may be an id or a key: UUIDs, hexadecimal and base32 texts, and more.
var idLike = regexp.MustCompile(`[0-9A-Za-z-]{16,}`)

// shownIDs returns every text like an id that pages and logs show.
func shownIDs(t *testing.T, proxy, agent *process) []string {
	t.Helper()
	ids := map[string]bool{}
	collect := func(text string) {
		for _, id := range idLike.FindAllString(text, -1) {
			ids[id] = true
		}
	}
	for _, path := range []string{"/", "/cluster", "/metrics", "/metrics/self", "/metrics-windows?format=json", "/metrics-windows?start_time=1&format=json",
		"/cluster/config", "/health", "/debug/actors?format=json", "/debug/actors?format=text", "/sd"} {
		_, body, header, err := get(proxy.addr("http"), path)
		require.NoError(t, err)
		collect(body)
		collect(fmt.Sprint(header))
	}
	for _, path := range []string{"/", "/metrics", "/health", "/debug/actors?format=json", "/debug/actors?format=text"} {
		_, body, header, err := get(agent.addr("agent"), path)
		require.NoError(t, err)
		collect(body)
		collect(fmt.Sprint(header))
	}
	collect(proxy.log())
	collect(agent.log())
	return slices.Sorted(maps.Keys(ids))
}

// agentIDOf returns the id of its session as the agent shows it.
func agentIDOf(t *testing.T, agent *process) string {
	t.Helper()
	var health struct {
		Proxies []struct {
			AgentID string `json:"agent_id"`
		} `json:"proxies"`
	}
	require.NoError(t, json.Unmarshal([]byte(page(t, agent.addr("agent"), "/health")), &health))
	return health.Proxies[0].AgentID
}

// Whoever reads all that HTTP and the logs show cannot put a value onto a node's page, nor
// end a stream of its agent; nor can who has got hold of a session's key.
func TestE2EStrangerCannotForgeValues(t *testing.T) {
	proxy, node := startProxy(t, "--log-level", "debug"), startNode(t, pageA)
	agent := startAgent(t, proxy, "n1", "liaison", node.endpoint(), "--log-level", "debug")
	grpcAddr := proxy.addr("grpc")
	victim := strangerFrom(t, "127.0.0.1", grpcAddr) // of whom the key is known
	_, welcome := victim.register(t.Context(), &wire.RegisterAgentRequest{NodeRole: "ROLE_DATA", PodName: "victim"})
	own := regexp.MustCompile(`requests_total\{path="/a",node_id="n1",node_role="liaison"[^}]*\} 1\n`)
	awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="n1"`)
	registered := strangerFrom(t, "127.0.0.66", grpcAddr)
	_, _ = registered.register(t.Context(), &wire.RegisterAgentRequest{NodeRole: "ROLE_DATA", PodName: "stranger"})

	ids := shownIDs(t, proxy, agent)
	require.Contains(t, ids, agentIDOf(t, agent))
	nodes, _ := cluster(t, proxy)
	require.Equal(t, "n1", nodes[0].NodeID)
	require.Equal(t, nodes[0].AgentID, agentIDOf(t, agent), "both sides show the same")
	require.NotContains(t, ids, welcome.GetAgentId())
	broken := len(agent.said("the metrics stream broke, and is opened again"))

	foreign, unknown, rounds := map[codes.Code]int{}, map[codes.Code]int{}, 0
	addTo := func(sum, more map[codes.Code]int) {
		for c, n := range more {
			sum[c] += n
		}
	}
	try := func(s *stranger) {
		addTo(unknown, s.forge(ids[rounds%len(ids)]))
		addTo(unknown, s.forge(agentIDOf(t, agent)))
		addTo(foreign, s.forge(welcome.GetAgentId()))
	}
	var other *stranger
	tried := time.Time{}
	for begin := time.Now(); time.Since(begin) < 10*time.Second || rounds < len(ids); rounds++ {
		// A connection without a session may open 120 streams; a round opens 18.
		if rounds%5 == 0 {
			other = strangerFrom(t, "127.0.0.66", grpcAddr)
		}
		try(other)
		if time.Since(tried) > 2*time.Second {
			try(registered)
			tried = time.Now()
		}
		if rounds%20 == 0 {
			body := page(t, proxy.addr("http"), "/metrics")
			require.Regexp(t, own, body)
			require.NotContains(t, body, forgedText)
			require.NotContains(t, body, "forged")
		}
	}
	t.Logf("%d texts tried from two connections in %d rounds; unknown keys: %v, the key of another connection: %v", len(ids), rounds, unknown, foreign)
	require.Equal(t, []codes.Code{codes.NotFound}, slices.Collect(maps.Keys(unknown)))
	require.Equal(t, []codes.Code{codes.PermissionDenied}, slices.Collect(maps.Keys(foreign)))

	self := page(t, proxy.addr("http"), "/metrics/self")
	require.Contains(t, self, "fodc_proxy_sessions_opened_total 3\n")
	require.Contains(t, self, `fodc_actors{kind="session"} 3`+"\n")
	require.Contains(t, self, fmt.Sprintf("fodc_proxy_streams_refused_total{reason=\"other_connection\"} %d\n", foreign[codes.PermissionDenied]))
	require.Contains(t, self, fmt.Sprintf("fodc_proxy_streams_refused_total{reason=\"unknown_key\"} %d\n", unknown[codes.NotFound]))
	for line := range strings.Lines(self) {
		if strings.HasPrefix(line, "fodc_proxy_sessions_ended_total") {
			require.True(t, strings.HasSuffix(line, " 0\n"), line)
		}
	}
	require.Len(t, agent.said("the metrics stream broke, and is opened again"), broken)
	require.LessOrEqual(t, len(proxy.said("stream refused")), 20, "two reasons: the first of each, and a count each ten seconds")
}

// A node that is online is not taken over from another address, whatever that claims.
func TestE2EStrangerCannotTakeOverANode(t *testing.T) {
	proxy, node := startProxy(t), startNode(t, pageA)
	startAgent(t, proxy, "n1", "liaison", node.endpoint())
	awaitStatus(t, proxy, patience, "n1", "online")
	s := strangerFrom(t, "127.0.0.66", proxy.addr("grpc"))
	_, welcome := s.register(t.Context(), &wire.RegisterAgentRequest{NodeRole: "liaison", NodeId: "n1", PrimaryAddress: &wire.Address{Ip: "127.0.0.66", Port: 17912}})
	require.False(t, welcome.GetSuccess())
	require.Contains(t, welcome.GetMessage(), `node_id "n1" is online from 127.0.0.1:17912, and cannot be registered from 127.0.0.66:17912`)
	_, welcome = s.register(t.Context(), &wire.RegisterAgentRequest{NodeRole: "liaison", NodeId: "n1"})
	require.False(t, welcome.GetSuccess())
	require.Contains(t, welcome.GetMessage(), `node_id "n1" is online from 127.0.0.1, and cannot be registered from 127.0.0.66`)
	awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="n1"`, "fodc_proxy_sessions_opened_total 1\n",
		"fodc_proxy_registrations_refused_total{reason=\"conflict\"} 2\n")
}
