//go:build e2e && linux

package modes_test

import (
	"path/filepath"
	"testing"
	"time"

	flight "fodc/recorder"
	"fodc/recorder/journal"
	"fodc/recorder/journal/diskfs"

	"github.com/stretchr/testify/require"
)

// pastLimits are the limits of a journal that a test writes, as by default.
var pastLimits = journal.Config{RetentionTime: 72 * time.Hour, RetentionBytes: 512 << 20, SyncInterval: time.Hour, MinFree: .01}

// writePast writes a journal into the storage directory, as an agent of the node would have. After
// each scrape it calls each, if that is not nil.
func writePast(t *testing.T, dir, nodeID string, cfg journal.Config, p past, each func(scrape int)) {
	t.Helper()
	cfg.Node = journal.Node{NodeID: nodeID, Role: "liaison", PodName: nodeID, AgentVersion: "past"}
	w := journal.NewWriter(diskfs.New(filepath.Join(dir, "journal")), cfg)
	require.NoError(t, w.Open(p.from))
	p.batches(func(n int, b *flight.Batch) {
		now := p.at(n)
		require.NoError(t, w.Append(b, now))
		if !w.NextDue().IsZero() && !w.NextDue().After(now) {
			require.NoError(t, w.Due(now))
		}
		if each != nil {
			each(n)
		}
	})
	require.NoError(t, w.Close(p.end()))
}
