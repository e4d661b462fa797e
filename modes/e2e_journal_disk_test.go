//go:build e2e && linux

package modes_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// faultInterval is the interval of the scrapes. Their timeout, nine tenths of it, is long
	// enough for a busy machine.
	faultInterval = 200 * time.Millisecond
	// faultScrapes is how many scrapes a fault lasts at least.
	faultScrapes = 15
	// maxLateness is by how much a scrape may be late on a machine that is not busy. Three
	// times as much is added as it delays others: the scrapes of the agent without a journal, and
	// a timer of the test.
	maxLateness = 50 * time.Millisecond
)

// faulty is an agent with a journal on a disk that gets faults, beside the same agent without.
type faulty struct {
	t                  *testing.T
	proxy, agent, twin *process
	node, twinNode     *countedNode
	dir                string
	begin              time.Time
	busy               *busyness
}

func startFaulty(t *testing.T, dir string, more ...string) *faulty {
	f := &faulty{t: t, proxy: startProxy(t), node: startCountedNode(t, 50), twinNode: startCountedNode(t, 50), dir: dir,
		begin: time.Now().Add(-time.Second), busy: watchBusyness(t)}
	f.agent = f.run(more...)
	f.twin = startAgent(t, f.proxy, "twin", "liaison", f.twinNode.endpoint(), "--poll-metrics-interval", faultInterval.String())
	return f
}

func (f *faulty) run(more ...string) *process {
	return startAgent(f.t, f.proxy, "n1", "liaison", f.node.endpoint(),
		append([]string{"--storage-dir", f.dir, "--poll-metrics-interval", faultInterval.String()}, more...)...)
}

// scrapes waits for that many scrapes of both agents.
func (f *faulty) scrapes(count int) {
	f.t.Helper()
	from, twinFrom := f.node.served(), f.twinNode.served()
	eventually(f.t, "scrapes", func() error {
		if n, twin := f.node.served()-from, f.twinNode.served()-twinFrom; n < count || twin < count {
			return fmt.Errorf("%d of the agent, %d of its twin", n, twin)
		}
		return nil
	})
}

// shown returns the number of a page that the agent shows on its own /metrics.
func (f *faulty) shown() int {
	f.t.Helper()
	newest := -1
	eventually(f.t, "a page", func() error {
		for _, page := range f.node.scrapesOf(f.t, page(f.t, f.agent.addr("agent"), "/metrics?"+countedQuery)) {
			newest = page
		}
		if newest < 0 {
			return fmt.Errorf("none")
		}
		return nil
	})
	return newest
}

// requireWhole checks that the window of memory lacks no scrape from a page on, and that none was
// late.
func (f *faulty) requireWhole(what string, from int) {
	f.t.Helper()
	f.requireWindow(what, from, "")
}

// requireWindow is requireWhole for a window that says why it may lack a part of the past.
func (f *faulty) requireWindow(what string, from int, why string) {
	f.t.Helper()
	failures := 0
	for _, n := range target(agentHealth(f.t, f.agent), f.node.endpoint()).Failures {
		failures += n
	}
	upTo := f.shown()
	all, partial := f.node.window(f.t, f.proxy, since(f.begin)+"&node_id=n1")
	require.Equal(f.t, why, partial, what)
	missing := missingPages(all, from, upTo)
	if failures == 0 {
		require.Empty(f.t, missing, "%s: pages %d to %d", what, from, upTo)
	}
	late, twin, timer := lateness(f.node.requests()[from:]), lateness(f.twinNode.requests()), f.busy.longest()
	f.t.Logf("%s: %d scrapes, missing %q, %d failed; the latest is late by %s, without a journal %s, a timer of the test %s",
		what, upTo-from+1, missing, failures, late, twin, timer)
	require.LessOrEqual(f.t, late, maxLateness+3*max(twin, timer), "%s: a scrape is late", what)
}

// lateness returns by how much the longest time between two requests exceeds the interval.
func lateness(requests []time.Time) (late time.Duration) {
	for i := 1; i < len(requests); i++ {
		late = max(late, requests[i].Sub(requests[i-1])-faultInterval)
	}
	return late
}

// restart kills the agent and starts it again. It returns the scrapes of all its window.
func (f *faulty) restart() []countedScrape {
	f.t.Helper()
	f.agent.kill(syscall.SIGKILL)
	<-f.agent.exited
	f.agent = f.run()
	awaitJournal(f.t, f.agent, "writing")
	var all []countedScrape
	eventually(f.t, "a window that is whole", func() error {
		var partial string
		all, partial = f.node.window(f.t, f.proxy, since(f.begin)+"&node_id=n1")
		if partial != "" || len(all) == 0 {
			return fmt.Errorf("%d scrapes, partial: %s", len(all), partial)
		}
		return nil
	})
	return all
}

