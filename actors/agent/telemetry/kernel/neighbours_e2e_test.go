//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// What a neighbour does on the same disk and processors is not the node's: while the node rests, none of its numbers changes.
func TestE2ENoisyNeighbour(t *testing.T) {
	dir, disk := loopDisk(t)
	const size = 8 << 20
	file := filepath.Join(dir, "big")
	require.NoError(t, os.WriteFile(file, make([]byte, size), 0o600))
	unix.Sync() // What is not written yet stays in the page cache.
	tr := startTracer(t, dir)
	n, neighbour := startNode(t), startNode(t)
	require.NoError(t, tr.Follow(n.pid()))
	n.do(t, "sync fsync %s 5", filepath.Join(dir, "node"))
	before := n.rest(t, tr)
	require.Greater(t, len(before), 60)
	require.EqualValues(t, 5, before["fodc_node_process_sync_seconds_count"])
	all := samplesOf(t, tr)
	waited, _ := runQueue(t, neighbour.pid())

	makeNoise(t, neighbour, dir, file)
	require.Equal(t, before, n.rest(t, tr))
	later := samplesOf(t, tr)
	for _, name := range []string{"fodc_node_page_cache_pages_total,operation=added,by=kernel", "fodc_node_page_cache_pages_total,operation=removed,by=kernel"} {
		require.GreaterOrEqual(t, later[name]-all[name], float64(size/os.Getpagesize()), name) // These are of all others.
	}
	for _, operation := range []string{"read", "write", "flush"} {
		name := "fodc_kernel_disk_seconds_count,device=" + disk + ",operation=" + operation
		require.Greater(t, later[name], all[name], name) // This one is of the disk.
	}
	now, _ := runQueue(t, neighbour.pid())
	require.Greater(t, now, waited)

	require.NoError(t, neighbour.Process.Kill())
	_ = neighbour.Wait()
	require.Equal(t, before, n.rest(t, tr))
	n.goOn(t)
	n.tell(t, "exit 3")
	exit, told := nextEvent(t, tr, func(Event) bool { return true })
	require.Empty(t, told)
	require.Equal(t, Event{Kind: ProcessExit, PID: n.pid(), Comm: "exe", Code: 3, At: exit.At}, exit)
}

// makeNoise does what would be counted of the node.
func makeNoise(t *testing.T, n *testNode, dir, file string) {
	t.Helper()
	n.do(t, "drop %s", file)
	n.do(t, "read %s", file)
	n.do(t, "drop %s", file)
	n.do(t, "sync fsync %s 50", filepath.Join(dir, "noise"))
	n.do(t, "sync fdatasync %s 50", filepath.Join(dir, "noise"))
	n.do(t, "begin 50 5 %s", filepath.Join(dir, "noise"))
	n.do(t, "direct %s 200", file)
	n.do(t, "spin 200 6")
	n.do(t, "child sync fsync %s 20", filepath.Join(dir, "noise"))
	require.EqualValues(t, unix.SIGKILL, n.do(t, "shell kill -KILL $$"))
	require.EqualValues(t, unix.SIGTERM, n.do(t, "shell kill -TERM $$"))
}

// Two nodes of one host have an agent each. The scheduler itself says how long their threads could run and did not.
func TestE2ETwoNodesWithATracerEach(t *testing.T) {
	type node struct {
		*testNode
		tr     *Tracer
		before Histogram
		waited time.Duration
		times  uint64
	}
	var nodes [2]*node
	for i := range nodes {
		nodes[i] = &node{testNode: startNode(t), tr: startTracer(t)}
		require.NoError(t, nodes[i].tr.Follow(nodes[i].pid()))
	}
	for _, n := range nodes {
		n.rest(t, n.tr)
		n.before = countsOf(t, n.tr).Waits[1]
		n.waited, n.times = runQueue(t, n.pid())
		n.goOn(t)
	}
	file := filepath.Join(t.TempDir(), "file")
	for _, order := range [2][2]string{{"sync fsync " + file + "0 100", "sync fsync " + file + "1 150"}, {"spin 300 2", "spin 300 6"}} {
		for i, n := range nodes { // At the same time.
			n.tell(t, "%s", order[i])
		}
		for _, n := range nodes {
			n.answer(t)
		}
	}
	for i, n := range nodes {
		n.rest(t, n.tr)
		waited, times := runQueue(t, n.pid())
		c := countsOf(t, n.tr)
		require.EqualValues(t, 100+50*i, c.Sync.count(), "node %d", i)
		waits := c.Waits[1].since(n.before)
		require.Greater(t, times-n.times, uint64(100))
		within(t, float64(times-n.times), float64(waits.count()), 0.02, "waits for a processor")
		within(t, (waited - n.waited).Seconds(), float64(waits.Sum)/1e9, 0.08, "seconds of them")
		n.goOn(t)
	}
	for i, n := range nodes {
		n.tell(t, "exit %d", 3+i)
		_ = n.Wait()
	}
	for i, n := range nodes {
		exit, told := nextEvent(t, n.tr, func(Event) bool { return true })
		require.Empty(t, told)
		require.Equal(t, Event{Kind: ProcessExit, PID: n.pid(), Comm: "exe", Code: 3 + i, At: exit.At}, exit)
	}
}
