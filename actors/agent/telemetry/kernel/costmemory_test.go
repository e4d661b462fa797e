//go:build bench && linux && (amd64 || arm64)

package kernel

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// agentRuns is how often an agent is measured with each setting. Their order changes.
	agentRuns = 3
	// agentTime is how long each one runs, scraping each second.
	agentTime = 60 * time.Second
	// pageInterval is how often its page is read, as by a Prometheus.
	pageInterval = 15 * time.Second
)

// TestBenchKernelMemory says how much more memory an agent takes with kernel telemetry than without.
func TestBenchKernelMemory(t *testing.T) {
	binary := os.Getenv("FODC_BENCH_BINARY")
	if binary == "" {
		t.Skip("FODC_BENCH_BINARY names no fodc")
	}
	node := startLoad(t, "switches")
	pidFile := filepath.Join(t.TempDir(), "node.pid")
	require.NoError(t, os.WriteFile(pidFile, fmt.Append(nil, node.Process.Pid), 0o600))
	taken := map[string][]float64{}
	for run := range agentRuns {
		settings := []string{"off", "required"}
		if run%2 == 1 {
			settings[0], settings[1] = settings[1], settings[0]
		}
		for _, setting := range settings {
			taken[setting] = append(taken[setting], agentMemory(t, binary, pidFile, setting))
		}
	}
	off, on := mean(taken["off"]), mean(taken["required"])
	t.Logf("resident and unshared memory of an agent after %s: %.1f MiB without, %.1f MiB with kernel telemetry: %+.1f MiB (each: %.1f, %.1f)",
		agentTime, off, on, on-off, taken["off"], taken["required"])
}

func mean(of []float64) (m float64) {
	for _, v := range of {
		m += v / float64(len(of))
	}
	return m
}

// agentMemory runs an agent, and returns the memory that is its alone, in MiB.
func agentMemory(t *testing.T, binary, pidFile, setting string) float64 {
	t.Helper()
	const addr = "127.0.0.1:27931"
	log := &strings.Builder{}
	agent := exec.Command(binary, "agent", "--proxy-addr", "127.0.0.1:1", "--node-id", "n", "--node-role", "datanode", "--metrics-endpoint", "http://127.0.0.1:1/metrics",
		"--poll-metrics-interval", "1s", "--prometheus-listen-addr", addr, "--node-pid-file", pidFile, "--data-dir", "/var", "--kernel-telemetry", setting)
	agent.Dir, agent.Stderr = t.TempDir(), log
	require.NoError(t, agent.Start())
	defer func() { _ = agent.Process.Kill(); _ = agent.Wait() }()
	for end := time.Now().Add(agentTime); time.Now().Before(end); <-time.After(pageInterval) {
		if resp, err := http.Get("http://" + addr + "/metrics"); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", agent.Process.Pid))
	require.NoError(t, err, "%s", log)
	var kib float64
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.HasPrefix(name, "Private_") {
			var n float64
			_, _ = fmt.Sscan(value, &n)
			kib += n
		}
	}
	return kib / 1024
}
