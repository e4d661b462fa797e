//go:build e2e && linux

package modes_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
)

// columns reads a recording in which each series has one line: its name and labels, then its value on each page, or one value
// that is on all of them. It returns the pages.
func columns(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var pages []strings.Builder
	for pass := range 2 {
		for line := range strings.Lines(string(text)) {
			end := strings.LastIndexByte(line, '}') + 1
			values := strings.Fields(line[end:])
			if end == 0 {
				values = values[1:]
			}
			series := strings.TrimSuffix(strings.TrimSpace(line), " "+strings.Join(values, " "))
			comment := strings.HasPrefix(line, "#")
			if n := len(values); pass == 0 && !comment && n > 1 {
				require.True(t, len(pages) == 0 || len(pages) == n, line)
				pages = make([]strings.Builder, n)
			}
			for i := range pages {
				if pass == 0 {
					break
				} else if comment {
					pages[i].WriteString(line)
				} else {
					fmt.Fprintln(&pages[i], series, values[min(i, len(values)-1)])
				}
			}
		}
	}
	require.NotEmpty(t, pages)
	var all []string
	for i := range pages {
		all = append(all, pages[i].String())
	}
	return all
}

// playedNode shows one page after the other, one for each scrape, and in the end the last one. An empty page is a failure.
type playedNode struct {
	id, role, zone string
	pages          []string
	scrapes        atomic.Int64
}

// start returns the URL of the node's metrics. Agents scrape it in the second quarter of each second: the time of a scrape
// depends on the URL.
func (n *playedNode) start(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		page := n.pages[min(int(n.scrapes.Add(1)), len(n.pages))-1]
		if page == "" {
			http.Error(w, "the node is not well", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = io.WriteString(w, page)
	}))
	t.Cleanup(server.Close)
	for i := 0; ; i++ {
		at := fmt.Sprintf("%s/metrics?%d", server.URL, i)
		h := fnv.New64a()
		_, _ = h.Write([]byte(at))
		if phase := time.Duration(h.Sum64() % uint64(time.Second)); phase > 260*time.Millisecond && phase < 400*time.Millisecond {
			return at
		}
	}
}

// queryPhase is where in a second queries are evaluated: far from all scrapes, and not where subqueries are, at 0.
const queryPhase = 750 * time.Millisecond

// recordedScrapes is how many scrapes of each node the tests wait for.
const recordedScrapes = 28

// afterEnd is how many of them are after the last evaluation, for negative offsets.
const afterEnd = 4

// queryCluster is a proxy with three nodes of which something has been recorded: data-0 and data-1 play a database under load,
// and begin it anew meanwhile. data-1 fails for some scrapes. The page of liaison-0 loses most series for some scrapes.
type queryCluster struct {
	proxy     *process
	agents    map[string]*restartable
	reference queryAPI
	// start, mid and end are times of evaluations: after the first scrapes, while data-1 fails and series of liaison-0 are
	// lost, and at the end.
	start, mid, end time.Time
	// truth is what the agents have recorded of their nodes: series, then time in unix milliseconds, then value.
	truth map[string]map[int64]float64
	// scrapes are the times of a node's scrapes, failed ones included.
	scrapes map[string][]int64
}

// startQueryCluster begins to record, at the nodes and at a Prometheus.
func startQueryCluster(t *testing.T) *queryCluster {
	t.Helper()
	load := columns(t, "testdata/queries/load.columns")
	fails := make([]string, 4)
	var idle, busy []string
	for _, name := range pageNames(t) {
		busy = append(busy, readPage(t, name))
	}
	idle, busy = []string{busy[0], busy[0], busy[0]}, busy[1:]
	nodes := []*playedNode{
		{id: "data-0", role: "datanode-hot", zone: "a", pages: slices.Concat(load[len(load)/2:], load, load)},
		{id: "data-1", role: "datanode-hot", zone: "b", pages: slices.Concat(load[8:18], fails, load[5:], load, load)},
		{id: "liaison-0", role: "liaison", zone: "a", pages: slices.Concat(busy[4:], busy, idle, busy[3:], busy, busy, busy)},
	}
	c := &queryCluster{proxy: startProxy(t), agents: map[string]*restartable{}}
	c.reference = startReference(t, c.proxy)
	for _, n := range nodes {
		endpoint, more := n.start(t), []string{"--pod-name", "pod-" + n.id, "--node-labels", "zone=" + n.zone}
		if n.id != "data-0" { // whose samples are in memory only
			more = append(more, "--storage-dir", t.TempDir())
		}
		c.agents[n.id] = &restartable{func() *process { return startAgent(t, c.proxy, n.id, n.role, endpoint, more...) }, nil}
		c.agents[n.id].process = c.agents[n.id].start()
	}
	c.awaitAgents(t)
	return c
}

