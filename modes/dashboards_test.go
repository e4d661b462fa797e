package modes

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fodc/actors/agent"
	"fodc/httpapi"
	"fodc/messages"
	"fodc/recorder/incidentseries"
	"fodc/recorder/recordertest"

	promlabels "github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// dashboard is one that the field ships.
type dashboard struct {
	file      string
	variables []dashboardVariable
	queries   []dashboardQuery
}

// dashboardVariable has the query for its values, and what it stands for where all is chosen.
type dashboardVariable struct{ name, all, query string }

type dashboardQuery struct {
	instant bool
	expr    string
}

func readDashboards(t *testing.T) (all []*dashboard) {
	for _, fields := range readFields(t, "banyandb.txt") {
		switch d := len(all) - 1; fields[0] {
		case "dashboard":
			all = append(all, &dashboard{file: fields[1]})
		case "variable":
			all[d].variables = append(all[d].variables, dashboardVariable{fields[1], strings.TrimPrefix(fields[2], "-"), fields[3]})
		case "instant", "range":
			all[d].queries = append(all[d].queries, dashboardQuery{fields[0] == "instant", fields[1]})
		default:
			require.Fail(t, "unknown", "%q", fields)
		}
	}
	require.NotEmpty(t, all)
	return all
}

// readFields returns the fields of the lines of a file; a line that begins with # is a comment.
func readFields(t *testing.T, name string) (all [][]string) {
	t.Helper()
	text, err := os.ReadFile("testdata/dashboards/" + name)
	require.NoError(t, err)
	for line := range strings.SplitSeq(string(text), "\n") {
		if line != "" && line[0] != '#' {
			all = append(all, strings.Split(line, "\t"))
		}
	}
	return all
}

// dashboardRange is the range that is looked at.
const dashboardRange = 2 * time.Minute

// fill returns the expression as Grafana sends it, with all values chosen of each variable. A
// variable without values, like job where no Prometheus has scraped, is empty; one that the
// dashboard does not have stays as it is.
func (d *dashboard) fill(expr string) string {
	values := map[string]string{"__rate_interval": "1m", "__interval": "15s", "__range": strconv.Itoa(int(dashboardRange.Seconds())) + "s"}
	for _, v := range d.variables {
		values[v.name] = v.all
	}
	return regexp.MustCompile(`\$\w+`).ReplaceAllStringFunc(expr, func(name string) string {
		if value, ok := values[name[1:]]; ok {
			return value
		}
		return name
	})
}

// selectorsOf returns the selectors of an expression.
func selectorsOf(t *testing.T, expr string) (all []*parser.VectorSelector) {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	require.NoError(t, err, expr)
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			all = append(all, s)
		}
		return nil
	})
	return all
}

// dashboardNodes are nodes of a cluster in their roles.
var dashboardNodes = []struct {
	id, role, container string
	labels              map[string]string
}{
	{"banyandb-liaison-0", "ROLE_LIAISON", "liaison", nil},
	{"banyandb-data-hot-0", "ROLE_DATA", "data", map[string]string{"type": "hot"}},
	{"banyandb-data-warm-0", "ROLE_DATA", "data", map[string]string{"type": "warm"}},
}

// getFunc returns the data of an answer of the query API.
type getFunc func(path string, parameters url.Values) json.RawMessage

// inDashboards runs the test in a bubble with a cluster of these nodes, which have shown the
// recorded pages of a real one, and with each of them what more returns.
func inDashboards(t *testing.T, more func(scrape int) []byte, test func(t *testing.T, get getFunc)) {
	nodes := map[string]*recordertest.RepeatedNode{}
	for _, n := range dashboardNodes {
		nodes[n.id] = recordertest.NewRepeatedNode(t, "../testdata/banyandb")
	}
	page := func(id string, scrape int) []byte { return append(nodes[id].Next(), more(scrape)...) }
	inClusterOf(t, len(dashboardNodes), page, func(t *testing.T, w *cluster) {
		w.pass(dashboardRange)
		test(t, queryAPI(t, w))
	}, func(n int, c *agent.Config) {
		c.Registration = messages.Registration{NodeID: dashboardNodes[n].id, PodName: dashboardNodes[n].id, Role: dashboardNodes[n].role, Labels: dashboardNodes[n].labels}
		c.Targets[0].ContainerName = dashboardNodes[n].container
	})
}

