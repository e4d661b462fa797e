//go:build bench && linux

package proxybench

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// starts is of how many starts a median is.
const starts = 7

// How soon a proxy serves, and an agent's node is on its page, from when their processes
// were started.
func TestBenchProxyStart(t *testing.T) {
	skipUnless(t, "start")
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "# TYPE bench_node_up gauge\nbench_node_up 1\n")
	}))
	defer node.Close()
	var proxies, agents []float64
	for range starts {
		begin := time.Now()
		p := startProxy(t)
		proxies = append(proxies, milliseconds(time.Since(begin)))
		agents = append(agents, milliseconds(agentStart(t, p, node.URL)))
		p.stop()
	}
	fmt.Printf("\nmedians of %d starts\n  proxy, until /health is 200: %.0f ms\n  agent, until its first scrape is on the proxy's page: %.0f ms\n",
		starts, median(proxies), median(agents))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// agentStart starts an agent, and returns how long it took until what its node says was
// on the proxy's page.
func agentStart(t *testing.T, to *process, endpoint string) time.Duration {
	begin := time.Now()
	agent := exec.Command(os.Getenv(binaryVariable), "agent", "--proxy-addr", to.grpcAddr, "--node-id", "bench-0", "--node-role", "datanode-hot",
		"--metrics-endpoint", endpoint, "--prometheus-listen-addr", "127.0.0.1:0", "--log-level", "error")
	agent.Stderr = os.Stderr
	require.NoError(t, agent.Start())
	defer func() {
		_ = agent.Process.Kill()
		_ = agent.Wait()
	}()
	require.Eventually(t, func() bool {
		status, page := to.get("/metrics")
		return status == http.StatusOK && strings.Contains(page, "\nbench_node_up{")
	}, patience, time.Millisecond)
	return time.Since(begin)
}
