package agent

import (
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// withWaiting has incidents capture two files more, which can wait.
func (w *incidentsWorld) withWaiting() {
	for _, path := range []string{"config.json", "logs/kernel.log"} {
		s := textStep("config", path, path, false)
		s.Stays = true
		w.steps = append(w.steps, s)
	}
}

// What can wait does, until the incident is over.
func TestIncidentWithPauses(t *testing.T) {
	f := func(after time.Duration, early ...string) {
		t.Helper()
		inIncidents(t, func(t *testing.T, w *incidentsWorld) {
			w.withWaiting()
			w.run()
			w.pass(12 * time.Minute)
			doc, err := w.agent.RequestIncident(t.Context(), messages.IncidentOrder{Reason: "slow", Before: 10 * time.Minute, After: after, Profiles: true})
			require.NoError(t, err)
			w.pass(5 * time.Second)
			doc, err = w.agent.Incident(t.Context(), doc.ID)
			require.NoError(t, err)
			require.ElementsMatch(t, early, files(doc))
			w.pass(2 * time.Minute)
			doc = w.one()
			require.Equal(t, messages.IncidentFrozen, doc.State)
			require.Empty(t, doc.Nodes[0].Missing)
			require.ElementsMatch(t, []string{"profiles/heap.pb.gz", "process/status.txt", "config.json", "logs/kernel.log", "logs/node.log", "window.journal", "events.json"}, files(doc))
			require.InDelta(t, 60, len(w.window(doc)), 6)
			w.requireOnTime()
		})
	}
	f(time.Minute, "profiles/heap.pb.gz", "process/status.txt")
	f(6*time.Second, "profiles/heap.pb.gz", "process/status.txt")
	f(0, "profiles/heap.pb.gz", "process/status.txt", "config.json", "logs/kernel.log", "logs/node.log", "window.journal", "events.json")
}

// An agent that stops captures at once what waits.
func TestIncidentOfAgentThatStops(t *testing.T) {
	inIncidents(t, func(t *testing.T, w *incidentsWorld) {
		w.withWaiting()
		w.run()
		w.pass(time.Minute)
		_, err := w.agent.RequestIncident(t.Context(), messages.IncidentOrder{Reason: "slow", Before: time.Minute, After: 5 * time.Minute, Profiles: true})
		require.NoError(t, err)
		w.pass(3 * time.Second)
		w.stop()
		w.steps = nil // The next agent captures nothing.
		w.run()
		w.pass(time.Second)
		require.Subset(t, files(w.one()), []string{"profiles/heap.pb.gz", "process/status.txt", "config.json", "logs/kernel.log"})
	})
}

func TestPauseOfWindow(t *testing.T) {
	opened := time.Unix(1_700_000_000, 0)
	f := func(before, after, want time.Duration) {
		t.Helper()
		require.Equal(t, want, pauseOfWindow(&messages.Incident{OpenedAt: opened, From: opened.Add(-before), To: opened.Add(after)}))
	}
	f(10*time.Minute, 0, 0)
	f(10*time.Minute, -5*time.Minute, 0)
	f(10*time.Minute, time.Second, windowPause)
	f(0, time.Second, windowPause)
	f(10*time.Minute, 2*time.Minute, windowPause)
	f(72*time.Minute, 8*time.Minute, maxWindowPauses/40)
}