// removeDir removes the directory, while the agent may create files in it.
func (f *faulty) removeDir() {
	f.t.Helper()
	eventually(f.t, "the directory is removed", func() error { return os.RemoveAll(f.dir) })
}

// requireNewSegment waits until the journal writes again, and checks that it does not go on in
// the segment that it had.
func (f *faulty) requireNewSegment(before string) {
	f.t.Helper()
	awaitJournal(f.t, f.agent, "writing")
	eventually(f.t, "a new segment", func() error {
		if now := newestSegment(f.t, f.dir); now <= before {
			return fmt.Errorf("the newest is %q, before it was %q", now, before)
		}
		return nil
	})
}

// TestE2EJournalFullDisk: another program fills the disk, and frees it again.
func TestE2EJournalFullDisk(t *testing.T) {
	fs := mountTmpfs(t, 8)
	f := startFaulty(t, filepath.Join(fs, "fodc"))
	awaitJournal(t, f.agent, "writing")
	f.scrapes(5)
	first, durable := 0, f.shown()
	before := newestSegment(t, f.dir)

	filler := fillDisk(t, fs)
	full := awaitJournal(t, f.agent, "paused", "failing")
	t.Logf("full: %q %s", full.State, full.Error)
	f.scrapes(faultScrapes)
	f.requireWhole("full", first)

	require.NoError(t, os.Remove(filler))
	f.requireNewSegment(before)
	f.scrapes(5)
	well := f.shown()
	f.scrapes(1)
	f.requireWhole("well again", first)

	all := f.restart()
	require.True(t, pagesOf(all)[well], "page %d, after the fault", well)
	// A disk that is nearly full takes the segments that it needs for others.
	if kept := pagesOf(all)[durable]; !kept {
		t.Logf("page %d, of before the fault, was given up", durable)
		require.NotContains(t, segmentsIn(t, f.dir), before)
	}
}

// TestE2EJournalReadOnlyAtStart: the agent records though it cannot write, and writes when it can.
func TestE2EJournalReadOnlyAtStart(t *testing.T) {
	fs := mountTmpfs(t, 8)
	require.NoError(t, command("mount", "-o", "remount,ro", fs))
	f := startFaulty(t, filepath.Join(fs, "fodc"))
	h := awaitJournal(t, f.agent, "failing")
	require.Contains(t, h.Error, "read-only file system")
	f.scrapes(faultScrapes)
	f.requireWindow("read-only", 0, "n1=journal") // Nobody knows what there was before.

	require.NoError(t, command("mount", "-o", "remount,rw", fs))
	f.requireNewSegment("")
	f.scrapes(5)
	well := f.shown()
	require.True(t, pagesOf(f.restart())[well], "page %d, after the fault", well)
}

// TestE2EJournalDiskBecomesReadOnly: so does a file system that has found an error. The operator
// puts another one in its place.
func TestE2EJournalDiskBecomesReadOnly(t *testing.T) {
	fs := t.TempDir()
	mountExt4(t, fs, 16)
	f := startFaulty(t, filepath.Join(fs, "fodc"))
	awaitJournal(t, f.agent, "writing")
	f.scrapes(5)
	f.shown()

	require.NoError(t, command("mount", "-o", "remount,abort", fs))
	h := awaitJournal(t, f.agent, "failing")
	t.Logf("read-only: %s", h.Error)
	f.scrapes(faultScrapes)
	f.requireWhole("read-only", 0)

	require.NoError(t, command("umount", "-l", fs))
	mountExt4(t, fs, 16)
	f.requireNewSegment("")
	f.scrapes(5)
	well := f.shown()
	f.requireWhole("well again", 0)
	require.True(t, pagesOf(f.restart())[well], "page %d, after the fault", well)
}

// TestE2EJournalDirectoryRemoved: somebody removes the directory below the running agent.
func TestE2EJournalDirectoryRemoved(t *testing.T) {
	f := startFaulty(t, filepath.Join(t.TempDir(), "fodc"))
	awaitJournal(t, f.agent, "writing")
	f.scrapes(5)
	f.shown()
	before := newestSegment(t, f.dir)
	f.removeDir()
	f.requireNewSegment(before)
	f.scrapes(5)
	well := f.shown()
	f.requireWhole("removed", 0)
	require.True(t, pagesOf(f.restart())[well], "page %d, after the fault", well)
}
