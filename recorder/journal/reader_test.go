package journal_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"fodc/recorder/journal"
)

// Journal and memory together answer what a window without limits would, and nothing twice.
func TestJournalAndMemoryAreWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		sel := h.drawSelection()
		budget := rapid.SampledFrom([]int{0, 300, math.MaxInt}).Draw(t, "budget")
		want, got := newAnswer(t), newAnswer(t)
		want.addSnapshot(h.everything.Snapshot(sel), budget)

		q := journal.Query{Selection: sel, Held: h.memory.Held(), Base: h.writer.Stats().Base}
		view := h.writer.View()
		r := view.NewReader(h.disk, q)
		require.Empty(t, got.addReader(r, budget))
		require.True(t, view.Reaches(q) || len(got.samples) == 0)
		require.Empty(t, r.Damage())
		got.addSnapshot(h.memory.Snapshot(sel), budget)
		require.Equal(t, want.samples, got.samples)
		for name, metadata := range newestFamilies(h) {
			if now, ok := got.families[name]; ok {
				require.Equal(t, metadata, now)
			}
		}
	})
}
