//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Threads that were there, and those that begin later, however short, are all measured: each syncs once.
func TestE2EThreadsThatComeAndGo(t *testing.T) {
	tr := startTracer(t)
	n := startNode(t)
	file := filepath.Join(t.TempDir(), "file")
	n.do(t, "hold 100 %s", file)
	require.NoError(t, tr.Follow(n.pid()))
	n.do(t, "hold 100 %s", file)
	require.Zero(t, countsOf(t, tr).Sync.count())
	n.do(t, "release")
	require.EqualValues(t, 200, countsOf(t, tr).Sync.count())
	want := uint64(200)
	for _, atOnce := range []int{1, 8, 50} {
		const all = 1000
		threads := n.do(t, "begin %d %d %s", all, atOnce, file)
		require.EqualValues(t, all, threads)
		want += all
		require.Equal(t, want, countsOf(t, tr).Sync.count(), "%d at once", atOnce)
	}
}

func TestE2EChildrenAreNotTheNode(t *testing.T) {
	tr := startTracer(t)
	n := startNode(t)
	require.NoError(t, tr.Follow(n.pid()))
	file := filepath.Join(t.TempDir(), "file")
	n.do(t, "child sync fsync %s 20", file)
	n.do(t, "child begin 20 5 %s", file)
	require.Zero(t, countsOf(t, tr).Sync.count())
	n.do(t, "sync fsync %s 20", file)
	require.EqualValues(t, 20, countsOf(t, tr).Sync.count())

	for _, signal := range []unix.Signal{unix.SIGKILL, unix.SIGTERM, unix.SIGSEGV} {
		require.EqualValues(t, signal, n.do(t, "shell kill -%d $$", signal))
	}
	n.tell(t, "exit 3")
	e, before := nextEvent(t, tr, func(Event) bool { return true })
	require.Empty(t, before)
	require.Equal(t, Event{Kind: ProcessExit, PID: n.pid(), Comm: "exe", Code: 3, At: e.At}, e)
}

// The kernel makes a thread that execs the first one of the process.
func TestE2EExecOfAThread(t *testing.T) {
	tr := startTracer(t)
	n := startNode(t)
	n.do(t, "threads 10")
	require.NoError(t, tr.Follow(n.pid()))
	file := filepath.Join(t.TempDir(), "file")
	n.do(t, "sync fsync %s 10", file)
	for i := range 5 {
		require.EqualValues(t, n.pid(), n.do(t, "exec"))
		n.do(t, "sync fdatasync %s 10", file)
		n.do(t, "begin 20 4 %s", file)
		require.EqualValues(t, 10+30*(i+1), countsOf(t, tr).Sync.count())
	}
	require.NoError(t, n.Process.Kill())
	_ = n.Wait()
	exit, before := nextEvent(t, tr, func(e Event) bool { return e.Kind == ProcessExit })
	require.Equal(t, n.pid(), exit.PID)
	require.Equal(t, 9, exit.Signal)
	require.Len(t, before, 1)
	require.Equal(t, n.pid(), before[0].PID)
	require.Equal(t, unix.Getpid(), before[0].SenderPID)
}
