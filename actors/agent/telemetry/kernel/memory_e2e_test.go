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

// starve has a process take more memory than its control group may have, and returns the group.
func starve(t *testing.T, n *testNode, eaters int) controlGroup {
	t.Helper()
	g := memoryGroup(t, 32<<20)
	g.take(t, n)
	n.tell(t, "eat %d %d", 128<<20, eaters)
	_ = n.Wait()
	require.Equal(t, 1, g.number(t, "memory.oom_control", "memory.events", "oom_kill"))
	return g
}

func TestE2EMemoryKill(t *testing.T) {
	tr := startTracer(t)
	for name, eaters := range map[string]int{"OfTheNode": 1, "OfTheNodeByManyThreads": 16} {
		t.Run(name, func(t *testing.T) {
			n := startNode(t)
			require.NoError(t, tr.Follow(n.pid()))
			from := time.Now()
			starve(t, n, eaters)
			to := time.Now()
			exit, before := nextEvent(t, tr, func(e Event) bool { return e.Kind == ProcessExit })
			checkEvent(t, n, Event{Signal: 9}, exit, ProcessExit, from, to)
			told := map[EventKind]int{}
			for _, e := range before {
				if e.PID != n.pid() {
					continue // another process of the machine
				}
				told[e.Kind]++
				want := Event{Victim: VictimNode}
				if e.Kind == ProcessSignal {
					want = Event{Signal: 9, Sender: SenderKernel}
				}
				checkEvent(t, n, want, e, e.Kind, from, to)
			}
			require.Equal(t, map[EventKind]int{ProcessSignal: 1, MemoryKill: 1}, told)
		})
	}
	t.Run("OfAnother", func(t *testing.T) {
		n, other := startNode(t), startNode(t)
		require.NoError(t, tr.Follow(n.pid()))
		from := time.Now()
		starve(t, other, 1)
		to := time.Now()
		kill, before := nextEvent(t, tr, func(e Event) bool { return e.PID == other.pid() })
		checkEvent(t, other, Event{Victim: VictimOther}, kill, MemoryKill, from, to)
		n.tell(t, "exit 7")
		exit, after := nextEvent(t, tr, func(e Event) bool { return e.PID == n.pid() })
		require.Equal(t, ProcessExit, exit.Kind)
		require.Equal(t, 7, exit.Code)
		for _, e := range append(before, after...) {
			require.NotEqual(t, other.pid(), e.PID, "%+v", e)
			require.Equal(t, VictimOther, e.Victim, "%+v", e)
		}
	})
	require.Zero(t, countsOf(t, tr).Lost)
}

// residentPages counts the pages of a file that are in the page cache.
func residentPages(t *testing.T, file string) (n int) {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	of, err := f.Stat()
	require.NoError(t, err)
	space, err := unix.Mmap(int(f.Fd()), 0, int(of.Size()), unix.PROT_READ, unix.MAP_SHARED)
	require.NoError(t, err)
	defer func() { require.NoError(t, unix.Munmap(space)) }()
	pages, err := incore(space)
	require.NoError(t, err)
	for _, in := range pages {
		n += int(in & 1)
	}
	return n
}

// The node reads a file that is far larger than the memory that it may have.
func TestE2EReclaim(t *testing.T) {
	dir, _ := loopDisk(t)
	const size = 128 << 20
	pages := size / os.Getpagesize()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, make([]byte, size), 0o600))
	tr := startTracer(t, dir)
	g := memoryGroup(t, 32<<20)
	n := startNode(t)
	g.take(t, n)
	require.NoError(t, tr.Follow(n.pid()))
	syncDisk(t, dir)
	n.do(t, "drop %s", file)
	require.Zero(t, residentPages(t, file))
	before, limited := countsOf(t, tr), g.number(t, "memory.failcnt", "memory.events", "max")
	require.EqualValues(t, size, n.do(t, "read %s", file))
	c := countsOf(t, tr)
	limited = g.number(t, "memory.failcnt", "memory.events", "max") - limited
	resident := residentPages(t, file)

	reclaims := c.Reclaim[1].since(before.Reclaim[1])
	t.Logf("limited %d times, reclaims %d, pages %d, still there %d, counted %v", limited, reclaims.count(), pages, resident, c.Pages)
	require.Positive(t, limited)
	require.InDelta(t, limited, float64(reclaims.count()), 3+0.05*float64(limited))
	require.Positive(t, reclaims.Sum)
	require.Greater(t, pages-resident, pages/2)
	require.InDelta(t, pages, float64(c.Pages[0]-before.Pages[0]), 8, "added by the node")
	require.Equal(t, before.Pages[2], c.Pages[2], "removed by the node")
	within(t, float64(pages-resident), float64(c.Pages[3]-before.Pages[3]), 0.01, "pages removed by the kernel")
}
