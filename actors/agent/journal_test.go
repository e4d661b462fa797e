package agent

import (
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// What is scraped is on disk at once. A stop closes the journal.
func TestJournalHasWhatIsScraped(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.run()
		w.pass(30 * time.Second)
		h := w.requireState(messages.JournalWriting)
		require.Equal(t, "storage", h.Dir)
		require.Equal(t, 1, h.Segments)
		require.Positive(t, h.Written)
		require.Zero(t, h.Waiting)
		require.Empty(t, h.Dropped)
		require.Equal(t, 4, w.onDisk("http://node/metrics"))
		require.Equal(t, 4, w.onDisk(selfTarget))
		require.Equal(t, 1, w.locked)
		w.stop()
		require.Zero(t, w.locked)
		require.Equal(t, 4, w.onDisk(selfTarget))
	})
}
