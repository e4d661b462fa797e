//go:build e2e && linux

package modes_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

func TestE2EStandaloneShowsThisMachine(t *testing.T) {
	p := start(t, "standalone", "--grpc-listen-addr", "127.0.0.1:0", "--http-listen-addr", "127.0.0.1:0",
		"--prometheus-listen-addr", "127.0.0.1:0", "--metrics-endpoint", "http://127.0.0.1:1/metrics")
	body := awaitPage(t, p, "/metrics", "fodc_agent_process_cpu_seconds_total{", "fodc_node_up{", "node_memory_MemTotal_bytes{", "node_load1{")
	requireReadmeSeries(t, body)
	require.Contains(t, body, `node_id="`)
	require.Contains(t, body, `node_role="standalone"`)
	for line := range strings.SplitSeq(body, "\n") {
		if strings.HasPrefix(line, "fodc_node_up{") {
			require.True(t, strings.HasSuffix(line, " 0"), line)
		}
	}
	require.Len(t, statuses(t, p), 1)
	promtoolCheck(t, body)
	p.kill(syscall.SIGTERM)
	code, took := p.exitCode(5 * time.Second)
	require.Zero(t, code)
	require.Less(t, took, 2*time.Second)
}

// Every page of a real node comes out of the proxy as it went into the agent.
func TestE2EPagesComeThroughUnchanged(t *testing.T) {
	proxy, node := startProxy(t), startNode(t, "")
	startAgent(t, proxy, "n1", "liaison", node.endpoint())
	for _, name := range pageNames(t) {
		text := readPage(t, name)
		want := samples(t, text)
		node.show(text)
		var body string
		eventually(t, name, func() error {
			body = page(t, proxy.addr("http"), "/metrics")
			return firstDifference(want, samples(t, body))
		})
		promtoolCheck(t, body)
	}
}

func TestE2EThreeAgentsEachFamilyOnce(t *testing.T) {
	proxy := startProxy(t)
	text := readPage(t, "standalone-08.prom")
	for i := range 3 {
		startAgent(t, proxy, fmt.Sprintf("n%d", i), "liaison", startNode(t, text).endpoint())
	}
	want := samples(t, text)
	body := awaitPage(t, proxy, "/metrics", `node_id="n0"`, `node_id="n1"`, `node_id="n2"`)
	eventually(t, "three times the page", func() error {
		body = page(t, proxy.addr("http"), "/metrics")
		if got := samples(t, body); len(got) != 3*len(want) {
			return fmt.Errorf("%d samples, want 3 times %d", len(got), len(want))
		}
		return nil
	})
	seen := map[string]bool{}
	for line := range strings.SplitSeq(body, "\n") {
		if strings.HasPrefix(line, "# ") {
			key := strings.Join(strings.Fields(line)[1:3], " ")
			require.False(t, seen[key], "twice: %s", line)
			seen[key] = true
		}
	}
	promtoolCheck(t, body)
}

