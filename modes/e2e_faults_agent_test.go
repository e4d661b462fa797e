//go:build e2e && linux

package modes_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What a proxy may take more after an agent was killed and started 20 times. The
// garbage collector's heap grows a little in the first minute of any process.
const (
	moreFDs         = 2
	moreThreads     = 4
	moreResidentKiB = 16 << 10
)

func TestE2EFaultAgentKilledTwentyTimes(t *testing.T) {
	t.Parallel()
	proxy := startProxy(t)
	run := func(n int) *process {
		agent := start(t, agentArgs(proxy.addr("grpc"), "n1", "liaison", noEndpoint)...)
		awaitSaid(t, proxy, n, "agent registered")
		return agent
	}
	agent := run(1)
	awaitPage(t, proxy, "/metrics", "fodc_agent_go_goroutines{")
	actors, before := actorsOf(t, proxy, "http", ""), usageOf(t, proxy)
	next := time.NewTicker(time.Second)
	defer next.Stop()
	for i := range 20 {
		agent.kill(syscall.SIGKILL)
		<-agent.exited
		agent = run(i + 2)
		require.Equal(t, map[string]string{"n1": "online"}, statuses(t, proxy))
		<-next.C
	}
	awaitPage(t, proxy, "/metrics", "fodc_agent_go_goroutines{")
	require.Len(t, proxy.said("agent registered"), 21)
	eventually(t, "the proxy is as it was", func() error {
		sessions, all, after := actorsOf(t, proxy, "http", "session"), actorsOf(t, proxy, "http", ""), usageOf(t, proxy)
		if sessions != 1 || all != actors || after.fds > before.fds+moreFDs || after.threads > before.threads+moreThreads ||
			after.residentKiB > before.residentKiB+moreResidentKiB {
			return fmt.Errorf("%d sessions, %d actors, %s; before: %d actors, %s", sessions, all, after, actors, before)
		}
		return nil
	})
	t.Logf("before: %s; after: %s", before, usageOf(t, proxy))
}

func TestE2EFaultAgentFrozen(t *testing.T) {
	t.Parallel()
	const timeout = 2 * time.Second
	// A scrape that begins shortly before its time on the schedule gets that time.
	const snapped = 60 * time.Millisecond
	proxy, node := startProxy(t, "--agent-heartbeat-timeout", timeout.String(), "--heartbeat-interval", "500ms"), startNode(t, pageA)
	begin := "start_time=" + time.Now().Add(-time.Second).UTC().Format(time.RFC3339Nano)
	agent := startAgent(t, proxy, "n1", "liaison", node.endpoint(), "--heartbeat-interval", "500ms")
	awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="n1"`)

	agent.kill(syscall.SIGSTOP)
	frozen := time.Now()
	took := awaitStatus(t, proxy, timeout+slack, "n1", "unconnected")
	body := page(t, proxy.addr("http"), "/metrics")
	require.Contains(t, body, `fodc_agent_up{node_id="n1",node_role="liaison",pod_name="n1"} 0`)
	require.NotContains(t, body, "\nrequests_total{")
	time.Sleep(timeout) // long enough for the proxy to be tired of it

	agent.kill(syscall.SIGCONT)
	thawed := time.Now()
	back := awaitStatus(t, proxy, patience, "n1", "online")
	t.Logf("unconnected after %s, back online %s after SIGCONT", took, back)
	awaitPage(t, proxy, "/metrics", `fodc_agent_up{node_id="n1",node_role="liaison",pod_name="n1"} 1`, `requests_total{path="/a",node_id="n1"`)
	require.Equal(t, map[string]string{"n1": "online"}, statuses(t, proxy))
	eventually(t, "samples of before and after", func() error {
		before, during, after := 0, 0, 0
		for _, at := range window(t, proxy, begin, "requests_total") {
			switch {
			case at.Before(frozen.Add(snapped)):
				before++
			case at.After(thawed):
				after++
			default:
				during++
			}
		}
		if before == 0 || after < 2 || during > 1 { // a scrape that was under way ends with SIGCONT
			return fmt.Errorf("%d samples before, %d while it was frozen, %d after", before, during, after)
		}
		return nil
	})
	require.Equal(t, 1, actorsOf(t, proxy, "http", "session"))
}
