package modes

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// growing returns pages that a program has made as one, each series once; their counters grow with each scrape.
func growing(t *testing.T, paths ...string) func(scrape int) []byte {
	var lines []string
	seen := map[string]bool{}
	for _, path := range paths {
		page, err := os.ReadFile(path)
		require.NoError(t, err, path)
		for line := range strings.SplitSeq(strings.TrimSpace(string(page)), "\n") {
			if series := line[:strings.LastIndexByte(line, ' ')]; line[0] == '#' || !seen[series] {
				lines, seen[series] = append(lines, line), true
			}
		}
	}
	return func(scrape int) (b []byte) {
		grows := false
		for _, line := range lines {
			if what, isType := strings.CutPrefix(line, "# TYPE "); isType {
				grows = !strings.HasSuffix(what, " gauge")
			}
			if at := strings.LastIndexByte(line, ' '); grows && line[0] != '#' {
				value, err := strconv.ParseFloat(line[at+1:], 64)
				require.NoError(t, err, line)
				line = line[:at+1] + strconv.FormatFloat(value+float64(scrape), 'g', -1, 64)
			}
			b = append(append(b, line...), '\n')
		}
		return b
	}
}

// grafanaPages are those that the nodes of the test show beside the recorded ones of a database: of a host that has
// everything, of an agent to which all has happened, and of a proxy.
var grafanaPages = []string{"../actors/agent/telemetry/testdata/v2.prom", "../actors/agent/telemetry/testdata/v1.prom",
	"../actors/agent/testdata/journal.prom", "../actors/agent/testdata/kernelevents.prom", "../actors/agent/testdata/incidents.prom", "../httpapi/testdata/self.prom", "testdata/dashboards/kernel.prom"}

// Every expression of the dashboards has data, with all nodes chosen and with a list of them. What only a cluster with a
// fault has is proved by such a page.
func TestGrafanaDashboardsHaveData(t *testing.T) {
	dashboards := grafanaDashboards(t)
	var without []grafanaQuery
	inDashboards(t, growing(t, grafanaPages...), func(t *testing.T, get getFunc) {
		for name, d := range dashboards {
			for _, everything := range []bool{true, false} {
				values := d.choose(t, name, get, everything)
				for _, q := range d.queries(t, name, values) {
					if q.hasNumbers(t, get) {
						continue
					}
					without = append(without, q)
				}
			}
		}
	})
	hasDataInFaults := faultsOfPages(t)
	for _, q := range without {
		assert.True(t, hasDataInFaults(chosenNodes.ReplaceAllString(q.expr, `$1=~".*"`)), "%s has no data: %s", q.where, q.expr)
	}
	t.Logf("%d expressions have data only where there is a fault", len(without))
}

// choose returns a value of each variable, as Grafana writes it into a regular expression.
func (d grafanaDashboard) choose(t *testing.T, name string, get getFunc, everything bool) map[string]string {
	values := map[string]string{"__rate_interval": "1m", "__interval": "15s", "__range": "120s", "incident": ""}
	for _, v := range d.Templating.List[1:] {
		if v.Type == "textbox" {
			continue
		}
		match, label := labelValues(t, v.Definition)
		require.Equal(t, v.Definition, v.Query.(map[string]any)["query"], name)
		var known []string
		require.NoError(t, json.Unmarshal(get("label/"+label+"/values", url.Values{"match[]": {match}}), &known))
		require.NotEmpty(t, known, "%s: %s has no values", name, v.Name)
		for i, k := range known {
			known[i] = strings.ReplaceAll(regexp.QuoteMeta(k), `\`, `\\`)
		}
		switch {
		case v.Multi && everything:
			require.Equal(t, ".*", v.AllValue, name)
			values[v.Name] = v.AllValue
		case v.Multi:
			values[v.Name] = "(" + strings.Join(known, "|") + ")"
		default:
			values[v.Name] = known[0]
		}
	}
	return values
}

// hasNumbers reports whether the query gives a number that a panel can show.
func (q grafanaQuery) hasNumbers(t *testing.T, get getFunc) bool {
	end := time.Now()
	path, parameters := "query", url.Values{"query": {q.expr}, "time": {strconv.FormatInt(end.Unix(), 10)}}
	if !q.instant {
		path, parameters = "query_range", url.Values{"query": {q.expr}, "step": {"15"},
			"start": {strconv.FormatInt(end.Add(-dashboardRange).Unix(), 10)}, "end": {strconv.FormatInt(end.Unix(), 10)}}
	}
	var data struct {
		Result []struct {
			Value  [2]any
			Values [][2]any
		}
	}
	require.NoError(t, json.Unmarshal(get(path, parameters), &data), q.where)
	for _, series := range data.Result {
		for _, v := range append(series.Values, series.Value) {
			if text, ok := v[1].(string); ok && text != "NaN" {
				return true
			}
		}
	}
	return false
}

// faultsOfPages returns a function that reports whether an expression gives a number where a Prometheus has scraped what no
// query API of fodc has, or only a cluster with a fault: the proxy's own page, nodes that are missing, partial or show
// too much, and processes that are restarted after a minute.
func faultsOfPages(t *testing.T) func(expr string) bool {
	store := promqltest.LoadedStorage(t, "")
	t.Cleanup(func() { _ = store.Close() })
	engine, end := promqltest.NewTestEngine(t, false, 0, 1_000_000), time.Unix(1_000_000, 0)
	self, app, names := growing(t, "../httpapi/testdata/self.prom"), store.Appender(t.Context()), parser.NewParser(parser.Options{})
	faulty, all := growing(t, "testdata/versions.prom"), pagesOfEverything(t)
	for scrape := range 13 {
		at := end.Add(time.Duration(scrape-12) * 10 * time.Second)
		started := fmt.Sprintf("process_start_time_seconds{node_id=\"n\"} %[1]d\nfodc_agent_process_start_time_seconds{node_id=\"n\"} %[1]d\n", scrape/7)
		seen := map[string]bool{}
		for line := range strings.Lines(string(self(scrape)) + string(faulty(scrape)) + all[len(all)-1] + started) {
			series, value, _ := strings.Cut(line[strings.LastIndexByte(line, '}')+1:], " ")
			series = line[:strings.LastIndexByte(line, '}')+1] + series
			if line[0] == '#' || seen[series] {
				continue
			}
			seen[series] = true
			metric, err := names.ParseMetric(series)
			require.NoError(t, err, line)
			number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			require.NoError(t, err, line)
			_, err = app.Append(0, metric, at.UnixMilli(), number)
			require.NoError(t, err, line)
		}
	}
	require.NoError(t, app.Commit())
	return func(expr string) bool {
		q, err := engine.NewRangeQuery(t.Context(), store, nil, expr, end.Add(-dashboardRange), end, 10*time.Second)
		require.NoError(t, err, expr)
		defer q.Close()
		series, err := q.Exec(t.Context()).Matrix()
		require.NoError(t, err, expr)
		for _, one := range series {
			for _, p := range one.Floats {
				if !math.IsNaN(p.F) {
					return true
				}
			}
		}
		return false
	}
}
