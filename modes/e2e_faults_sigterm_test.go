//go:build e2e && linux

package modes_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// stopLimit is how long a stop may take.
const stopLimit = 2 * time.Second

// requireStops sends SIGTERM and waits for an orderly end.
func requireStops(t *testing.T, p *process) {
	t.Helper()
	p.kill(syscall.SIGTERM)
	code, took := p.exitCode(patience)
	require.Zero(t, code)
	require.Less(t, took, stopLimit)
	t.Logf("stopped in %s", took)
	p.requireNoErrors()
}

func (p *process) requireNoErrors() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lines {
		require.NotEqual(p.t, "error", l["level"], l)
	}
}

// silentListener accepts connections and says nothing on them.
func silentListener(t *testing.T) (addr string, accepted <-chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	first := make(chan struct{}, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
			select {
			case first <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String(), first
}

func TestE2EFaultSIGTERMToAgentThatConnects(t *testing.T) {
	t.Parallel()
	addr, accepted := silentListener(t)
	agent := start(t, agentArgs(addr, "n1", "liaison", noEndpoint)...)
	<-accepted
	requireStops(t, agent)
}

func TestE2EFaultSIGTERMToAgentThatRegisters(t *testing.T) {
	t.Parallel()
	proxy := startBadProxy(t, &badProxy{register: func(g registerServer) error {
		<-g.Context().Done()
		return nil
	}})
	agent := start(t, agentArgs(proxy.addr, "n1", "liaison", noEndpoint)...)
	eventually(t, "an attempt", func() error {
		if n, _, _ := proxy.counts(); n == 0 {
			return fmt.Errorf("none")
		}
		return nil
	})
	requireStops(t, agent)
}

func TestE2EFaultSIGTERMToAgentThatWaits(t *testing.T) {
	t.Parallel()
	agent := start(t, agentArgs(fixedPort(t), "n1", "liaison", noEndpoint, "--reconnect-interval", "1h")...)
	awaitSaid(t, agent, 1, "cannot register with the proxy")
	eventually(t, "it waits", func() error {
		// After several attempts the next one is seconds away.
		if n := actorsOf(t, agent, "agent", "uplink"); n != 0 {
			return fmt.Errorf("%d uplinks", n)
		}
		return nil
	})
	requireStops(t, agent)
}

// A proxy that is frozen neither reads a goodbye nor ends a stream.
func TestE2EFaultSIGTERMToAgentOfFrozenProxy(t *testing.T) {
	t.Parallel()
	proxy := startProxy(t)
	agent := start(t, agentArgs(proxy.addr("grpc"), "n1", "liaison", noEndpoint)...)
	awaitStatuses(t, proxy, "n1", "online")
	proxy.kill(syscall.SIGSTOP)
	requireStops(t, agent)
}

func TestE2EFaultSIGTERMToAgentThatScrapes(t *testing.T) {
	t.Parallel()
	scraped := make(chan struct{}, 16)
	node := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		scraped <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(node.Close)
	proxy := startProxy(t)
	agent := start(t, agentArgs(proxy.addr("grpc"), "n1", "liaison", node.URL+"/metrics")...)
	awaitStatuses(t, proxy, "n1", "online")
	eventually(t, "the agent's session", func() error { // The proxy knows of it before the agent does.
		if health := page(t, agent.addr("agent"), "/health"); !strings.Contains(health, `"state":"connected"`) {
			return errors.New(health)
		}
		return nil
	})
	<-scraped
	requireStops(t, agent)
	require.Empty(t, statuses(t, proxy), "it has said goodbye")
}

// stalledCollection runs a proxy with a frozen agent and one that lives, and asks it
// for a page which the frozen one holds up.
func stalledCollection(t *testing.T) (proxy, lively *process, answer <-chan error) {
	t.Helper()
	proxy = startProxy(t)
	frozen := start(t, agentArgs(proxy.addr("grpc"), "n1", "liaison", noEndpoint)...)
	lively = start(t, agentArgs(proxy.addr("grpc"), "n2", "liaison", noEndpoint)...)
	awaitPage(t, proxy, "/metrics", `fodc_agent_up{node_id="n1",node_role="liaison",pod_name="n1"} 1`, `fodc_agent_up{node_id="n2",node_role="liaison",pod_name="n2"} 1`)
	frozen.kill(syscall.SIGSTOP)
	done := make(chan error, 1)
	addr := proxy.addr("http")
	go func() {
		_, _, _, err := get(addr, "/metrics")
		done <- err
	}()
	eventually(t, "a collection", func() error {
		if actorsOf(t, proxy, "http", "collect") == 0 {
			return fmt.Errorf("none")
		}
		return nil
	})
	return proxy, lively, done
}

func TestE2EFaultSIGTERMToProxyThatCollects(t *testing.T) {
	t.Parallel()
	proxy, lively, answer := stalledCollection(t)
	requireStops(t, proxy)
	require.NoError(t, <-answer, "who has asked gets a whole answer")
	awaitSaid(t, lively, 1, "lost the session with the proxy")
}

func TestE2EFaultSIGTERMToAgentInACollection(t *testing.T) {
	t.Parallel()
	proxy, lively, answer := stalledCollection(t)
	requireStops(t, lively)
	require.NoError(t, <-answer)
	require.NotContains(t, statuses(t, proxy), "n2")
}

// Connections that say nothing, half a handshake, and a stream without a first frame.
func TestE2EFaultSIGTERMToProxyThatIsConnectedTo(t *testing.T) {
	t.Parallel()
	proxy := startProxy(t)
	addr := proxy.addr("grpc")
	for _, begin := range []string{"", "PRI * HTTP/2.0\r\n"} {
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		defer c.Close()
		_, err = c.Write([]byte(begin))
		require.NoError(t, err)
	}
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream, err := wire.NewFODCServiceClient(conn).RegisterAgent(ctx)
	require.NoError(t, err)
	// The server has all three: it serves them in the order in which they came.
	agent := start(t, agentArgs(addr, "n1", "liaison", noEndpoint)...)
	awaitStatuses(t, proxy, "n1", "online")
	requireStops(t, proxy)
	_, err = stream.Recv()
	require.Error(t, err)
	requireStops(t, agent)
}

// The agents of a proxy that has just come back wait for their next attempt.
func TestE2EFaultSIGTERMToProxyThatIsWaitedFor(t *testing.T) {
	t.Parallel()
	addr := fixedPort(t)
	agent := start(t, agentArgs(addr, "n1", "liaison", noEndpoint, "--reconnect-interval", "1h")...)
	awaitSaid(t, agent, 1, "cannot register with the proxy")
	proxy := startProxyAt(t, addr)
	page(t, proxy.addr("http"), "/-/ready")
	requireStops(t, proxy)
	requireStops(t, agent)
}
