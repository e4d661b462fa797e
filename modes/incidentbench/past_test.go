//go:build bench && linux

package incidentbench

import (
	"path/filepath"
	"time"

	"fodc/recorder"
	"fodc/recorder/journal"
	"fodc/recorder/journal/diskfs"

	"github.com/stretchr/testify/require"
)

// pastReach is how far the journals reach back: rules compare with an hour.
const pastReach = 70 * time.Minute

// past writes a journal of the node's pages that ends now, and returns its storage directory.
func (n *node) past(name string) string {
	dir := filepath.Join(n.dir, name)
	now := time.Now()
	at := now.Add(-pastReach).Truncate(interval)
	w := journal.NewWriter(diskfs.New(filepath.Join(dir, "journal")), journal.Config{Node: journal.Node{NodeID: nodeID}, RetentionTime: 72 * time.Hour,
		RetentionBytes: 512 << 20, SyncInterval: time.Hour, MinFree: .01})
	require.NoError(n.t, w.Open(at))
	window := recorder.NewWindow(recorder.Limits{})
	var page recorder.Page
	for ; at.Before(now); at = at.Add(interval) {
		page.Parse(n.pages.next(), "text/plain; version=0.0.4", recorder.ParseLimits{})
		_, batch := window.AppendBatch(recorder.Target{Name: n.metrics()}, recorder.Scrape{At: at, Page: &page})
		require.NoError(n.t, w.Append(batch, at))
	}
	require.NoError(n.t, w.Close(now))
	return dir
}
