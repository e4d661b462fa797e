package agent

import (
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder/journal/journaltest"

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
		w.run()
		w.pass(11 * time.Minute)
		w.node.serve(page("7", "1"), nil)
		w.pass(15 * time.Second)
		open := w.one()
		require.Equal(t, messages.IncidentOpen, open.State)
		w.killAll()
		w.pass(30 * time.Minute)

		hang := make(chan struct{})
		w.disk.Break(journaltest.Fault{Op: journaltest.Read, Hang: hang, Skip: 4})
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
		require.GreaterOrEqual(t, len(w.window(doc)), 60)
		require.Contains(t, kinds(doc.Timeline), "capture")
	})
}
