//go:build bench && linux

package querybench

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"fodc/recorder"
	"fodc/recorder/recordertest"

	"github.com/stretchr/testify/require"
)

const (
	memorySeries = 3_000
	memoryPast   = 3 * time.Hour
	// memoryLimit is that of the anonymous memory of an agent, in MB.
	memoryLimit = 40
	// memoryScrapes is short, so that the agent returns unused memory soon.
	memoryScrapes = 2 * time.Second
)

// benchMemory measures the anonymous memory of an agent with three hours of 3,000 series in
// memory and on disk, before queries, during and after them.
func benchMemory(t *testing.T) []row {
	page := recordertest.NewWalkingNode(memorySeries)
	var mu sync.Mutex
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(page.Next())
	}))
	t.Cleanup(node.Close)
	dir, endpoint, address := t.TempDir(), node.URL+"/metrics", freeAddress(t)
	require.NoError(t, writePast(dir, "n1", recorder.Target{Name: endpoint}, memoryPast, func(int) []byte { return page.Next() }))
	p := start(t, address, "/health", exec.Command(os.Getenv(binaryVariable), "agent", "--proxy-addr", "127.0.0.1:1", "--node-id", "n1",
		"--node-role", "liaison", "--metrics-endpoint", endpoint, "--prometheus-listen-addr", address, "--host-telemetry=false",
		"--log-level", "error", "--storage-dir", dir, "--poll-metrics-interval", memoryScrapes.String()))
	require.Eventually(t, func() bool {
		body, _ := p.get("/health")
		return strings.Contains(string(body), `"state":"writing"`)
	}, patience, 20*time.Millisecond)
	settle := 14 * memoryScrapes // twice as long as the agent waits to return memory, and more
	<-time.After(settle)
	idle := p.memory("RssAnon")
	highest := idle
	for range rounds() {
		for _, path := range memoryQueries() {
			_, _ = p.get(path)
			highest = max(highest, p.memory("RssAnon"))
		}
	}
	<-time.After(settle)
	return []row{
		{what: "anonymous memory of an agent, 3 h of 3,000 series", value: fmt.Sprintf("%.1f MB", p.memory("RssAnon")),
			beside: fmt.Sprintf("before %.1f MB", idle), ratio: p.memory("RssAnon"), limit: memoryLimit, unit: "MB"},
		{what: "the same, the most during queries", value: fmt.Sprintf("%.1f MB", highest), beside: fmt.Sprintf("before %.1f MB", idle), ratio: highest, unit: "MB"},
	}
}

// memoryQueries are those of a person who looks at dashboards.
func memoryQueries() []string {
	now := time.Now()
	over := func(expr string, long time.Duration, step int) string {
		return fmt.Sprintf("/api/v1/query_range?query=%s&start=%s&end=%s&step=%d", url.QueryEscape(expr), seconds(now.Add(-long)), seconds(now), step)
	}
	return []string{
		"/api/v1/query?query=" + url.QueryEscape(`topk(10, {__name__=~"banyandb_.+"})`),
		over("rate(banyandb_walking_0000[1m])", time.Hour, 15),
		over("sum by (group) (rate(banyandb_walking_0004[5m]))", memoryPast, 60),
		over("banyandb_walking_0002", memoryPast, 30),
		"/api/v1/labels",
		"/api/v1/series?match[]=banyandb_walking_0002",
	}
}
