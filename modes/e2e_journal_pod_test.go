//go:build e2e && linux

package modes_test

import (
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// wholeWindow waits until the proxy has a window that is whole, and returns it.
func wholeWindow(t *testing.T, proxy *process, query string) (body string) {
	t.Helper()
	eventually(t, "a window that is whole", func() error {
		status, page, header, err := get(proxy.addr("http"), "/metrics-windows?"+query)
		if why := header.Get("X-Fodc-Partial") + header.Get("X-Fodc-Missing"); err != nil || status != http.StatusOK || why != "" {
			return fmt.Errorf("%d: %v: %s", status, err, why)
		}
		body = page
		return nil
	})
	return body
}

// between is the query of a window.
func between(from, to time.Time) string {
	return since(from) + "&end_time=" + to.UTC().Format(time.RFC3339Nano)
}

// TestE2EJournalAfterAPodsEnd: agent and node end together. An agent that is started again without
// the node answers what there was of the node's last hour.
func TestE2EJournalAfterAPodsEnd(t *testing.T) {
	t.Parallel()
	proxy, node, dir := startProxy(t), startCountedNode(t, 20), t.TempDir()
	end := time.Now()
	hour := past{target: node.endpoint(), series: 300, every: 10 * time.Second, scrapes: 400,
		from: end.Add(-400 * 10 * time.Second).Truncate(time.Millisecond)}
	writePast(t, dir, "n1", pastLimits, hour, nil)

	flags := []string{"--storage-dir", dir, "--poll-metrics-interval", "200ms"}
	agent := startAgent(t, proxy, "n1", "liaison", node.endpoint(), flags...)
	awaitJournal(t, agent, "writing")
	shown := map[int]bool{}
	eventually(t, "scrapes of the living node", func() error {
		for _, page := range node.scrapesOf(t, page(t, agent.addr("agent"), "/metrics?"+countedQuery)) {
			shown[page] = true
		}
		if len(shown) < 5 {
			return fmt.Errorf("%d pages", len(shown))
		}
		return nil
	})
	agent.kill(syscall.SIGKILL)
	node.CloseClientConnections()
	node.Close()
	<-agent.exited
	killed := time.Now()

	agent = startAgent(t, proxy, "n1", "liaison", node.endpoint(), flags...)
	awaitStatuses(t, proxy, "n1", "online")
	awaitJournal(t, agent, "writing")
	from, to := killed.Add(-time.Hour), hour.end()
	hour.requireWindow(t, wholeWindow(t, proxy, between(from, to)), from, to)
	all, partial := node.window(t, proxy, between(from, killed))
	require.Empty(t, partial)
	recorded := pagesOf(all)
	for page := range shown { // Others may have come too late for a scrape.
		require.True(t, recorded[page], "page %d was shown before the end", page)
	}
	for _, s := range all {
		require.False(t, s.at.After(killed))
	}
	eventually(t, "the node is down", func() error {
		if h := target(agentHealth(t, agent), node.endpoint()); h.Up || h.Scrapes == 0 {
			return fmt.Errorf("%+v", h)
		}
		return nil
	})
	t.Logf("%d series of %s, and %d pages of the last seconds, are answered without the node", hour.series, to.Sub(from).Round(time.Second), len(all))
}
