//go:build e2e && linux

package modes_test

import (
	"fmt"
	"math"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// killedProxyAgents is the number of agents whose proxy is killed.
	killedProxyAgents = 50
	// reconnectInterval is the default of --reconnect-interval.
	reconnectInterval = 5 * time.Second
	// mostInATenth bounds the share of the agents that return within one tenth of the
	// reconnect interval. A tenth is expected in each; about half return in one tenth if
	// their delays double after the loss and the proxy is away for 1 s, and all of them
	// if nothing spreads them.
	mostInATenth = 0.25
	// outages bounds how often an outage is tried: with 50 agents that are spread evenly,
	// one in a hundred has more than a quarter of them in a tenth by chance.
	outages = 2
)

// TestE2EFaultProxyKilled kills the proxy of 50 agents. Each agent tries at once, and is
// refused. Its next attempt is at a random time within the reconnect interval, later ones are
// once an interval. So the agents return spread over the interval, however long the proxy was
// away, and no later.
func TestE2EFaultProxyKilled(t *testing.T) {
	t.Parallel()
	addr := fixedPort(t)
	proxy := startProxyAt(t, addr)
	for i := range killedProxyAgents {
		start(t, agentArgs(addr, fmt.Sprintf("n%02d", i), "liaison", noEndpoint, "--poll-metrics-interval", "10s")...)
	}
	awaitAllOnline(t, proxy, 2*patience)

	for _, away := range []time.Duration{time.Second, 30 * time.Second} {
		for n := 1; ; n++ {
			proxy.kill(syscall.SIGKILL)
			<-proxy.exited
			time.Sleep(away)
			proxy = startProxyAt(t, addr)
			returns := awaitReturns(t, proxy)
			t.Logf("away for %s: the last agent is back %s after the proxy; in tenths of the interval: %v",
				away, returns[len(returns)-1], tenths(returns))
			require.Less(t, returns[len(returns)-1], reconnectInterval+slack)
			if slices.Max(tenths(returns)) <= int(math.Floor(mostInATenth*killedProxyAgents)) {
				break
			}
			require.Less(t, n, outages, "bunched each time: %v", tenths(returns))
		}
	}
}

// awaitAllOnline waits until all agents are online, one entry each.
func awaitAllOnline(t *testing.T, proxy *process, limit time.Duration) {
	t.Helper()
	within(t, limit, "all agents online", func() error {
		online := 0
		for _, status := range statuses(t, proxy) {
			if status == "online" {
				online++
			}
		}
		if online != killedProxyAgents {
			return fmt.Errorf("%d are", online)
		}
		return nil
	})
}

// awaitReturns waits for all agents at a proxy that was started anew, and checks that
// each has registered once. It returns when that was, counted from when the proxy
// was ready, in order.
func awaitReturns(t *testing.T, proxy *process) []time.Duration {
	t.Helper()
	awaitAllOnline(t, proxy, 2*patience)
	ready := at(t, proxy.said("listening")[0])
	nodes := map[string]bool{}
	var returns []time.Duration
	for _, entry := range proxy.said("agent registered") {
		id := entry["node_id"].(string)
		require.False(t, nodes[id], "%s has registered twice", id)
		nodes[id] = true
		returns = append(returns, at(t, entry).Sub(ready))
	}
	require.Len(t, returns, killedProxyAgents)
	require.Equal(t, killedProxyAgents, actorsOf(t, proxy, "http", "session"))
	slices.Sort(returns)
	return returns
}

// tenths counts the returns in each tenth of the reconnect interval; the last one has
// those that came later, too.
func tenths(returns []time.Duration) []int {
	counts := make([]int, 10)
	for _, r := range returns {
		counts[min(max(int(r/(reconnectInterval/10)), 0), 9)]++
	}
	return counts
}