// restartable is an agent that can be started again, with the same directory.
type restartable struct {
	start func() *process
	*process
}

// restartAgents ends the agents that have a journal, one by a kill, and starts them again: what was recorded is on disk.
func (c *queryCluster) restartAgents(t *testing.T) {
	t.Helper()
	for id, signal := range map[string]syscall.Signal{"data-1": syscall.SIGTERM, "liaison-0": syscall.SIGKILL} {
		a := c.agents[id]
		a.kill(signal)
		a.exitCode(patience)
		a.process = a.start()
	}
	c.awaitAgents(t)
	eventually(t, "what is on the agents' disks", func() error {
		_, body, header, err := get(c.proxy.addr("http"), "/metrics-windows?strict=1&name[]=fodc_node_up&start_time="+unixSeconds(c.start))
		if partial := header.Get("X-Fodc-Partial"); err == nil && partial != "" {
			err = fmt.Errorf("%s: %s", partial, body)
		}
		return err
	})
}

func (c *queryCluster) awaitAgents(t *testing.T) {
	t.Helper()
	awaitStatuses(t, c.proxy, "data-0", "online", "data-1", "online", "liaison-0", "online")
}

// await waits until there is enough, and reads it.
func (c *queryCluster) await(t *testing.T) {
	t.Helper()
	within(t, recordedScrapes*time.Second+patience, "the recording", func() error { return c.read(t) })
	c.choose(t)
}

// choose sets the times of evaluations.
func (c *queryCluster) choose(t *testing.T) {
	first, last := int64(0), int64(math.MaxInt64)
	for _, times := range c.scrapes {
		first, last = max(first, times[0]), min(last, times[recordedScrapes-afterEnd])
		for _, at := range times {
			require.NotContains(t, []int64{0, queryPhase.Milliseconds()}, at%1000, "a scrape at a time of evaluations")
		}
	}
	phase := func(ms int64) time.Time { return time.UnixMilli(ms).Truncate(time.Second).Add(queryPhase) }
	c.start, c.end = phase(first).Add(time.Second), phase(last)
	failed := c.scrapes["data-1"][11]
	c.mid = phase(failed)
	require.Less(t, c.mid.UnixMilli(), failed+1000)
}

// read reads what the agents have recorded.
func (c *queryCluster) read(t *testing.T) error {
	text := page(t, c.proxy.addr("http"), "/metrics-windows?start_time=1")
	c.truth, c.scrapes = map[string]map[int64]float64{}, map[string][]int64{}
	metrics := parser.NewParser(parser.Options{})
	p := textparse.NewPromParser([]byte(text), labels.NewSymbolTable(), false)
	for {
		entry, err := p.Next()
		if err != nil {
			break
		}
		if entry != textparse.EntrySeries {
			continue
		}
		name, at, v := p.Series()
		l, err := metrics.ParseMetric(string(name)) // p.Labels would write le="1" as le="1.0"
		require.NoError(t, err)
		if name := l.Get(model.MetricNameLabel); at == nil || isOfAgent(name) {
			continue
		}
		series := labelsJSON(l)
		if c.truth[series] == nil {
			c.truth[series] = map[int64]float64{}
		}
		c.truth[series][*at] = v
		if l.Get(model.MetricNameLabel) == "fodc_node_up" {
			node := l.Get("node_id")
			c.scrapes[node] = append(c.scrapes[node], *at)
		}
	}
	for _, node := range []string{"data-0", "data-1", "liaison-0"} {
		if n := len(c.scrapes[node]); n < recordedScrapes {
			return fmt.Errorf("%s has %d scrapes", node, n)
		}
	}
	return nil
}

// isOfAgent reports whether a family is about the agent: it is scraped at other times than the node.
func isOfAgent(family string) bool {
	return strings.HasPrefix(family, "fodc_agent_") || strings.HasPrefix(family, "fodc_journal_")
}

func labelsJSON(l labels.Labels) string {
	text, _ := json.Marshal(l.Map())
	return string(text)
}
