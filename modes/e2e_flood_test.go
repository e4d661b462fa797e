//go:build e2e && linux

package modes_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

// The flood of the test below.
const (
	floodNodes    = 1500      // more than --max-agents allows
	floodSteady   = 50        // agents that are there before
	floodGrowth   = 256 << 10 // KiB, with the garbage of a flood of 800 MB
	floodLogLines = 600
	// floodOfConnection is how many registrations of 250 KB a connection makes.
	floodOfConnection = 3
)

// floodFrom registers so many nodes on sixteen connections at a time, and drops each at once. A connection ends after a few
// registrations: the proxy closes one that sends more than 1 MiB without a session. It returns how many were let in.
func floodFrom(t *testing.T, ip, addr string, node func(i int) *wire.RegisterAgentRequest) (accepted int) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			var s *stranger
			for i := worker; i < floodNodes; i += 16 {
				if i/16%floodOfConnection == 0 {
					s = strangerFrom(t, ip, addr)
				}
				ctx, cancel := context.WithCancel(t.Context())
				reg, err := s.client.RegisterAgent(ctx)
				if err == nil && reg.Send(node(i)) == nil {
					welcome, err := reg.Recv()
					mu.Lock()
					if err == nil && welcome.GetSuccess() {
						accepted++
					}
					mu.Unlock()
				}
				cancel()
				if i/16%floodOfConnection == floodOfConnection-1 {
					_ = s.conn.Close()
				}
			}
		})
	}
	all.Wait()
	return accepted
}

func labelsOf(n, bytes int) map[string]string {
	labels := map[string]string{}
	for i := range n {
		name := fmt.Sprintf("label_%02d", i)
		labels[name] = strings.Repeat("x", bytes-len(name))
	}
	return labels
}

// largeConfig is a configuration as large as one may be.
func largeConfig() *wire.NodeConfiguration {
	var params []*wire.ConfigParameter
	for i := range 15 {
		params = append(params, &wire.ConfigParameter{Key: fmt.Sprintf("p%02d", i), Value: `"` + strings.Repeat("x", 4<<10-2) + `"`})
	}
	notes := make([]string, 64)
	for i := range notes {
		notes[i] = strings.Repeat("x", 1<<10)
	}
	return &wire.NodeConfiguration{StartupParams: params, RuntimeConfig: params, Sources: notes, Errors: notes}
}

// Whoever registers nodes without end, with as much text as they can, takes neither the
// places of real nodes nor the proxy's memory, and fills no log.
func TestE2EStrangerCannotKeepAgentsOut(t *testing.T) {
	proxy, node := startProxy(t), startNode(t, pageA)
	grpcAddr, httpAddr := proxy.addr("grpc"), proxy.addr("http")
	startAgent(t, proxy, "true", "liaison", node.endpoint())
	playSteadyAgents(t, grpcAddr, floodSteady)
	awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="true"`)
	before := usageOf(t, proxy)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var pages sync.WaitGroup
	var memory []int
	wrong, count := "", 0
	pages.Go(func() {
		for ctx.Err() == nil {
			_, body, header, err := get(httpAddr, "/metrics")
			if got := strings.Count(body, "\nsteady{"); err != nil || got != floodSteady*loadSeries || strings.Contains(header.Get("X-Fodc-Missing"), "steady") ||
				!strings.Contains(body, `requests_total{path="/a",node_id="true"`) {
				wrong = fmt.Sprintf("%d samples, %v", got, err)
				return
			}
			count++
			time.Sleep(200 * time.Millisecond)
		}
	})
	pages.Go(func() { memory = watchMemory(ctx, t, proxy) })

	begin := time.Now()
	overLimit := floodFrom(t, "127.0.0.66", grpcAddr, func(i int) *wire.RegisterAgentRequest {
		return &wire.RegisterAgentRequest{NodeRole: "liaison", NodeId: fmt.Sprintf("over-%d", i), Labels: labelsOf(60, 4000)}
	})
	afterOver := usageOf(t, proxy)
	atLimit := floodFrom(t, "127.0.0.67", grpcAddr, func(i int) *wire.RegisterAgentRequest {
		return &wire.RegisterAgentRequest{NodeRole: "liaison", NodeId: fmt.Sprintf("at-%d", i), Labels: labelsOf(60, 16<<10/60), Configuration: largeConfig()}
	})
	took, afterAt := time.Since(begin), usageOf(t, proxy)
	startAgent(t, proxy, "late", "liaison", node.endpoint()) // A real node that comes in spite of it.
	lateTook := awaitStatus(t, proxy, patience, "late", "online")
	time.Sleep(11 * time.Second) // what the log has counted is said
	cancel()
	pages.Wait()

	after, highest := usageOf(t, proxy), 0
	for _, m := range memory {
		highest = max(highest, m)
	}
	lines := strings.Count(proxy.log(), "\n")
	self := page(t, httpAddr, "/metrics/self")
	t.Logf("%d nodes from each of two addresses in %s: %d and %d let in; resident memory %d MiB before, %d after the first, %d after the second, %d at last, %d at most; %d lines in the log; %d pages; the late agent took %s",
		floodNodes, took, overLimit, atLimit, before.residentKiB>>10, afterOver.residentKiB>>10, afterAt.residentKiB>>10, after.residentKiB>>10,
		highest>>10, lines, count, lateTook)
	for line := range strings.Lines(self) {
		if strings.HasPrefix(line, "fodc_proxy_registrations_refused_total") || strings.HasPrefix(line, "fodc_proxy_nodes_evicted_total") {
			t.Log(strings.TrimSpace(line))
		}
	}
	require.Empty(t, wrong)
	require.Zero(t, overLimit)
	require.Positive(t, atLimit)
	require.LessOrEqual(t, len(statuses(t, proxy)), 1000)
	require.Less(t, highest-before.residentKiB, floodGrowth)
	require.Less(t, lines, floodLogLines)
	require.NotContains(t, self, "fodc_proxy_nodes_evicted_total 0\n")
	require.NotContains(t, self, "fodc_proxy_registrations_refused_total{reason=\"invalid\"} 0\n")
	require.NotContains(t, self, "fodc_proxy_registrations_refused_total{reason=\"rate\"} 0\n")
	require.LessOrEqual(t, len(proxy.said("registration refused")), 8)
	for id, status := range statuses(t, proxy) {
		if strings.HasPrefix(id, "steady") || id == "true" {
			require.Equal(t, "online", status, id)
		}
	}
	require.Contains(t, self, "fodc_proxy_sessions_ended_total{reason=\"replaced\"} 0\n")
}
