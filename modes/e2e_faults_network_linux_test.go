//go:build e2e

package modes_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// noticed bounds how long either side takes for a silent connection: a ping after
	// 20 s, and 10 s for its answer.
	noticed = 30 * time.Second
	// recovered bounds how long an agent takes for its return after the network is
	// whole: the rest of an attempt, which may take 10 s, and the wait for the next.
	recovered = 10*time.Second + reconnectInterval
	// outage is how long the network is broken.
	outage = time.Minute
)

// startFarAgent runs a proxy here, and an agent on the other side of the network.
func startFarAgent(t *testing.T, net *lossy, proxyFlags ...string) (proxy, agent *process) {
	proxy = startProxyAt(t, net.here+":0", proxyFlags...)
	_, port, _ := strings.Cut(proxy.addr("grpc"), ":")
	agent = net.start(t, agentArgs(net.here+":"+port, "n1", "liaison", noEndpoint)...)
	awaitStatus(t, proxy, patience, "n1", "online")
	awaitPage(t, proxy, "/metrics", `fodc_agent_up{node_id="n1",node_role="liaison",pod_name="n1"} 1`)
	return proxy, agent
}

func TestE2EFaultNetworkDropsEverything(t *testing.T) {
	t.Parallel()
	const timeout = 5 * time.Second
	net := startLossy(t)
	proxy, agent := startFarAgent(t, net, "--agent-heartbeat-timeout", timeout.String(), "--heartbeat-interval", "1s")

	net.lose.Store(100)
	broken := time.Now()
	byProxy := awaitStatus(t, proxy, timeout+slack, "n1", "unconnected")
	asked := time.Now()
	require.Contains(t, page(t, proxy.addr("http"), "/metrics"), `fodc_agent_up{node_id="n1",node_role="liaison",pod_name="n1"} 0`)
	require.Less(t, time.Since(asked), slack, "who is unconnected is not waited for")
	within(t, noticed+2*slack-time.Since(broken), "the agent notices", func() error {
		if len(agent.said("lost the session with the proxy")) == 0 {
			return fmt.Errorf("not logged")
		}
		return nil
	})
	byAgent := at(t, agent.said("lost the session with the proxy")[0]).Sub(broken)
	within(t, noticed+3*slack-time.Since(broken), "the proxy ends the session", func() error {
		if n := actorsOf(t, proxy, "http", "session"); n != 0 {
			return fmt.Errorf("%d sessions", n)
		}
		return nil
	})
	ended := time.Since(broken)
	require.Equal(t, map[string]string{"n1": "unconnected"}, statuses(t, proxy))

	time.Sleep(outage - time.Since(broken))
	net.lose.Store(0)
	back := awaitStatus(t, proxy, recovered+slack, "n1", "online")
	awaitPage(t, proxy, "/metrics", `fodc_agent_up{node_id="n1",node_role="liaison",pod_name="n1"} 1`)
	t.Logf("the proxy noticed after %s and ended the session after %s, the agent noticed after %s; online %s after the network was whole",
		byProxy, ended, byAgent, back)
	require.Len(t, proxy.said("agent registered"), 2)
	require.Equal(t, 1, actorsOf(t, proxy, "http", "session"))
	require.LessOrEqual(t, len(agent.said("cannot register with the proxy")), 2, "told once for each cause")
}

// TestE2EFaultNetworkDropsHalf loses every second packet, both ways. TCP stalls for
// seconds on such a network, and connections end that get no acknowledgement for
// 10 s. That is allowed, but a node must be shown just as its heartbeats are: online
// while they come, unconnected when none came for the timeout or the session is lost.
func TestE2EFaultNetworkDropsHalf(t *testing.T) {
	t.Parallel()
	const (
		timeout  = 10 * time.Second
		rounding = 2 * time.Millisecond // of the times in JSON
	)
	net := startLossy(t)
	proxy, agent := startFarAgent(t, net, "--agent-heartbeat-timeout", timeout.String(), "--heartbeat-interval", "1s")

	net.lose.Store(50)
	polls, unconnected, changes, was := 0, 0, 0, "online"
	for begin := time.Now(); time.Since(begin) < outage; time.Sleep(50 * time.Millisecond) {
		nodes, now := cluster(t, proxy)
		require.Len(t, nodes, 1)
		n := nodes[0]
		silence := now.Sub(n.LastHeartbeat)
		switch n.Status {
		case "online":
			require.Less(t, silence, timeout+rounding)
		case "unconnected":
			lost := strings.Contains(n.LastError, "connection")
			require.True(t, lost || silence > timeout-rounding, "unconnected %s after a heartbeat: %q", silence, n.LastError)
			unconnected++
		}
		polls++
		if n.Status != was {
			changes++
		}
		was = n.Status
	}
	sessions := len(proxy.said("agent registered"))
	net.lose.Store(0)
	back := awaitStatus(t, proxy, recovered+slack, "n1", "online")
	t.Logf("%d of %d polls show it unconnected, %d changes, %d sessions; online %s after the network was whole",
		unconnected, polls, changes, sessions, back)
	// A session takes 10 s to be given up, and so does an attempt.
	require.LessOrEqual(t, sessions, 1+int(outage/(10*time.Second)))
	require.LessOrEqual(t, len(agent.said("lost the session with the proxy")), sessions)
	// A connection that has stalled before may still end, once.
	since := time.Now()
	within(t, recovered+slack, "it stays online", func() error {
		if statuses(t, proxy)["n1"] != "online" {
			since = time.Now()
		}
		if steady := time.Since(since); steady < 2*time.Second {
			return fmt.Errorf("for %s", steady)
		}
		return nil
	})
}
