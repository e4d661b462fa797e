//go:build e2e && linux

package modes_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pressedNode is this process as a node: its memory is real, its limit is what its page says, and so
// are its profiles.
type pressedNode struct {
	*httptest.Server
	limit  atomic.Int64 // bytes
	broken atomic.Bool  // profiles are cut short
}

func startPressedNode(t *testing.T) *pressedNode {
	n := &pressedNode{}
	n.limit.Store(1 << 50)
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = fmt.Fprintf(w, "# TYPE banyandb_memory_protector_cgroup_limit_bytes gauge\nbanyandb_memory_protector_cgroup_limit_bytes %d\n", n.limit.Load())
	})
	mux.HandleFunc("/debug/pprof/", func(w http.ResponseWriter, r *http.Request) {
		if n.broken.Load() {
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff})
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		pprof.Index(w, r)
	})
	n.Server = httptest.NewServer(mux)
	t.Cleanup(n.Close)
	return n
}

func (n *pressedNode) port(t *testing.T) string {
	u, err := url.Parse(n.URL)
	require.NoError(t, err)
	return u.Port()
}

type listedProfile struct {
	PodName   string `json:"pod_name"`
	ProfileID string `json:"profile_id"`
	RSS       uint64 `json:"rss_bytes"`
	Limit     uint64 `json:"cgroup_limit_bytes"`
	Threshold uint64 `json:"threshold_bytes"`
	Profiles  []struct {
		Type, Filename, Filepath string
		Size                     int64 `json:"size_bytes"`
	}
}

// listed returns what the proxy lists, the oldest first.
func listed(t *testing.T, proxy *process) []listedProfile {
	t.Helper()
	var all []listedProfile
	require.NoError(t, json.Unmarshal([]byte(page(t, proxy.addr("http"), "/pressure-profiles")), &all))
	slices.SortFunc(all, func(a, b listedProfile) int { return strings.Compare(a.ProfileID, b.ProfileID) })
	return all
}

// A node that runs short of memory has its profiles captured, and the proxy gives them to whoever asks,
// also after the agent was killed. The first one stays.
func TestE2EProfilesUnderPressure(t *testing.T) {
	t.Parallel()
	node, proxy, dir := startPressedNode(t), startProxy(t), t.TempDir()
	args := agentArgs(proxy.addr("grpc"), "n1", "data", node.URL+"/metrics", "--storage-dir", dir, "--pod-name", "pod-1",
		"--pressure-profiler-pprof-port", node.port(t), "--pressure-profiler-cooldown", "1s", "--pressure-profiler-max-artifacts", "3")
	agent := start(t, args...)
	metrics := func(name string) error {
		body := page(t, agent.addr("agent"), "/metrics")
		if !strings.Contains(body, name) {
			return fmt.Errorf("no %s", name)
		}
		return nil
	}
	eventually(t, "the memory is known", func() error { return metrics("\nfodc_agent_pressure_memory_known 1\n") })
	require.Empty(t, listed(t, proxy))

	node.broken.Store(true)
	node.limit.Store(10 << 20)
	eventually(t, "a capture that fails", func() error {
		if body := page(t, agent.addr("agent"), "/metrics"); strings.Contains(body, `captures_total{result="failed"} 0`) {
			return fmt.Errorf("none yet")
		}
		return nil
	})
	require.Empty(t, listed(t, proxy))
	require.Contains(t, agent.log(), "the answer was cut short after ")

	node.broken.Store(false)
	eventually(t, "captures up to the limit", func() error {
		if all := listed(t, proxy); len(all) < 3 {
			return fmt.Errorf("%d are listed", len(all))
		}
		return nil
	})
	first := listed(t, proxy)[0]
	require.Equal(t, "pod-1", first.PodName)
	require.EqualValues(t, 10<<20, first.Limit)
	require.EqualValues(t, 10<<20*75/100, first.Threshold)
	require.Greater(t, first.RSS, first.Threshold)
	require.Len(t, first.Profiles, 2)
	for _, p := range first.Profiles {
		want, err := os.ReadFile(p.Filepath)
		require.NoError(t, err)
		require.EqualValues(t, len(want), p.Size)
		got := page(t, proxy.addr("http"), "/pressure-profiles/pod-1/"+first.ProfileID+"/"+p.Type)
		require.True(t, got == string(want), "%s: %d bytes of %d", p.Type, len(got), len(want))
		z, err := gzip.NewReader(bytes.NewReader(want))
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, z)
		require.NoError(t, err)
	}
	eventually(t, "one is evicted", func() error { return metrics("fodc_agent_pressure_evicted_artifacts_total 1\n") })
	all := listed(t, proxy)
	require.Len(t, all, 3)
	require.Equal(t, first, all[0])

	agent.kill(syscall.SIGKILL)
	<-agent.exited
	node.limit.Store(1 << 50)
	half := filepath.Join(dir, "pressure-profiles", ".half-"+first.ProfileID)
	require.NoError(t, os.MkdirAll(half, 0o750))
	agent = start(t, args...)
	eventually(t, "the list after a kill", func() error {
		status, body, _, err := get(proxy.addr("http"), "/pressure-profiles")
		if err != nil || status != http.StatusOK || !strings.Contains(body, first.ProfileID) {
			return fmt.Errorf("%d %s %v", status, body, err)
		}
		return nil
	})
	require.Len(t, listed(t, proxy), 3)
	eventually(t, "what was half-written is gone", func() error {
		if _, err := os.Stat(half); !os.IsNotExist(err) {
			return fmt.Errorf("%v", err)
		}
		return nil
	})
	code, took := stopped(agent)
	require.Zero(t, code)
	require.Less(t, took, 2*time.Second)
}

func stopped(p *process) (int, time.Duration) {
	p.kill(syscall.SIGTERM)
	return p.exitCode(patience)
}

// Without a directory for them, and without a node, nothing is captured, and little is said of it.
func TestE2ENoProfilesWithoutADirectory(t *testing.T) {
	t.Parallel()
	proxy := startProxy(t)
	node := startPressedNode(t)
	agent := startAgent(t, proxy, "n1", "data", node.URL+"/metrics", "--pressure-profiler-pprof-port", node.port(t))
	eventually(t, "scrapes", func() error {
		if !strings.Contains(page(t, agent.addr("agent"), "/metrics"), "fodc_agent_build_info") {
			return fmt.Errorf("none")
		}
		return nil
	})
	require.NotContains(t, page(t, agent.addr("agent"), "/metrics"), "fodc_agent_pressure")
	require.Equal(t, 1, strings.Count(agent.log(), "no profiles are captured when the node runs short of memory"))
	require.Empty(t, listed(t, proxy))
}
