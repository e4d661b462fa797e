package agent

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"fodc/actors"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// ask asks the recorder for a window of the node's family.
func (w *journalWorld) ask(window messages.Window) snapshotTaken {
	w.t.Helper()
	sel := messages.Selection{Window: window, Names: []string{"g"}}
	taken, err := actors.Ask[snapshotTaken](w.t.Context(), w.sys, w.agent.recorder, read{selection: sel})
	require.NoError(w.t, err)
	return taken
}

// take asks for a window that must be whole.
func (w *journalWorld) take(window messages.Window) snapshotTaken {
	w.t.Helper()
	taken := w.ask(window)
	require.Empty(w.t, taken.partial)
	return taken
}

// timesOf returns the times of the scrapes that next returns, in order.
func timesOf(t *testing.T, next func() ([]messages.Block, error)) (times []int64) {
	t.Helper()
	for {
		blocks, err := next()
		require.NoError(t, err)
		if blocks == nil {
			return times
		}
		for _, b := range blocks {
			times = append(times, b.Times...)
		}
	}
}

// A window reaches as far back as the journal. Together, disk and memory have each scrape once;
// what memory has never comes from the disk.
func TestWindowsReachBeyondMemory(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.cfg.MemoryBudget = 256 << 10
		var page strings.Builder
		page.WriteString("# TYPE g gauge\n")
		for i := range 200 {
			fmt.Fprintf(&page, "g{n=\"%d\"} %d\n", i, i*i)
		}
		w.node.serve(page.String(), nil)
		w.run()
		w.pass(2 * time.Hour)
		w.kill()
		w.run()
		w.pass(2 * time.Hour)
		h, err := w.agent.Health(t.Context())
		require.NoError(t, err)
		require.Less(t, h.Window.SpanSeconds, 2*3600.0)

		taken := w.take(messages.Window{End: time.Now()})
		memory := timesOf(t, func() ([]messages.Block, error) { return taken.snapshot.Next(math.MaxInt), nil })
		past, err := taken.past()
		require.NoError(t, err)
		disk := timesOf(t, func() ([]messages.Block, error) { return past.Next(math.MaxInt) })
		require.Equal(t, w.scraped(), append(disk, memory...))
		require.Greater(t, len(disk), len(memory))

		// Memory may begin later than above, by a chunk: scrapes go on while the disk is read.
		taken = w.take(messages.Window{End: time.Now()})
		memory = timesOf(t, func() ([]messages.Block, error) { return taken.snapshot.Next(math.MaxInt), nil })
		require.Nil(t, w.take(messages.Window{Start: time.UnixMilli(memory[len(memory)-2])}).past)
		within := w.take(messages.Window{Start: time.UnixMilli(disk[10]), End: time.UnixMilli(disk[20])})
		require.Nil(t, within.snapshot.Next(math.MaxInt))
		past, err = within.past()
		require.NoError(t, err)
		require.Equal(t, disk[10:21], timesOf(t, func() ([]messages.Block, error) { return past.Next(math.MaxInt) }))
		require.Nil(t, w.take(messages.Window{}).past, "the latest values never touch the disk")
	})
}
