//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// All counters go on over a restart of the node. The new process is measured from when it is followed.
func TestE2ERestartedNode(t *testing.T) {
	tr := startTracer(t)
	file := filepath.Join(t.TempDir(), "file")
	last := map[string]float64{}
	syncs := func(want int) {
		t.Helper()
		now := samplesOf(t, tr)
		require.EqualValues(t, want, now["fodc_node_process_sync_seconds_count"])
		for name, value := range last {
			require.Contains(t, now, name)
			require.GreaterOrEqual(t, now[name], value, name)
		}
		last = now
	}
	nodes := []*testNode{startNode(t)}
	require.NoError(t, tr.Follow(nodes[0].pid()))
	for i := range 4 {
		n := nodes[i]
		n.do(t, "sync fsync %s 20", file)
		n.do(t, "spin 20 4")
		syncs(20 * (i + 1))
		next := startNode(t)
		nodes = append(nodes, next)
		require.NoError(t, unix.Kill(n.pid(), unix.SIGKILL))
		_ = n.Wait()
		exit, _ := nextEvent(t, tr, func(e Event) bool { return e.Kind == ProcessExit })
		require.Equal(t, n.pid(), exit.PID)
		require.Equal(t, 9, exit.Signal)

		next.do(t, "sync fsync %s 30", file)
		syncs(20 * (i + 1)) // It is not the node yet.
		require.NoError(t, tr.Follow(next.pid()))
		require.NoError(t, tr.Follow(next.pid())) // The same one again.
		syncs(20 * (i + 1))
	}
	require.Greater(t, last["fodc_node_process_wait_seconds_count,resource=processor"], 0.0)

	// The last one is followed no more, though it goes on: only the other is.
	old, n := nodes[4], startNode(t)
	old.do(t, "hold 20 %s", file)
	require.NoError(t, tr.Follow(n.pid()))
	old.do(t, "release")
	old.do(t, "sync fsync %s 20", file)
	old.tell(t, "exit 4")
	_ = old.Wait()
	syncs(80)
	n.do(t, "sync fsync %s 20", file)
	syncs(100)
	n.tell(t, "exit 5")
	exit, told := nextEvent(t, tr, func(Event) bool { return true })
	require.Empty(t, told)
	require.Equal(t, Event{Kind: ProcessExit, PID: n.pid(), Comm: "exe", Code: 5, At: exit.At}, exit)
}