// hasData reports whether the query gives a value that a panel can show.
func (q dashboardQuery) hasData(t *testing.T, get getFunc, expr string) bool {
	end := time.Now()
	path, parameters := "query", url.Values{"query": {expr}, "time": {strconv.FormatInt(end.Unix(), 10)}}
	if !q.instant {
		path, parameters = "query_range", url.Values{"query": {expr}, "step": {"15"},
			"start": {strconv.FormatInt(end.Add(-dashboardRange).Unix(), 10)}, "end": {strconv.FormatInt(end.Unix(), 10)}}
	}
	var data struct {
		Result []json.RawMessage `json:"result"`
	}
	require.NoError(t, json.Unmarshal(get(path, parameters), &data))
	return len(data.Result) > 0
}

// familiesNotRecorded are those of the dashboards that no recorded page has, with the reason.
func familiesNotRecorded(t *testing.T) map[string]string {
	all := map[string]string{}
	for _, fields := range readFields(t, "banyandb_not_recorded.txt") {
		all[fields[0]] = fields[1]
	}
	return all
}

// dashboardsWithout are those queries, by a part of them, that give nothing even where all is there
// that they ask for, with the reason.
var dashboardsWithout = []struct{ part, reason string }{
	{`operation=~"$operation"`, "their dashboard has no variable of this name, whose values Grafana could fill in"},
	{`method!="query"`, "the recorded node was asked nothing but queries"},
	{"banyandb_fodc_schema_consistency_status", "no node says it, but the field's proxy itself"},
	{",job)", "no sample has the label job, which a Prometheus adds that scrapes"},
}

// reasonWithout returns the reason for which a query gives nothing; "" is none.
func reasonWithout(query string) string {
	for _, w := range dashboardsWithout {
		if strings.Contains(query, w.part) {
			return w.reason
		}
	}
	return ""
}

// madeUp is the page of samples that the expressions ask for and no recorded page has: a series
// for each selector, with labels that it selects.
func madeUp(t *testing.T) func(scrape int) []byte {
	notRecorded := familiesNotRecorded(t)
	series := map[string][]string{} // by sample name
	for _, d := range readDashboards(t) {
		for _, q := range d.queries {
			for _, s := range selectorsOf(t, d.fill(q.expr)) {
				if notRecorded[s.Name] == "" {
					continue
				}
				if text := labelsFor(s); !slices.Contains(series[s.Name], text) {
					series[s.Name] = append(series[s.Name], text)
				}
			}
		}
	}
	return func(scrape int) (b []byte) {
		for _, name := range slices.Sorted(maps.Keys(series)) {
			for i, text := range series[name] {
				b = appendMadeUp(b, name, text, scrape*(i+1), i == 0)
			}
		}
		return b
	}
}

// appendMadeUp appends a sample, or, for one of a histogram's buckets, the whole histogram.
func appendMadeUp(b []byte, name, text string, value int, isFirst bool) []byte {
	family, isHistogram := strings.CutSuffix(name, "_bucket")
	if !isHistogram {
		return fmt.Appendf(b, "%s{%s} %d\n", name, text, value)
	}
	if isFirst {
		b = fmt.Appendf(b, "# TYPE %s histogram\n", family)
	}
	for _, le := range []string{"0.1", "1", "+Inf"} {
		b = fmt.Appendf(b, "%s{%s,le=%q} %d\n", name, text, le, value)
	}
	return fmt.Appendf(b, "%s_sum{%s} %d\n%s_count{%s} %d\n", family, text, value, family, text, value)
}

// labelsFor returns labels of the node's own that the selector selects.
func labelsFor(s *parser.VectorSelector) string {
	values := map[string]string{}
	for _, m := range s.LabelMatchers {
		candidates := []string{m.Value, "made-up", "banyandb-data-hot-0.banyandb:17912"}
		if slices.Contains([]string{"__name__", "job", "pod_name", "container_name"}, m.Name) || values[m.Name] != "" {
			continue
		}
		i := slices.IndexFunc(candidates, func(v string) bool {
			return !slices.ContainsFunc(s.LabelMatchers, func(other *promlabels.Matcher) bool { return other.Name == m.Name && !other.Matches(v) })
		})
		if i >= 0 {
			values[m.Name] = candidates[i]
		}
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all = append(all, fmt.Sprintf("%s=%q", name, values[name]))
	}
	return strings.Join(all, ",")
}

