//go:build bench && linux

package incidentbench

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	_ "net/http/pprof" // the node's profiles
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"fodc/recorder/recordertest"

	"github.com/stretchr/testify/require"
)

const (
	nodeID = "n1"
	// pagesDir has the pages of a real node; walkingSeries come on top of them.
	pagesDir      = "../../testdata/banyandb"
	walkingSeries = 2_500
	// nodeGoroutines wait in the node; nodeAllocations are in its heap, from hundreds of places.
	nodeGoroutines  = 1_000
	nodeAllocations = 4_000
	allocationBytes = 16 << 10
	// depth is that of the stacks of both.
	depth = 12
	// logLines is more of a log than is captured.
	logLines = 20_000
)

// The node is this program again, told so by the environment: it has the address.
const nodeVariable = "FODC_BENCH_NODE"

func TestMain(m *testing.M) {
	if address := os.Getenv(nodeVariable); address != "" {
		fmt.Fprintln(os.Stderr, runNode(address))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// pages makes the pages of a node.
type pages struct {
	mu      sync.Mutex
	real    *recordertest.RepeatedNode
	walking *recordertest.WalkingNode
}

func newPages(t testing.TB) *pages {
	return &pages{real: recordertest.NewRepeatedNode(t, pagesDir), walking: recordertest.NewWalkingNode(walkingSeries)}
}

func (p *pages) next() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append(append([]byte(nil), p.real.Next()...), p.walking.Next()...)
}

// node is a process that the agents watch.
type node struct {
	t                           *testing.T
	pages                       *pages // of the past
	addr, dir, pidFile, logFile string
}

func (n *node) metrics() string { return "http://" + n.addr + "/metrics" }

func startNode(t *testing.T) *node {
	dir := t.TempDir()
	n := &node{t: t, pages: newPages(t), addr: freeAddress(t), dir: dir, pidFile: filepath.Join(dir, "node.pid"), logFile: filepath.Join(dir, "node.log")}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), nodeVariable+"="+n.addr)
	require.NoError(t, os.WriteFile(n.pidFile, []byte(strconv.Itoa(start(t, cmd))), 0o600))
	var log strings.Builder
	for i := range logLines {
		fmt.Fprintf(&log, `{"level":"info","module":"STORAGE.SW_METRIC.SEG-20260101","shard":%d,"part":"%016x","took":"%dms","time":"2026-01-01T12:00:00Z","message":"merged parts"}`+"\n",
			i%4, i*7919, i%300)
	}
	require.NoError(t, os.WriteFile(n.logFile, []byte(log.String()), 0o600))
	require.Eventually(t, func() bool {
		_, err := http.Get(n.metrics())
		return err == nil
	}, patience, 20*time.Millisecond, "the node does not come up")
	return n
}

// runNode runs the node until it is killed.
func runNode(address string) error {
	p := newPages(&testing.T{})
	http.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(p.next())
	})
	for i := range nodeGoroutines {
		go left(i, depth, func() { select {} })
	}
	kept := make([][]byte, nodeAllocations)
	for i := range kept {
		left(rand.Int(), depth, func() { kept[i] = make([]byte, allocationBytes) })
	}
	go func() {
		for range time.Tick(10 * time.Millisecond) { // Its profile of the processor has something in it.
			left(rand.Int(), depth, func() {
				for begin, n := time.Now(), 0; time.Since(begin) < time.Millisecond/2; n++ {
					kept[n%len(kept)][n%allocationBytes]++
				}
			})
		}
	}()
	return http.ListenAndServe(address, nil)
}

// left and right call do from as many places as there are ways of so many steps.
//
//go:noinline
func left(way, steps int, do func()) { step(way, steps, do) }

//go:noinline
func right(way, steps int, do func()) { step(way, steps, do) }

//go:noinline
func step(way, steps int, do func()) {
	switch {
	case steps == 0:
		do()
	case way&1 == 0:
		left(way>>1, steps-1, do)
	default:
		right(way>>1, steps-1, do)
	}
}
