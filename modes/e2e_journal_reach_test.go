//go:build e2e && linux

package modes_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const (
	// What a window of an hour from two days ago may cost the agent.
	reachCPU = time.Second
	reachMB  = 20.0
	// reachBytes is the limit of the journal. It holds more than two days, and less than what is
	// recorded.
	reachBytes = 128 << 20
)

// processCPU is the processor time that a process has used.
func processCPU(t *testing.T, p *process) time.Duration {
	const clockOfProcess = 2 // CPUCLOCK_SCHED, of linux/posix-timers.h
	var now unix.Timespec
	require.NoError(t, unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|clockOfProcess), &now))
	return time.Duration(now.Nano())
}

// memoryMB returns a size of /proc/PID/status in MB, such as RssAnon.
func memoryMB(t *testing.T, p *process, name string) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	require.NoError(t, err)
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name+":" {
			kib, err := strconv.Atoi(f[1])
			require.NoError(t, err)
			return float64(kib) * 1024 / 1e6
		}
	}
	require.Fail(t, "no "+name)
	return 0
}

// TestE2EJournalReachesBackTwoDays: a journal of 3,000 series that is always within its limit of size
// answers an hour from two days ago without much time or memory.
func TestE2EJournalReachesBackTwoDays(t *testing.T) {
	proxy, node, dir := startProxy(t, "--collect-timeout", "50s", "--http-write-timeout", "60s"), startCountedNode(t, 10), t.TempDir()
	const scrapes = 80 * 360
	days := past{target: node.endpoint(), series: 3_000, every: 10 * time.Second, scrapes: scrapes,
		from: time.Now().Add(-(scrapes + 3) * 10 * time.Second).Truncate(time.Millisecond)}
	limits := pastLimits
	limits.RetentionBytes = reachBytes
	most := int64(0)
	writePast(t, dir, "n1", limits, days, func(scrape int) {
		if scrape%7 > 0 { // Reading the directory each time would take longer than writing.
			return
		}
		size := bytesIn(t, dir)
		require.LessOrEqual(t, size, limits.RetentionBytes)
		most = max(most, size)
	})
	agent := startAgent(t, proxy, "n1", "liaison", node.endpoint(), "--storage-dir", dir, "--storage-retention-size", strconv.Itoa(reachBytes)+"B")
	awaitStatuses(t, proxy, "n1", "online")
	h := awaitJournal(t, agent, "writing")
	from := time.Now().Add(-48 * time.Hour)
	query := between(from, from.Add(time.Hour))
	body := wholeWindow(t, proxy, query+"&name[]="+pastFamily(0)) // the recovery is over
	require.Equal(t, 360*pastPerFamily, strings.Count(body, "\npast_"))

	peak := make(chan float64)
	done := make(chan struct{})
	go func() {
		most := 0.0
		for tick := time.NewTicker(5 * time.Millisecond); ; {
			select {
			case <-tick.C:
				most = max(most, memoryMB(t, agent, "RssAnon"))
			case <-done:
				tick.Stop()
				peak <- most
				return
			}
		}
	}()
	memory, cpu, began := memoryMB(t, agent, "RssAnon"), processCPU(t, agent), time.Now()
	body = wholeWindow(t, proxy, query)
	took, used := time.Since(began), processCPU(t, agent)-cpu
	close(done)
	more := <-peak - memory
	days.requireWindow(t, body, from, from.Add(time.Hour))
	t.Logf("80 h of 3,000 series, of which a limit of %d MiB keeps %s in %d segments of %.1f MiB together at most; recovered in %.3f s; one hour from two days ago, %.0f MB of text: %s, of which the agent has used %s; its %.1f MB of anonymous memory grew by %.1f MB at most",
		reachBytes>>20, time.Since(h.Oldest).Round(time.Minute), len(segmentsIn(t, dir)), float64(most)/(1<<20), h.RecoverySeconds, float64(len(body))/1e6, took.Round(time.Millisecond), used.Round(time.Millisecond), memory, more)
	require.Less(t, used, reachCPU)
	require.Less(t, more, reachMB)
}
