package agent

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder/disktest"

	"github.com/stretchr/testify/require"
)

// killAll ends the agent as if its process was killed: nothing is written from then on.
func (w *incidentsWorld) killAll() {
	w.t.Helper()
	w.evidence.break_(errDisk)
	w.kill()
	w.evidence.break_(nil)
}

// An agent that is killed a few seconds after the opening, and is away until the incident is over, has all that it had
// captured, and what its journal has, even if that takes a while to read.
func TestIncidentKilledAtItsOpening(t *testing.T) {
	inIncidents(t, func(t *testing.T, w *incidentsWorld) {
		w.pass(1234567 * time.Nanosecond) // Not a whole millisecond.
		w.run()
		w.pass(9*time.Minute + 30*time.Second)
		w.node.serve(page("7", "1"), nil)
		w.pass(15 * time.Second)
		open := w.one()
		require.Equal(t, messages.IncidentOpen, open.State)
		w.killAll()
		w.pass(30 * time.Minute)

		hang := make(chan struct{})
		w.disk.Break(disktest.Fault{Op: disktest.Read, Hang: hang, Skip: 4})
		w.node.serve(page("1", "1"), nil)
		w.run()
		w.pass(20 * time.Second)
		close(hang)
		w.disk.Heal()
		w.pass(time.Minute)
		doc := w.one()
		require.Equal(t, open.ID, doc.ID)
		require.Equal(t, messages.IncidentFrozen, doc.State)
		require.Empty(t, doc.Nodes[0].Missing)
		require.Subset(t, files(doc), []string{"profiles/heap.pb.gz", "process/status.txt", "window.journal", "events.json"})
		require.GreaterOrEqual(t, len(w.window(doc)), 55)
		require.Contains(t, kinds(doc.Timeline), "capture")
		seen := map[string]bool{}
		for _, e := range doc.Timeline {
			is := e.At.Truncate(time.Second).String() + e.Text
			require.False(t, seen[is], "twice: %s", is)
			seen[is] = true
		}
	})
}

// An incident is on the disk before anything of it is captured, and that once: its document is the same.
func TestIncidentIsWrittenOnceAtItsOpening(t *testing.T) {
	inIncidents(t, func(t *testing.T, w *incidentsWorld) {
		w.run()
		w.pass(9*time.Minute + 30*time.Second)
		w.steps = nil
		w.evidence.watch()
		w.node.serve(page("7", "1"), nil)
		w.pass(20 * time.Second)
		require.Equal(t, messages.IncidentOpen, w.one().State)
		require.Equal(t, 1, w.evidence.count("incident.json"))
	})
}

// A file that was written when the agent was killed, and that no document names yet, is evidence: a node is asked for its profiles
// once.
func TestIncidentKilledAfterACapture(t *testing.T) {
	inIncidents(t, func(t *testing.T, w *incidentsWorld) {
		var asked atomic.Int32
		run := w.steps[0].Run
		w.steps[0].Run = func(ctx context.Context, to io.Writer) error {
			<-time.After(5 * time.Second)
			asked.Add(1)
			return run(ctx, to)
		}
		w.run()
		w.pass(time.Minute)
		w.node.serve(page("7", "1"), nil)
		for asked.Load() == 0 {
			w.pass(100 * time.Millisecond)
		}
		w.pass(500 * time.Millisecond)
		w.killAll()
		w.run()
		w.pass(time.Minute)
		doc := w.one()
		require.Contains(t, files(doc), "profiles/heap.pb.gz")
		require.Equal(t, "heap", string(w.content(doc, "profiles/heap.pb.gz")))
		require.EqualValues(t, 1, asked.Load())
	})
}

// An agent that is killed before it has captured anything, and is back when the incident is over, has what can still be had, and
// says what it has not.
func TestIncidentOverAfterAKill(t *testing.T) {
	inIncidents(t, func(t *testing.T, w *incidentsWorld) {
		w.steps = append(w.steps, textStep(messages.EvidenceConfig, "config.json", "{}", false))
		for i := range w.steps {
			run := w.steps[i].Run
			w.steps[i].Run = func(ctx context.Context, to io.Writer) error {
				select {
				case <-time.After(2 * time.Second): // It is killed before.
				case <-ctx.Done():
					return ctx.Err()
				}
				return run(ctx, to)
			}
		}
		w.run()
		w.pass(9*time.Minute + 30*time.Second)
		w.node.serve(page("7", "1"), nil)
		for len(w.list()) == 0 {
			w.pass(100 * time.Millisecond)
		}
		w.pass(500 * time.Millisecond)
		w.killAll()
		w.node.serve(page("1", "1"), nil)
		w.pass(10 * time.Minute)
		w.run()
		w.pass(time.Minute)
		doc := w.one()
		require.Equal(t, messages.IncidentFrozen, doc.State)
		require.Subset(t, files(doc), []string{"config.json", "window.journal", "events.json"})
		var missing []string
		for _, m := range doc.Nodes[0].Missing {
			missing = append(missing, m.What)
			require.Contains(t, m.Reason, "the agent had ended before")
		}
		require.ElementsMatch(t, []string{"profile/heap", "process"}, missing)
	})
}

// Nobody is told of an incident that is not stored: after a kill it would not be there, or have another id.
func TestIncidentIsNotToldBeforeItIsStored(t *testing.T) {
	inIncidents(t, func(t *testing.T, w *incidentsWorld) {
		hang := func() chan struct{} {
			c := make(chan struct{})
			w.evidence.mu.Lock()
			defer w.evidence.mu.Unlock()
			w.evidence.hangs = c
			return c
		}
		w.run()
		w.pass(time.Minute)
		goOn := hang()
		w.node.serve(page("7", "1"), nil)
		for len(w.lines("an incident begins")) == 0 {
			w.pass(100 * time.Millisecond)
		}
		require.Empty(t, w.list())
		told := w.agent.announcer.revision(messages.StreamIncidents)
		close(goOn)
		w.pass(100 * time.Millisecond)
		doc := w.one()
		require.Greater(t, w.agent.announcer.revision(messages.StreamIncidents), told, "the proxies are to ask again")
		_, err := w.agent.Incident(t.Context(), doc.ID)
		require.NoError(t, err)

		goOn = hang()
		asked := make(chan error, 1)
		go func() {
			_, err := w.agent.RequestIncident(t.Context(), messages.IncidentOrder{Reason: "look"})
			asked <- err
		}()
		w.pass(time.Second)
		require.Empty(t, asked)
		close(goOn)
		w.pass(100 * time.Millisecond)
		require.NoError(t, <-asked)
		require.Len(t, w.list(), 2)
	})
}
