package agent

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/recorder/disktest"

	"github.com/stretchr/testify/require"
)

// requireUndisturbed checks that no scrape is late, and that windows and latest values are whole.
func (w *journalWorld) requireUndisturbed() {
	w.t.Helper()
	w.requireOnTime()
	w.requireWhole()
	begun := time.Now()
	blocks, err := w.agent.Latest(w.t.Context(), messages.Selection{})
	require.NoError(w.t, err)
	require.Len(w.t, blocks, 2)
	require.Zero(w.t, time.Since(begun), "nobody waits for a disk that is broken")
}

// A disk that fails does not disturb the recorder. The journal says so, and goes on in a new
// segment when the disk is well again.
func TestJournalOnADiskThatFails(t *testing.T) {
	f := func(op disktest.Op, err error) {
		t.Run(fmt.Sprintf("%s: %s", op, err), func(t *testing.T) {
			inJournalWorld(t, func(t *testing.T, w *journalWorld) {
				w.run()
				w.pass(15 * time.Second)
				w.requireState(messages.JournalWriting)
				heal := w.disk.Break(disktest.Fault{Op: op, Err: err})
				w.pass(2 * time.Minute)
				h := w.requireState(messages.JournalFailing)
				require.Contains(t, h.Error, err.Error())
				require.Greater(t, time.Since(h.Since), time.Minute)
				w.requireUndisturbed()
				require.Len(t, w.lines("the journal is failing"), 1)

				heal()
				w.pass(45 * time.Second)
				h = w.requireState(messages.JournalWriting)
				require.Empty(t, h.Error)
				require.Equal(t, 2, h.Segments)
				require.Zero(t, h.Waiting)
				require.Len(t, w.lines("the journal is written again"), 1)
				w.requireUndisturbed()
				lost := int(h.Dropped["failing"])
				require.Equal(t, 1, lost, "the one that was being written")
				require.Equal(t, 2*len(w.scraped())-lost, w.onDisk(selfTarget)+w.onDisk("http://node/metrics"))
			})
		})
	}
	f(disktest.Write, syscall.EIO)
	f(disktest.Write, syscall.ENOSPC)
}

// A sync that fails loses no scrape of a process that lives: only what a power cut would take.
func TestJournalWhoseSyncsFail(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.run()
		w.pass(5 * time.Second)
		heal := w.disk.Break(disktest.Fault{Op: disktest.Sync, Err: syscall.EIO})
		failing := false
		for range 60 {
			w.pass(time.Second)
			failing = failing || w.health().State == messages.JournalFailing
		}
		require.True(t, failing)
		w.requireUndisturbed()
		heal()
		w.pass(45 * time.Second)
		h := w.requireState(messages.JournalWriting)
		require.Empty(t, h.Dropped)
		require.Equal(t, len(w.scraped()), w.onDisk("http://node/metrics"))
	})
}

// A directory that cannot be used at the start does not keep the agent from recording.
func TestJournalThatCannotBeOpened(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.cfg.Journal.Lock = func() error { return syscall.EROFS }
		w.run()
		w.pass(2 * time.Minute)
		h := w.requireState(messages.JournalFailing)
		require.Contains(t, h.Error, "read-only")
		require.Len(t, w.lines("the journal is failing"), 1)
		w.requireOnTime()
		times, partial := w.scrapesOf("g")
		require.Equal(t, w.scraped(), times)
		require.Equal(t, messages.PartialJournal, partial, "nobody knows what is there")
		require.Zero(t, w.disk.Ops(), "without the lock nothing is touched")
	})
}

// An operation that hangs holds nothing up. What waits meanwhile is written when it returns.
func TestJournalOnADiskThatHangs(t *testing.T) {
	f := func(op disktest.Op) {
		t.Run(string(op), func(t *testing.T) {
			inJournalWorld(t, func(t *testing.T, w *journalWorld) {
				w.run()
				w.pass(5 * time.Second)
				hang := make(chan struct{})
				w.disk.Break(disktest.Fault{Op: op, Hang: hang, Times: 1})
				w.pass(2 * time.Minute)
				h := w.requireState(messages.JournalStalled)
				require.Contains(t, h.Error, "does not answer")
				require.Positive(t, h.Waiting)
				require.Len(t, w.lines("the journal is stalled"), 1)
				w.requireUndisturbed()
				close(hang)
				w.pass(time.Second)
				h = w.requireState(messages.JournalWriting)
				require.Zero(t, h.Waiting)
				require.Empty(t, h.Dropped)
				require.Len(t, w.lines("the journal is written again"), 1)
				require.Equal(t, len(w.scraped()), w.onDisk("http://node/metrics"))
				w.requireUndisturbed()
			})
		})
	}
	f(disktest.Write)
	f(disktest.Sync)
	f(disktest.Space)
}