// The queries of the field's dashboards give data over what a real node shows, as far as it shows
// what they ask for.
func TestDashboardsOverRecordedPages(t *testing.T) {
	notRecorded, dashboards := familiesNotRecorded(t), readDashboards(t)
	recorded, asked := map[string]bool{}, map[string]bool{}
	for _, page := range recordertest.Pages(t, "../testdata/banyandb") {
		for line := range strings.Lines(string(page)) {
			recorded[line[:max(0, strings.IndexAny(line, "{ "))]] = true
		}
	}
	inDashboards(t, func(int) []byte { return nil }, func(t *testing.T, get getFunc) {
		queries, without := 0, 0
		for _, d := range dashboards {
			for _, q := range d.queries {
				queries++
				expr := d.fill(q.expr)
				lacks := reasonWithout(expr)
				for _, s := range selectorsOf(t, expr) {
					asked[s.Name] = asked[s.Name] || reasonWithout(s.Name) == ""
					lacks = cmp.Or(lacks, notRecorded[s.Name])
				}
				if q.hasData(t, get, expr) {
					continue
				}
				without++
				assert.NotEmpty(t, lacks, "%s: no data, and no reason for that: %s", d.file, expr)
			}
		}
		t.Logf("%d of %d expressions give data over recorded pages", queries-without, queries)
	})
	for name := range notRecorded {
		assert.False(t, recorded[name], "%s is on a recorded page: remove it from the list of those that are not", name)
		assert.True(t, asked[name], "%s is in no expression: remove it from the list of those that are not recorded", name)
	}
	for name, isNodes := range asked {
		assert.True(t, !isNodes || recorded[name] || notRecorded[name] != "", "%s is on no recorded page", name)
	}
	t.Logf("%d samples are asked for, %d of them are on no recorded page", len(asked), len(notRecorded))
}

// With what no recorded page has, all of them do.
func TestDashboardsOverAllPages(t *testing.T) {
	needed, queries, data := map[string]bool{}, 0, 0
	inDashboards(t, madeUp(t), func(t *testing.T, get getFunc) {
		with := func(text string, hasData bool) {
			queries++
			reason := reasonWithout(text)
			needed[reason] = true
			if hasData {
				data++
				assert.Empty(t, reason, "there is data: %s", text)
			} else {
				assert.NotEmpty(t, reason, "no data, and no reason for that: %s", text)
			}
		}
		for _, d := range readDashboards(t) {
			for _, q := range d.queries {
				expr := d.fill(q.expr)
				with(expr, q.hasData(t, get, expr))
			}
			for _, v := range d.variables {
				match, label := labelValues(t, v.query)
				var values []string
				require.NoError(t, json.Unmarshal(get("label/"+label+"/values", url.Values{"match[]": {d.fill(match)}}), &values))
				with(v.query, len(values) > 0)
			}
		}
	})
	for _, w := range dashboardsWithout {
		assert.True(t, needed[w.reason], "no query has %q: remove it", w.part)
	}
	t.Logf("%d of %d expressions and variables give data over all pages", data, queries)
}

// labelValues returns the arguments of label_values(selector, label).
func labelValues(t *testing.T, query string) (match, label string) {
	inner, ok := strings.CutPrefix(strings.TrimSuffix(query, ")"), "label_values(")
	at := strings.LastIndexByte(inner, ',')
	require.True(t, ok && at > 0, query)
	return inner[:at], strings.TrimSpace(inner[at+1:])
}

// queryAPI returns what answers queries over the cluster, as a proxy does.
func queryAPI(t *testing.T, w *cluster) getFunc {
	c := ProxyConfig{HTTPWriteTimeout: time.Minute, MaxCollections: 16, HeartbeatInterval: 10 * time.Second, HeartbeatTimeout: 30 * time.Second,
		Queries: QueryConfig{Timeout: 30 * time.Second, MaxSamples: 50_000_000, Concurrency: 20}}
	api := &httpapi.ProxyAPI{Collect: w.proxy.Collect, Cluster: w.proxy.Cluster, Tree: w.sys.Tree, Counts: w.sys.Counts, ProxyCounts: w.proxy.Counts,
		Process: processUsage, MaxInFlightBytes: 1 << 30, Ready: func() bool { return true }, CollectTimeout: clusterPatience, StartedAt: time.Now(), Log: zap.NewNop()}
	c.addQueries(api, 1<<30, Program{Log: zap.NewNop()}, incidentseries.Config{})
	h := api.Handler()
	return func(path string, parameters url.Values) json.RawMessage {
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/api/v1/"+path+"?"+parameters.Encode(), nil))
		var body struct {
			Warnings []string        `json:"warnings"`
			Data     json.RawMessage `json:"data"`
		}
		require.Equal(t, http.StatusOK, answer.Code, "%s %v: %s", path, parameters, answer.Body)
		require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &body))
		require.Empty(t, body.Warnings, "%s %v", path, parameters)
		return body.Data
	}
}
