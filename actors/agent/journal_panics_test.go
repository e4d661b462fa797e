package agent

import (
	"sync/atomic"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder/disktest"
	"fodc/recorder/journal"

	"github.com/stretchr/testify/require"
)

// panicOnce panics in the n-th operation of a kind from now on.
func (w *journalWorld) panicOnce(op disktest.Op, n int) {
	w.disk.Watch(func(did disktest.Op, _ string) {
		if did == op {
			if n--; n == 0 {
				panic("planted")
			}
		}
	})
}

// A panic in the journal is a failure as any other: the process lives, and so does the journal, in
// a new segment.
func TestJournalSurvivesPanics(t *testing.T) {
	for _, op := range []disktest.Op{disktest.Write, disktest.Sync, disktest.Space} {
		inJournalWorld(t, func(t *testing.T, w *journalWorld) {
			w.run()
			w.pass(5 * time.Second)
			w.panicOnce(op, 1)
			w.pass(time.Minute)
			require.Len(t, w.lines("the journal has failed"), 1)
			h := w.requireState(messages.JournalWriting)
			require.Equal(t, 2, h.Segments)
			require.Len(t, w.lines("the journal is written again"), 1)
			w.requireWhole()
			w.requireOnTime()
			require.Equal(t, 2*len(w.scraped()), w.onDisk(selfTarget)+w.onDisk("http://node/metrics"), "it was on disk already")
		})
	}
}

// So is a panic while the past is read back: the past stays on disk.
func TestRecoverySurvivesPanics(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.run()
		w.pass(25 * time.Second)
		w.kill()
		w.panicOnce(disktest.Open, 2)
		before := len(w.scraped())
		w.run()
		w.pass(25 * time.Second)
		require.Len(t, w.lines("reading the journal back has failed"), 1)
		require.Len(t, w.lines("it stays on disk"), 1)
		w.requireState(messages.JournalWriting)
		times, partial := w.scrapesOf("g")
		require.Empty(t, partial)
		require.Equal(t, w.scraped()[before:], times)
		w.kill()
		w.run()
		w.pass(5 * time.Second)
		w.requireWhole()
	})
}

// failingWriter is a writer some functions of which panic once.
type failingWriter struct {
	journalWriter
	view, abandon atomic.Bool
	noView        bool // no panic: it has none once
}

func (f *failingWriter) View() *journal.View {
	if f.view.Swap(false) {
		panic("planted in View")
	}
	if f.noView {
		f.noView = false
		return nil
	}
	return f.journalWriter.View()
}

func (f *failingWriter) Abandon() {
	if f.abandon.Swap(false) {
		panic("planted in Abandon")
	}
	f.journalWriter.Abandon()
}

// The same goes for what is done behind an operation.
func TestJournalSurvivesPanicsBehindAnOperation(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		f := &failingWriter{journalWriter: w.cfg.Journal.newWriter()}
		w.cfg.Journal.writer = f
		w.run()
		w.pass(5 * time.Second)
		f.view.Store(true)
		w.pass(time.Minute)
		require.Len(t, w.lines("the journal has failed"), 1)
		w.requireState(messages.JournalWriting)

		f.abandon.Store(true)
		w.panicOnce(disktest.Write, 1)
		w.pass(time.Minute)
		require.Len(t, w.lines("the journal has failed"), 3)
		w.requireState(messages.JournalWriting)
		w.requireWhole()
		w.requireOnTime()
	})
}

// A panic in the actor costs what was left of its message, but neither the next operation nor the past.
func TestJournalGoesOnAfterAPanicOfItsActor(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.cfg.Journal.writer = &failingWriter{journalWriter: w.cfg.Journal.newWriter(), noView: true}
		w.run()
		w.pass(time.Minute)
		require.Len(t, w.lines("actor failed"), 1)
		w.requireState(messages.JournalWriting)
		require.Equal(t, len(w.scraped()), w.onDisk("http://node/metrics"))
		w.requireWhole()
	})
}