// What does not fit into the queue to the disk is counted, and logged once.
func TestJournalDropsWhatDoesNotFit(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.run()
		w.pass(5 * time.Second)
		hang := make(chan struct{})
		w.disk.Break(disktest.Fault{Op: disktest.Write, Hang: hang, Times: 1})
		w.pass(time.Hour)
		h := w.requireState(messages.JournalStalled)
		require.Equal(t, maxQueuedBatches, h.Waiting)
		require.EqualValues(t, 2*360-maxQueuedBatches, h.Dropped["queue"])
		require.Len(t, w.lines("scrapes will be missing in the journal"), 1)
		w.requireUndisturbed()
		close(hang)
		w.pass(20 * time.Second)
		h = w.requireState(messages.JournalWriting)
		require.Zero(t, h.Waiting)
		require.Len(t, w.lines("no more scrapes will be missing"), 1)
		require.Equal(t, 2*len(w.scraped())-int(h.Dropped["queue"]), w.onDisk(selfTarget)+w.onDisk("http://node/metrics"))
		w.requireUndisturbed()
	})
}

// With too little space the journal pauses. It goes on when there is some again.
func TestJournalPauses(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.disk.SetSpace(1<<30, 0)
		w.run()
		w.pass(15 * time.Second)
		w.disk.SetSpace(1<<30, 1<<30-1<<20)
		w.pass(time.Minute)
		h := w.requireState(messages.JournalPaused)
		require.Contains(t, h.Error, "--storage-min-free")
		require.Len(t, w.lines("the journal is paused"), 1)
		w.requireUndisturbed()
		w.disk.SetSpace(1<<30, 0)
		w.pass(20 * time.Second)
		w.requireState(messages.JournalWriting)
		require.Len(t, w.lines("the journal is written again"), 1)
		require.Positive(t, w.health().FreeBytes)
		w.requireUndisturbed()
	})
}

// A stop does not wait for a disk that hangs.
func TestStopOnADiskThatHangs(t *testing.T) {
	for _, op := range []disktest.Op{disktest.Write, disktest.Sync} {
		inJournalWorld(t, func(t *testing.T, w *journalWorld) {
			w.run()
			w.pass(15 * time.Second)
			hang := make(chan struct{})
			w.disk.Break(disktest.Fault{Op: op, Hang: hang})
			begun := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			require.NoError(t, w.agent.Stop(ctx))
			require.LessOrEqual(t, time.Since(begun), journalCloseTimeout+100*time.Millisecond)
			require.Equal(t, []string{"the journal is not closed: its disk does not answer: close"}, w.lines("the journal is not closed"))
			close(hang)
			synctest.Wait()
		})
	}
}

// What the agent shows on its own page is on disk, unless that is slow.
func TestLatestIsOnDisk(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.run()
		w.pass(time.Second)
		latest := func() time.Duration {
			begun := time.Now()
			_, err := w.agent.Latest(t.Context(), messages.Selection{})
			require.NoError(t, err)
			return time.Since(begun)
		}
		require.Zero(t, latest())
		hang := make(chan struct{})
		w.disk.Break(disktest.Fault{Op: disktest.Write, Hang: hang, Times: 1})
		for before := len(w.scraped()); len(w.scraped()) == before; {
			w.pass(time.Millisecond)
		}
		require.Equal(t, writtenTimeout, latest())
		go func() {
			time.Sleep(20 * time.Millisecond)
			close(hang)
		}()
		require.Equal(t, 20*time.Millisecond, latest())
		require.Equal(t, len(w.scraped()), w.onDisk("http://node/metrics"))
		require.Zero(t, latest())

		again := make(chan struct{})
		defer close(again)
		w.disk.Break(disktest.Fault{Op: disktest.Write, Hang: again, Times: 1})
		w.pass(12 * time.Second)
		require.Zero(t, latest(), "it is behind")
	})
}

// A window that is asked for before the past has come is partial, unless it begins later.
func TestWindowsDuringTheRecovery(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.run()
		w.pass(25 * time.Second)
		w.kill()
		w.pass(time.Minute)
		hang := make(chan struct{})
		w.disk.Break(disktest.Fault{Op: disktest.Open, Skip: 1, Hang: hang})
		before := len(w.scraped())
		w.run()
		w.pass(25 * time.Second)
		w.requireState(messages.JournalRecovering)
		times, partial := w.scrapesOf("g")
		require.Equal(t, messages.PartialRecovering, partial)
		require.Equal(t, w.scraped()[before:], times)
		close(hang)
		synctest.Wait()
		require.Equal(t, len(w.scraped()), w.onDisk("http://node/metrics"))
		w.requireState(messages.JournalWriting)
		w.requireWhole()
		w.pass(20 * time.Second)
		w.requireWhole()
	})
}

// A recovery that takes too long is given up: the past stays on disk.
func TestRecoveryThatHangs(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.run()
		w.pass(25 * time.Second)
		w.kill()
		hang := make(chan struct{})
		defer close(hang)
		w.disk.Break(disktest.Fault{Op: disktest.Open, Skip: 1, Hang: hang})
		before := len(w.scraped())
		w.run()
		w.pass(2 * time.Minute)
		w.requireState(messages.JournalWriting)
		require.Len(t, w.lines("it stays on disk"), 1)
		require.True(t, strings.Contains(w.lines("it stays on disk")[0], "1m0s"))
		times, partial := w.scrapesOf("g")
		require.Equal(t, w.scraped()[before:], times)
		require.Empty(t, partial)
		require.Equal(t, []string{"agent_started 25s: version test"}, w.events())
	})
}
