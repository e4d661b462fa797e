package agent

import (
	"math/rand/v2"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder/disktest"

	"github.com/stretchr/testify/require"
)

// events returns the agent's own events, as "kind at the second since the start: detail".
func (w *journalWorld) events() (all []string) {
	w.t.Helper()
	h, err := w.agent.Health(w.t.Context())
	require.NoError(w.t, err)
	for _, e := range h.Events {
		if e.Target == selfTarget {
			all = append(all, e.Event+" "+e.At.Sub(w.start).Round(time.Second).String()+": "+e.Detail)
		}
	}
	return all
}

// requireWhole checks that a window of all time has each scrape once.
func (w *journalWorld) requireWhole() {
	w.t.Helper()
	times, partial := w.scrapesOf("g")
	require.Equal(w.t, w.scraped(), times)
	require.Empty(w.t, partial)
}

// After a stop and a start the window is there again, with a gap, and events for both.
func TestJournalSurvivesAStop(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.run()
		w.pass(25 * time.Second)
		w.stop()
		w.pass(65 * time.Second)
		w.run()
		w.requireState(messages.JournalWriting)
		w.pass(25 * time.Second)
		w.requireWhole()
		require.Len(t, w.scraped(), 6)
		require.Equal(t, []string{"agent_started 0s: version test", "agent_stopped 25s: the agent was stopped", "agent_started 1m30s: version test"}, w.events())
		h := w.requireState(messages.JournalWriting)
		require.Equal(t, w.start, h.Oldest)
		require.GreaterOrEqual(t, h.Newest.UnixMilli(), w.scraped()[5])
		require.Zero(t, h.DamagedSegments)
		h2, err := w.agent.Health(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 3, h2.Targets[0].Scrapes, "counts begin at the start")
		require.InDelta(t, 110, h2.Window.SpanSeconds, 1)
		require.Less(t, h2.Window.Recorded, uint64(h2.Window.Samples))
	})
}

// So it is after kills. What a killed process has recorded ends with its last scrape.
func TestJournalSurvivesKills(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.run()
		w.pass(25 * time.Second)
		w.kill()
		w.pass(65 * time.Second)
		w.run()
		w.pass(5 * time.Second)
		w.kill()
		w.pass(5 * time.Second)
		w.run()
		w.pass(5 * time.Second)
		w.requireWhole()
		const killed = ": the agent ended without being stopped; this is the time of its last scrape"
		require.Equal(t, []string{"agent_started 0s: version test", "agent_stopped 20s" + killed, "agent_started 1m30s: version test",
			"agent_stopped 1m30s" + killed, "agent_started 1m40s: version test"}, w.events())
	})
}

// In whichever operation of the disk a process is killed, the next one has all but the scrapes
// under way, none twice, and goes on.
func TestJournalSurvivesAKillAtAnyMoment(t *testing.T) {
	counts := map[int]int{}
	for n := 1; n < 60; n++ {
		inJournalWorld(t, func(t *testing.T, w *journalWorld) {
			rng := rand.New(rand.NewPCG(uint64(n), 7))
			w.disk.StopAfter(n, rng)
			w.run()
			w.pass(45 * time.Second)
			inMemory, _ := w.scrapesOf("g")
			require.Equal(t, w.scraped(), inMemory, "memory does not need the disk")
			w.requireOnTime()
			before := w.scraped()
			after := w.disk.After(disktest.Kill, rng)
			w.stop()
			w.use(after)
			w.run()
			w.pass(10 * time.Second)
			w.requireState(messages.JournalWriting)
			times, partial := w.scrapesOf("g")
			require.Empty(t, partial)
			kept := 0
			for kept < len(before) && kept < len(times) && times[kept] == before[kept] {
				kept++
			}
			require.Equal(t, w.scraped()[len(before):], times[kept:], "%d of %d were kept", kept, len(before))
			counts[kept]++
		})
	}
	require.Greater(t, len(counts), 4, "kills at different moments")
}
