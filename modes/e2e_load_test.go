//go:build e2e && linux

package modes_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// The load of the test below.
const (
	loadTime    = 30 * time.Second
	loadClients = 16 // as many as --max-collections allows by default
	loadPlayed  = 97 // agents that nothing happens to
	loadSeries  = 100
	// loadPace is the interval of the clients, who send their requests at the same moment.
	// Without a pause the test would measure the machine: an agent without a processor does
	// not answer in time.
	loadPace = time.Second
	// loadGrowth is what memory may grow by from the second third of the load to the last:
	// the heap's size varies with the garbage collector. Leaked pages would add 16 MB a second.
	loadGrowth = 1.5
)

// playSteadyAgents plays baseline agents that beat, and answer every question at once
// with loadSeries gauges. Connections are not encrypted, unless more says how.
func playSteadyAgents(t *testing.T, addr string, n int, more ...grpc.DialOption) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	for i := range n {
		conn, err := grpc.NewClient(addr, append([]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}, more...)...)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		client := wire.NewFODCServiceClient(conn)
		first := &wire.RegisterAgentRequest{NodeRole: "ROLE_DATA", PodName: steadyName(i)}
		reg, err := client.RegisterAgent(ctx)
		require.NoError(t, err)
		require.NoError(t, reg.Send(first))
		welcome, err := reg.Recv()
		require.NoError(t, err)
		answers, err := client.StreamMetrics(metadata.AppendToOutgoingContext(ctx, "agent_id", welcome.GetAgentId()))
		require.NoError(t, err)
		go func() {
			for beat := time.NewTicker(5 * time.Second); ; {
				select {
				case <-ctx.Done():
					beat.Stop()
					return
				case <-beat.C:
					_ = reg.Send(first)
				}
			}
		}()
		go func() {
			for {
				if _, err := answers.Recv(); err != nil {
					return
				}
				_ = answers.Send(steadyAnswer(i))
			}
		}()
	}
}

func steadyName(i int) string { return fmt.Sprintf("steady-%03d", i) }

func steadyAnswer(agent int) *wire.StreamMetricsRequest {
	frame := &wire.StreamMetricsRequest{Timestamp: timestamppb.Now()}
	for s := range loadSeries {
		frame.Metrics = append(frame.Metrics, &wire.Metric{Name: "steady", Labels: map[string]string{"segment": fmt.Sprint(s)},
			Value: float64(agent), Type: wire.MetricType_METRIC_TYPE_GAUGE})
	}
	return frame
}

// load is the results of the clients.
type load struct {
	mu    sync.Mutex
	took  []time.Duration
	wrong []string // the first few
	bytes int64
}

// request asks once, and checks that nothing of a steady agent is missing.
func (l *load) request(addr, path string) {
	begin := time.Now()
	wrong := ""
	status, body, header, err := get(addr, path)
	switch missing := header.Get("X-Fodc-Missing"); {
	case err != nil:
		wrong = err.Error()
	case status != http.StatusOK:
		wrong = fmt.Sprintf("status %d: %.200s", status, body)
	case strings.Contains(missing, "steady"):
		wrong = "missing: " + missing
	case strings.Count(body, "\nsteady{") != loadPlayed*loadSeries:
		wrong = fmt.Sprintf("%d samples, want %d", strings.Count(body, "\nsteady{"), loadPlayed*loadSeries)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = append(l.took, time.Since(begin))
	l.bytes += int64(len(body))
	if wrong != "" && len(l.wrong) < 10 {
		l.wrong = append(l.wrong, path+": "+wrong)
	}
}

// run lets the clients ask until ctx ends. One whose answer takes longer than the pace
// asks again at once.
func (l *load) run(ctx context.Context, addr string) {
	var clients sync.WaitGroup
	for n := range loadClients {
		clients.Go(func() {
			pace := time.NewTicker(loadPace)
			defer pace.Stop()
			for i := n; ; i++ {
				select {
				case <-ctx.Done():
					return
				case <-pace.C:
				}
				path := "/metrics"
				if i%2 == 1 {
					path = fmt.Sprintf("/metrics-windows?start_time=%d", time.Now().Add(-time.Duration(n)*time.Minute).Unix())
				}
				l.request(addr, path)
			}
		})
	}
	clients.Wait()
}

func (l *load) quantile(q float64) time.Duration {
	return l.took[int(q*float64(len(l.took)-1))].Round(time.Millisecond)
}

// watchMemory returns the resident memory of a process, in KiB, each half second until
// ctx ends.
func watchMemory(ctx context.Context, t *testing.T, p *process) []int {
	var all []int
	for tick := time.NewTicker(500 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return all
		case <-tick.C:
			all = append(all, usageOf(t, p).residentKiB)
		}
	}
}

