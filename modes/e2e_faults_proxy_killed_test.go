//go:build e2e

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
	// flockSize is how many agents lose their proxy at once.
	flockSize = 50
	// reconnectInterval is the default of --reconnect-interval.
	reconnectInterval = 5 * time.Second
	// mostInATenth bounds the share of the agents that return within one tenth of the
	// reconnect interval, after an outage that was long enough for each to try once an
	// interval, at a moment of its own. A tenth are expected in each. With 50 agents,
	// one run in some forty has more than 25 % in a tenth by chance, one in many
	// thousands more than 34 %. All of them return in one tenth if nothing spreads them.
	mostInATenth = 0.34
)

// TestE2EFaultProxyKilled kills the proxy of 50 agents.
//
// Back after 1 s: each agent's first attempt was made at once, and refused; the next
// waits were up to 250 ms, 500 ms, 1 s, 2 s. So most agents are back within a second
// or two and are spread over that only, which is what the quick first attempts are
// for. All attempts are still bound by the doubling, and nobody waits longer than the
// interval.
//
// Back after 30 s: each agent tries once an interval, and the returns are spread over
// it.
func TestE2EFaultProxyKilled(t *testing.T) {
	t.Parallel()
	addr := fixedPort(t)
	proxy := startProxyAt(t, addr)
	for i := range flockSize {
		start(t, agentArgs(addr, fmt.Sprintf("n%02d", i), "liaison", noEndpoint, "--poll-metrics-interval", "10s")...)
	}
	awaitFlock(t, proxy, 2*patience)

	for _, c := range []struct {
		away   time.Duration
		spread bool
	}{{time.Second, false}, {30 * time.Second, true}} {
		proxy.kill(syscall.SIGKILL)
		<-proxy.exited
		time.Sleep(c.away)
		proxy = startProxyAt(t, addr)
		returns := awaitReturns(t, proxy)
		t.Logf("away for %s: the last agent is back %s after the proxy; in tenths of the interval: %v",
			c.away, returns[len(returns)-1], tenths(returns))
		require.Less(t, returns[len(returns)-1], reconnectInterval+slack)
		if c.spread {
			require.LessOrEqual(t, slices.Max(tenths(returns)), int(math.Floor(mostInATenth*flockSize)), tenths(returns))
		}
	}
}

// awaitFlock waits until all agents are online, one entry each.
func awaitFlock(t *testing.T, proxy *process, limit time.Duration) {
	t.Helper()
	within(t, limit, "all agents online", func() error {
		online := 0
		for _, status := range statuses(t, proxy) {
			if status == "online" {
				online++
			}
		}
		if online != flockSize {
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
	awaitFlock(t, proxy, 2*patience)
	ready := at(t, proxy.said("listening")[0])
	nodes := map[string]bool{}
	var returns []time.Duration
	for _, entry := range proxy.said("agent registered") {
		id := entry["node_id"].(string)
		require.False(t, nodes[id], "%s has registered twice", id)
		nodes[id] = true
		returns = append(returns, at(t, entry).Sub(ready))
	}
	require.Len(t, returns, flockSize)
	require.Equal(t, flockSize, actorsOf(t, proxy, "http", "session"))
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
