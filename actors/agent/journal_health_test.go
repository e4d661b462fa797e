package agent

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"

	"github.com/stretchr/testify/require"
)

// pageOf writes samples as text.
func pageOf(samples []recorder.Sample) string {
	var b strings.Builder
	last := ""
	for _, s := range samples {
		if s.Name != last {
			fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", s.Name, s.Help, s.Name, s.Type)
			last = s.Name
		}
		labels := ""
		if len(s.Labels) > 0 {
			labels = "{" + string(messages.RenderLabels(s.Labels)) + "}"
		}
		fmt.Fprintf(&b, "%s%s %v\n", s.Name, labels, s.Value)
	}
	return b.String()
}

func requireGolden(t *testing.T, golden, page string) {
	t.Helper()
	if f := flag.Lookup("update"); f.Value.String() == "true" {
		require.NoError(t, os.WriteFile(golden, []byte(page), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), page)
}

// The page is also what docs/metrics.md is compared with.
func TestJournalMetrics(t *testing.T) {
	page := pageOf(journalSamples(journalStatus{
		health: messages.JournalHealth{State: messages.JournalRecovering, Segments: 3, Bytes: 12_000_000, LimitBytes: 512 << 20,
			Oldest: time.Unix(1_700_000_000, 0), RecoverySeconds: 1.25},
		stats: journal.Stats{Oldest: 1_700_000_000_500, Syncs: 20, SyncTime: 300 * time.Millisecond, Written: journal.Loss{Samples: 900_000},
			WrittenBytes: 1_000_000, Removed: 2, Damaged: 1, Errors: map[journal.Operation]uint64{journal.OpSync: 3}},
		drops: journalDrops{journalDropQueue: {Scrapes: 1, Samples: 3000}, string(journal.DropFailing): {Scrapes: 2, Samples: 6000}},
	}))
	requireGolden(t, "testdata/journal.prom", page)

	up := func(s messages.JournalState) float64 {
		return journalSamples(journalStatus{health: messages.JournalHealth{State: s}})[0].Value
	}
	require.Equal(t, 1.0, up(messages.JournalWriting))
	for _, s := range []messages.JournalState{messages.JournalPaused, messages.JournalFailing, messages.JournalStalled, messages.JournalClosed} {
		require.Zero(t, up(s), s)
	}
}

// An agent without a journal has none of its metrics, and one with a journal has them all.
func TestJournalMetricsAreThoseOfAJournal(t *testing.T) {
	names := func(w *world) (names []string) {
		w.run()
		w.pass(time.Minute)
		blocks, err := w.agent.Latest(w.t.Context(), messages.Selection{})
		require.NoError(w.t, err)
		for _, b := range blocks {
			for _, f := range b.Families {
				if strings.HasPrefix(f.Name, "fodc_journal_") {
					names = append(names, f.Name)
				}
			}
		}
		h, err := w.agent.Health(w.t.Context())
		require.NoError(w.t, err)
		require.Equal(w.t, len(names) > 0, h.Journal != nil)
		return names
	}
	inWorld(t, func(t *testing.T, w *world) { require.Empty(t, names(w)) })
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		want := map[string]bool{}
		for _, s := range journalSamples(journalStatus{health: messages.JournalHealth{Oldest: time.Now()}}) {
			want[s.Name] = true
		}
		got := map[string]bool{}
		for _, name := range names(w.world) {
			got[name] = true
		}
		require.Equal(t, want, got)
	})
}