func mean(values []int) float64 {
	sum := 0
	for _, v := range values {
		sum += v
	}
	return float64(sum) / float64(max(1, len(values)))
}

// Sixteen clients send requests each second. Each gets every sample of the agents that live,
// while one agent is stopped, one is killed, and one is killed and comes back.
func TestE2ELoadWithFaults(t *testing.T) {
	proxy, node := startProxy(t), startNode(t, pageA)
	agent := func(id string) *process { return startAgent(t, proxy, id, "liaison", node.endpoint()) }
	stopped, killed, returning := agent("stopped"), agent("killed"), agent("returning")
	playSteadyAgents(t, proxy.addr("grpc"), loadPlayed)
	awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="stopped"`, `requests_total{path="/a",node_id="killed"`,
		`requests_total{path="/a",node_id="returning"`)

	var seen load
	ctx, cancel := context.WithTimeout(t.Context(), loadTime)
	defer cancel()
	var all sync.WaitGroup
	var memory []int
	addr := proxy.addr("http")
	all.Go(func() { seen.run(ctx, addr) })
	all.Go(func() { memory = watchMemory(ctx, t, proxy) })
	after := func(part int, do func()) {
		select {
		case <-time.After(time.Duration(part) * loadTime / 10):
			do()
		case <-ctx.Done():
		}
	}
	after(1, func() { returning.kill(syscall.SIGKILL) })
	after(1, func() { stopped.kill(syscall.SIGSTOP) })
	after(1, func() { killed.kill(syscall.SIGKILL) })
	after(1, func() { agent("returning") })
	all.Wait()
	stopped.kill(syscall.SIGCONT)

	slices.Sort(seen.took)
	third := len(memory) / 3
	before, behind := mean(memory[third:2*third]), mean(memory[2*third:])
	t.Logf("%d pages of %d agents with %d samples each, %.0f MB, in %s: half within %s, 99%% within %s, all within %s",
		len(seen.took), loadPlayed+3, loadSeries, float64(seen.bytes)/1e6, loadTime, seen.quantile(.5), seen.quantile(.99), seen.quantile(1))
	t.Logf("resident memory of the proxy: %.0f MiB at first, %.0f MiB in the second third, %.0f MiB in the last, %d MiB at most",
		mean(memory[:third])/1024, before/1024, behind/1024, slices.Max(memory)/1024)
	require.Empty(t, seen.wrong)
	require.Greater(t, len(seen.took), loadClients)
	require.Less(t, behind, loadGrowth*before, "memory grows")

	awaitStatus(t, proxy, patience, "returning", "online")
	awaitStatus(t, proxy, patience, "stopped", "online")
	awaitStatus(t, proxy, patience, "killed", "unconnected")
	awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="returning"`, `requests_total{path="/a",node_id="stopped"`,
		"fodc_proxy_collections_total{result=\"failed\"} 0\n", "fodc_proxy_http_panics_total 0\n")
	self := page(t, addr, "/metrics/self")
	promtoolCheck(t, self)
	for line := range strings.Lines(self) {
		if strings.HasPrefix(line, "fodc_proxy_agents_missing_total") || strings.HasPrefix(line, "fodc_proxy_relayed") {
			t.Log(strings.TrimSpace(line))
		}
	}
}
