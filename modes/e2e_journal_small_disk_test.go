//go:build e2e && linux

package modes_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	smallDiskMiB = 8
	// smallRetention makes segments of 1 MiB, of which several fit the disk. It is more than the
	// disk has.
	smallRetention = "16MiB"
	smallMinFree   = 25 // percent
	// smallMiB is how much is recorded, at least: more than the disk could take.
	smallMiB = 12
	// smallSeries have values that compression makes nothing of.
	smallSeries = 16_000
)

// TestE2EJournalDiskSmallerThanRetention: the journal leaves others the space that it was told to,
// at every moment, and has the newest of what was recorded.
func TestE2EJournalDiskSmallerThanRetention(t *testing.T) {
	fs := mountTmpfs(t, smallDiskMiB)
	dir := filepath.Join(fs, "fodc")
	proxy, node := startProxy(t), startCountedNode(t, smallSeries)
	began := time.Now()
	agent := startAgent(t, proxy, "n1", "liaison", node.endpoint(), "--storage-dir", dir, "--poll-metrics-interval", "50ms",
		"--storage-retention-size", smallRetention, "--storage-min-free", fmt.Sprint(smallMinFree, "%"))
	least, most := 1.0, 0
	// Half of the values are fractions of eight bytes.
	pages := smallMiB << 20 / (smallSeries / 2 * 8)
	within(t, time.Minute, "scrapes", func() error {
		least, most = min(least, freeShare(t, fs)), max(most, len(segmentsIn(t, dir)))
		if n := node.served(); n < pages {
			return fmt.Errorf("%d of %d", n, pages)
		}
		return nil
	})
	h := awaitJournal(t, agent, "writing", "paused")
	t.Logf("%d scrapes in %s: %.1f %% of the disk were free at least, %d segments at most; now %s", node.served(), time.Since(began).Round(time.Millisecond),
		100*least, most, h.State)
	require.GreaterOrEqual(t, least, smallMinFree/100.0)
	require.Greater(t, most, 1, "segments")
	require.Less(t, least, 0.5, "the journal uses what it may")
	require.Empty(t, agent.said("no space left on device"))
	require.NoError(t, os.WriteFile(filepath.Join(fs, "other"), make([]byte, 1<<20), 0o600), "the database's")
}
