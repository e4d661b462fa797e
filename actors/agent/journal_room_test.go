package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// What is recorded now is never given up for the past: if there is no room for the series of both,
// the past stays on disk.
func TestThePastTakesNoRoomFromThePresent(t *testing.T) {
	const series = 200
	page := func(run int) string {
		var b strings.Builder
		b.WriteString("# TYPE g gauge\n")
		for i := range series {
			fmt.Fprintf(&b, "g{run=\"%d\",n=\"%d\"} %d\n", run, i, i)
		}
		return b.String()
	}
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.cfg.MemoryBudget = 256 << 10
		w.node.serve(page(1), nil)
		w.run()
		w.pass(5 * time.Minute)
		before, err := w.agent.Health(t.Context())
		require.NoError(t, err)
		require.Zero(t, before.Window.SeriesLimit)
		w.kill()
		w.node.serve(page(2), nil)
		w.run()
		w.pass(time.Minute)
		blocks, err := w.agent.Latest(t.Context(), messages.Selection{Names: []string{"g"}})
		require.NoError(t, err)
		require.Len(t, blocks, 1)
		require.Len(t, blocks[0].Families[0].Series, series)
		h, err := w.agent.Health(t.Context())
		require.NoError(t, err)
		require.Zero(t, h.Window.SeriesLimit)
		require.Len(t, w.lines("it stays on disk"), 1)
		w.requireState(messages.JournalWriting)
	})
}
