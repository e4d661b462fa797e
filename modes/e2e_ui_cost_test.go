//go:build e2e && linux

package modes_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fodc/actors"
	"fodc/actors/agent"
	"fodc/messages"
	flight "fodc/recorder"
	"fodc/recorder/journal"
	"fodc/recorder/journal/diskfs"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

const (
	// costlyAgents is how many agents there are, costPast how far back their metrics reach.
	costlyAgents = 100
	costPast     = 25 * time.Minute
	// costStep is between their scrapes.
	costStep = 10 * time.Second
	// costRefreshes is for how many refreshes a page is looked at: five minutes.
	costRefreshes = 30
	// maxCost is the share of a core that the proxy may spend on an open page, and costFactor how much more the test allows: on a busy
	// machine the same work takes more.
	maxCost    = 0.01
	costFactor = 5
)

// pageOfNode is the page of a made node at a time.
func pageOfNode(n *madeNode, at time.Time) []byte {
	var b strings.Builder
	last := ""
	for _, f := range madeFamilies {
		if f.family != last && !strings.HasPrefix(f.family, "fodc_") {
			fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %[1]s %s\n", f.family, f.help, f.kind)
		}
		last = f.family
		if strings.HasPrefix(f.family, "fodc_") {
			continue // It is the agent's own.
		}
		labels := ""
		if f.labels != "" {
			labels = "{" + f.labels + "}"
		}
		fmt.Fprintf(&b, "%s%s %g\n", f.family, labels, f.value(n, at))
	}
	return []byte(b.String())
}

// writeCostly writes a journal of what was scraped until now.
func writeCostly(dir string, node messages.Registration, url string, page func(at time.Time) []byte) error {
	now := time.Now()
	w := journal.NewWriter(diskfs.New(dir), journal.Config{Node: journal.Node{NodeID: node.NodeID, Role: node.Role, PodName: node.PodName},
		RetentionTime: time.Hour, RetentionBytes: 64 << 20, SyncInterval: time.Hour, MinFree: .01})
	at := now.Add(-costPast)
	if err := w.Open(at); err != nil {
		return err
	}
	window := flight.NewWindow(flight.Limits{})
	var parsed flight.Page
	for ; at.Before(now); at = at.Add(costStep) {
		parsed.Parse(page(at), "text/plain; version=0.0.4", flight.ParseLimits{})
		_, batch := window.AppendBatch(flight.Target{Name: url}, flight.Scrape{At: at, Page: &parsed})
		if err := w.Append(batch, at); err != nil {
			return err
		}
	}
	return w.Close(now)
}

// startCostly starts a real proxy with a hundred agents, which are in this process: only what the proxy takes is looked at.
func startCostly(t *testing.T) *process {
	proxy := startProxy(t)
	const url = "http://127.0.0.1:2121/metrics"
	for n := range costlyAgents {
		one := &madeNode{size: 0.3 + float64(n*7919%97)/100}
		node := messages.Registration{NodeID: fmt.Sprintf("hot-%d", n), Role: "datanode-hot", PodName: fmt.Sprintf("hot-%d", n)}
		page := func(at time.Time) []byte { return pageOfNode(one, at) }
		dir := t.TempDir() + "/journal"
		require.NoError(t, writeCostly(dir, node, url, page))
		free := func() error { return nil }
		a := agent.Start(actors.NewSystem(zap.NewNop()), agent.Config{
			Registration: node, ProxyAddrs: []string{proxy.addr("grpc")}, Targets: []agent.Target{{URL: url}}, ScrapeInterval: costStep,
			HeartbeatInterval: 10 * time.Second, ReconnectInterval: time.Second, MemoryBudget: 16 << 20, Version: "v0.0.0",
			Process: func() []flight.Sample { return nil }, Load: func() float64 { return 0 },
			Fetch: func(context.Context, string) ([]byte, string, error) {
				return page(time.Now()), "text/plain; version=0.0.4", nil
			},
			Journal: &agent.JournalConfig{Dir: dir, FS: diskfs.New(dir), Lock: free, Unlock: free,
				Config: journal.Config{RetentionTime: time.Hour, RetentionBytes: 64 << 20, SyncInterval: 10 * time.Second, MinFree: .01}},
		})
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			_ = a.Stop(ctx)
		})
	}
	eventually(t, "all agents with their past", func() error {
		_, body, _, err := get(proxy.addr("http"), fmt.Sprintf("/api/v1/query?query=count(count_over_time(go_goroutines[%ds])>100)", int(costPast.Seconds())))
		if err == nil && !strings.Contains(body, fmt.Sprintf(`"%d"`, costlyAgents)) {
			err = fmt.Errorf("not all have it: %.300s", body)
		}
		return err
	})
	return proxy
}

// TestE2EBrowserCostsTheProxyLittle: what a proxy of a hundred agents spends on an open page of the cluster. The page has a clock of its
// own, so that five minutes of it take as long as its requests do; what the proxy does anyhow in that time is subtracted.
func TestE2EBrowserCostsTheProxyLittle(t *testing.T) {
	t.Parallel()
	proxy := startCostly(t)
	begin, used := time.Now(), processCPU(t, proxy)
	<-time.After(5 * time.Second)
	idle := (processCPU(t, proxy) - used).Seconds() / time.Since(begin).Seconds()
	b := openWith(t, proxy.addr("http"), "#/", ownClock((costRefreshes+4)*refreshTime), desktop)
	b.until("document.querySelector('.spark')")
	b.letPass(3)
	begin, used = time.Now(), processCPU(t, proxy)
	b.letPass(costRefreshes)
	seconds := (processCPU(t, proxy) - used).Seconds() - idle*time.Since(begin).Seconds()
	share := seconds / (costRefreshes * refreshTime).Seconds()
	t.Logf("an open page of %d nodes takes %.2f %% of a core from the proxy, %.2f of what is allowed; without it, the proxy takes %.2f %%",
		costlyAgents, 100*share, share/maxCost, 100*idle)
	require.Less(t, share, float64(maxCost*costFactor))
	b.requireGood()
}
