//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Places of waits.
const (
	onDisk = iota
	onProcessor
	onOther
)

// waitsOf returns what the node waited for while something was done.
func waitsOf(t *testing.T, tr *Tracer, do func()) (waits [3]Histogram) {
	t.Helper()
	before := countsOf(t, tr).Waits
	do()
	after := countsOf(t, tr).Waits
	for i := range waits {
		waits[i] = after[i].since(before[i])
		t.Logf("%s: %d waits, %.6g s", waitNames[i], waits[i].count(), float64(waits[i].Sum)/1e9)
	}
	return waits
}

func TestE2EWaitsForDisk(t *testing.T) {
	dir, _ := loopDisk(t)
	const reads = 2000
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, make([]byte, 32<<20), 0o600))
	syncDisk(t, dir)
	tr := startTracer(t, dir)
	n := startNode(t)
	require.NoError(t, tr.Follow(n.pid()))
	var slept int64
	waits := waitsOf(t, tr, func() { slept = n.do(t, "cold %s %d", file, reads) })
	within(t, reads, float64(waits[onDisk].count()), 0.05, "reads")
	within(t, float64(slept)/1e9, float64(waits[onDisk].Sum)/1e9, 0.35, "seconds") // Of a short wait the way to it is a part.
	require.Zero(t, waits[onOther].count())
}

// states returns the states of the threads of a process: R, S, D, T.
func states(t *testing.T, pid int) (of string) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	require.NoError(t, err)
	for _, task := range tasks {
		text := readFile(t, task)
		of += string(text[strings.LastIndex(text, ")")+2])
	}
	return of
}

// Beside the node there are two processes that use processors as much as they can.
func TestE2EWaitsForProcessor(t *testing.T) {
	tr := startTracer(t)
	n, others := startNode(t), []*testNode{startNode(t), startNode(t)}
	require.NoError(t, tr.Follow(n.pid()))
	n.rest(t, tr) // So that no thread waits for a processor.
	waited, turns := runQueue(t, n.pid())
	waits := waitsOf(t, tr, func() {
		for _, o := range others {
			o.tell(t, "spin 1500 1")
		}
		n.goOn(t)
		n.do(t, "threads 50") // Each first waits for a processor, too.
		n.do(t, "spin 1500 4")
		n.rest(t, tr)
	})
	waitedThen, turnsThen := runQueue(t, n.pid())
	within(t, (waitedThen - waited).Seconds(), float64(waits[onProcessor].Sum)/1e9, 0.1, "seconds")
	within(t, float64(turnsThen-turns), float64(waits[onProcessor].count()), 0.02, "turns")
	require.Zero(t, waits[onDisk].count())
}

// A control group lets the node use a twentieth of a processor. The thread that computes waits for the rest of the time.
func TestE2EWaitsForQuota(t *testing.T) {
	const span = 1500 * time.Millisecond
	tr := startTracer(t)
	g := newControlGroup(t, "cpu")
	g.set(t, "", "cpu.max", "5000 100000")
	g.set(t, "cpu.cfs_period_us", "", "100000")
	g.set(t, "cpu.cfs_quota_us", "", "5000")
	n := startNode(t)
	require.NoError(t, tr.Follow(n.pid()))
	n.rest(t, tr)
	used := processorTime(t, n.pid())
	g.take(t, n)
	waits := waitsOf(t, tr, func() {
		n.goOn(t)
		n.do(t, "spin %d 1", span.Milliseconds())
		n.rest(t, tr)
	})
	waited := span - (processorTime(t, n.pid()) - used)
	throttled := g.number(t, "cpu.stat", "cpu.stat", "nr_throttled")
	var long uint64 // More than 33 ms. The runtime's own threads wait for the next period, too.
	for _, times := range waits[onProcessor].Slots[16:] {
		long += times
	}
	t.Logf("throttled %d times, waited %v, of the waits %d were long", throttled, waited, long)
	require.Greater(t, throttled, 5)
	require.GreaterOrEqual(t, long, uint64(throttled)*4/5)
	require.Greater(t, float64(waits[onProcessor].Sum), 0.9*float64(waited))
}

// processorTime returns how long the threads of a process have run.
func processorTime(t *testing.T, pid int) (ran time.Duration) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	require.NoError(t, err)
	for _, task := range tasks {
		ran += time.Duration(numberOf(strings.Fields(readFile(t, task))[0]))
	}
	return ran
}

// freeze lets nobody write to a file system until the returned function is called.
func freeze(t *testing.T, dir string) (thaw func()) {
	t.Helper()
	const fifreeze, fithaw = 0xc0045877, 0xc0045878
	f, err := os.Open(dir)
	require.NoError(t, err)
	_, err = unix.IoctlRetInt(int(f.Fd()), fifreeze)
	require.NoError(t, err)
	frozen := true
	thaw = func() {
		if frozen {
			_, err := unix.IoctlRetInt(int(f.Fd()), fithaw)
			require.NoError(t, err)
			require.NoError(t, f.Close())
		}
		frozen = false
	}
	t.Cleanup(thaw)
	return thaw
}

// A write to a file system that is frozen waits for a lock of the kernel.
func TestE2EWaitsForOther(t *testing.T) {
	dir, _ := loopDisk(t)
	const writes, span = 5, 30 * time.Millisecond
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, make([]byte, 4096), 0o600))
	tr := startTracer(t, dir)
	n := startNode(t)
	require.NoError(t, tr.Follow(n.pid()))
	var slept int64
	waits := waitsOf(t, tr, func() {
		for range writes {
			thaw := freeze(t, dir)
			n.tell(t, "write %s", file)
			require.Eventually(t, func() bool { return strings.Contains(states(t, n.pid()), "D") }, patience, time.Millisecond)
			<-time.After(span)
			thaw()
			slept += n.answer(t)
		}
	})
	require.EqualValues(t, writes, waits[onOther].count())
	require.Greater(t, time.Duration(waits[onOther].Sum), writes*span)
	within(t, float64(slept)/1e9, float64(waits[onOther].Sum)/1e9, 0.1, "seconds")
	require.Zero(t, waits[onDisk].count())
}

// A thread that waits for work waits for nothing that is counted.
func TestE2EIdleIsNoWait(t *testing.T) {
	tr := startTracer(t)
	n := startNode(t)
	n.do(t, "idle 3")
	require.NoError(t, tr.Follow(n.pid()))
	waits := waitsOf(t, tr, func() { n.do(t, "idle 300") })
	require.Zero(t, waits[onDisk].count())
	require.Zero(t, waits[onOther].count())
	require.Positive(t, waits[onProcessor].count())
}