func TestE2EStoppedAgentCostsTheOthersNothing(t *testing.T) {
	proxy, node := startProxy(t, "--collect-timeout", "1s"), startNode(t, pageA)
	var agents []*process
	for i := range 4 {
		agents = append(agents, startAgent(t, proxy, fmt.Sprintf("n%d", i), "liaison", node.endpoint()))
	}
	awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="n0"`, `requests_total{path="/a",node_id="n1"`,
		`requests_total{path="/a",node_id="n2"`, `requests_total{path="/a",node_id="n3"`)
	agents[0].kill(syscall.SIGSTOP)
	begin := time.Now()
	body := page(t, proxy.addr("http"), "/metrics")
	require.Less(t, time.Since(begin), 2*time.Second)
	require.Contains(t, body, `fodc_agent_up{node_id="n0",node_role="liaison",pod_name="n0"} 0`)
	require.Equal(t, 3, strings.Count(body, "\nrequests_total{"))
	begin = time.Now()
	body = page(t, proxy.addr("http"), "/metrics")
	require.Less(t, time.Since(begin), 500*time.Millisecond, "it is not waited for again")
	require.Equal(t, 3, strings.Count(body, "\nrequests_total{"))
	agents[0].kill(syscall.SIGCONT)
	awaitPage(t, proxy, "/metrics", `fodc_agent_up{node_id="n0",node_role="liaison",pod_name="n0"} 1`, `requests_total{path="/a",node_id="n0"`)
}

// connectAgents plays baseline agents that answer with one gauge.
func connectAgents(t *testing.T, addr string, n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	for i := range n {
		conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		client := wire.NewFODCServiceClient(conn)
		reg, err := client.RegisterAgent(ctx)
		require.NoError(t, err)
		require.NoError(t, reg.Send(&wire.RegisterAgentRequest{NodeRole: "ROLE_DATA", PodName: fmt.Sprintf("pod-%03d", i)}))
		welcome, err := reg.Recv()
		require.NoError(t, err)
		metrics, err := client.StreamMetrics(metadata.AppendToOutgoingContext(ctx, "agent_id", welcome.GetAgentId()))
		require.NoError(t, err)
		go func() {
			for {
				if _, err := metrics.Recv(); err != nil {
					return
				}
				_ = metrics.Send(&wire.StreamMetricsRequest{Metrics: []*wire.Metric{{Name: "played", Value: float64(i), Type: wire.MetricType_METRIC_TYPE_GAUGE}}})
			}
		}()
	}
}

func TestE2E2HundredAgentsAndAnOrderlyStop(t *testing.T) {
	proxy := startProxy(t)
	connectAgents(t, proxy.addr("grpc"), 100)
	body := page(t, proxy.addr("http"), "/metrics")
	require.Equal(t, 100, strings.Count(body, "\nplayed{"))
	proxy.kill(syscall.SIGTERM)
	code, took := proxy.exitCode(5 * time.Second)
	require.Zero(t, code)
	require.Less(t, took, 2*time.Second)
	require.NotContains(t, proxy.log(), `"level":"error"`)
}

func TestE2E3FailureScenarios(t *testing.T) {
	proxy, node := startProxy(t), startNode(t, pageA)
	grpcAddr := proxy.addr("grpc")
	agent := startAgent(t, proxy, "n1", "liaison", node.endpoint(), "--reconnect-interval", "1s")
	awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="n1"`)

	// A node that dies: its series go at once, its agent stays.
	node.Close()
	awaitPage(t, proxy, "/metrics", `fodc_node_up{endpoint="`+node.endpoint()+`",node_id="n1",node_role="liaison",pod_name="n1"} 0`)
	require.NotContains(t, page(t, proxy.addr("http"), "/metrics"), "\nrequests_total{")

	// Invalid agent data: refused, without harm to others.
	conn, err := grpc.NewClient(grpcAddr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	reg, err := wire.NewFODCServiceClient(conn).RegisterAgent(t.Context())
	require.NoError(t, err)
	require.NoError(t, reg.Send(&wire.RegisterAgentRequest{NodeId: "bad\nname", NodeRole: "liaison"}))
	answer, err := reg.Recv()
	require.NoError(t, err)
	require.False(t, answer.GetSuccess())
	require.Equal(t, map[string]string{"n1": "online"}, statuses(t, proxy))

	// A proxy that is killed and comes back: the agent returns by itself.
	proxy.kill(syscall.SIGKILL)
	<-proxy.exited
	proxy = start(t, "proxy", "--grpc-listen-addr", grpcAddr, "--http-listen-addr", "127.0.0.1:0")
	awaitStatuses(t, proxy, "n1", "online")
	require.NotNil(t, agent)
}

func TestE2EAgentKilledAndStartedAgainIsOneEntry(t *testing.T) {
	proxy, node := startProxy(t), startNode(t, pageA)
	for range 3 {
		agent := startAgent(t, proxy, "n1", "liaison", node.endpoint())
		awaitStatuses(t, proxy, "n1", "online")
		agent.kill(syscall.SIGKILL)
		<-agent.exited
	}
	awaitStatuses(t, proxy, "n1", "unconnected")
}

func TestE2EPortTakenExitsOneAndNamesIt(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	for _, flag := range []string{"--grpc-listen-addr", "--http-listen-addr"} {
		p := startProxy(t, flag, l.Addr().String())
		code, _ := p.exitCode(patience)
		require.Equal(t, 1, code)
		require.Contains(t, p.log(), l.Addr().String())
	}
}
