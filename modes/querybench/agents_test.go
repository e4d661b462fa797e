//go:build bench && linux

package querybench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fodc/actors"
	"fodc/actors/agent"
	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
	"fodc/recorder/journal/diskfs"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// The agents are this program again, told so by the environment.
const agentsVariable = "FODC_BENCH_AGENTS" // the proxy's address and the directory, a comma between

const (
	agents = 100
	// late is how late everything comes to the first agent, far to all of them.
	late = 500 * time.Millisecond
	far  = 20 * time.Millisecond
	// These make it begin and end.
	toggleLate = syscall.SIGUSR1
	toggleFar  = syscall.SIGUSR2
)

func TestMain(m *testing.M) {
	if with := os.Getenv(agentsVariable); with != "" {
		address, dir, _ := strings.Cut(with, ",")
		fmt.Fprintln(os.Stderr, runAgents(address, dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func nodeID(i int) string { return fmt.Sprintf("bench-%05d", i) }

const endpoint = "http://127.0.0.1:2121/metrics"

// runAgents runs them until it is killed.
func runAgents(address, dir string) error {
	if err := writePasts(dir); err != nil {
		return err
	}
	var lateness, distance atomic.Int64
	for i := range agents {
		delay := func() time.Duration { return time.Duration(distance.Load()) }
		if i == 0 {
			delay = func() time.Duration { return time.Duration(max(distance.Load(), lateness.Load())) }
		}
		startAgent(address, fmt.Sprintf("%s/%d", dir, i), i, delay)
	}
	toggles := make(chan os.Signal, 1)
	signal.Notify(toggles, toggleLate, toggleFar)
	for which := range toggles {
		if which == toggleLate {
			lateness.Store(int64(late) - lateness.Load())
		} else {
			distance.Store(int64(far) - distance.Load())
		}
	}
	return nil
}

// writePasts writes the journals of all agents, half of them at the same time as the others.
func writePasts(dir string) error {
	failures := make(chan error, 2)
	half := func(from int) {
		var b []byte
		for i := from; i < agents; i += 2 {
			if err := writePast(fmt.Sprintf("%s/%d", dir, i), nodeID(i), recorder.Target{Name: endpoint}, past, func(n int) []byte {
				b = nodePage(b, i, n)
				return b
			}); err != nil {
				failures <- err
				return
			}
		}
		failures <- nil
	}
	go half(0)
	go half(1)
	return errors.Join(<-failures, <-failures)
}

func startAgent(address, dir string, i int, delay func() time.Duration) {
	var mu sync.Mutex
	n := int(past / interval)
	locked := func() error { return nil } // Nobody else knows of the directory.
	cfg := agent.Config{
		Registration: messages.Registration{NodeID: nodeID(i), Role: "ROLE_DATA", PodName: nodeID(i), Labels: map[string]string{"type": "hot"}},
		ProxyAddrs:   []string{address}, Targets: []agent.Target{{URL: endpoint}}, ScrapeInterval: interval,
		HeartbeatInterval: 10 * time.Second, ReconnectInterval: time.Second, MemoryBudget: 64 << 20, Version: "bench",
		Process: func() []recorder.Sample { return nil }, Load: func() float64 { return 0 },
		Dial: func(ctx context.Context, address string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
			if err != nil {
				return nil, err
			}
			return newLateConn(c, delay), nil
		},
		Fetch: func(context.Context, string) ([]byte, string, error) {
			mu.Lock()
			defer mu.Unlock()
			n++
			return nodePage(nil, i, n), "text/plain; version=0.0.4", nil
		},
		Journal: &agent.JournalConfig{Dir: dir, FS: diskfs.New(dir + "/journal"), Lock: locked, Unlock: locked,
			Config: journal.Config{RetentionTime: 72 * time.Hour, RetentionBytes: 512 << 20, SyncInterval: 10 * time.Second, MinFree: .01}},
	}
	agent.Start(actors.NewSystem(zap.NewNop()), cfg)
}

// startAgents starts them, and waits until the proxy has what they recorded before.
func startAgents(t *testing.T, p proxy) *process {
	cmd := exec.Command(os.Args[0])
	// What an agent has alone takes milliseconds to be collected; here a hundred have one heap.
	cmd.Env = append(os.Environ(), agentsVariable+"="+p.grpc+","+t.TempDir(), "GOGC=1000")
	all := start(t, "", "", cmd)
	require.Eventually(t, func() bool {
		body, _ := p.get("/cluster")
		var cluster struct {
			Nodes []struct {
				Status string `json:"status"`
			} `json:"nodes"`
		}
		require.NoError(t, json.Unmarshal(body, &cluster))
		online := 0
		for _, n := range cluster.Nodes {
			if n.Status == "online" {
				online++
			}
		}
		return online == agents
	}, patience, 50*time.Millisecond, "not all agents come")
	// strict is an error while one of them reads back what it recorded before.
	window := fmt.Sprintf("/metrics-windows?strict=1&name[]=%s&start_time=%d", oneSeries, time.Now().Add(-past+time.Minute).Unix())
	require.Eventually(t, func() bool { return p.isThere(window) }, patience, 50*time.Millisecond, "agents do not recover")
	require.Eventually(t, func() bool { // the first scrapes of their own
		body, _ := p.get("/metrics?name[]=" + oneSeries)
		return strings.Count(string(body), "\n"+oneSeries+"{") == agents
	}, patience, 50*time.Millisecond, "agents do not scrape")
	return all
}

func seconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
