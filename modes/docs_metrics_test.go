package modes

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

// metricDoc describes a metric, from a row of docs/metrics.md or from a page.
type metricDoc struct {
	kind   string
	labels []string
	// values are those of each label; of a row all words that stand in backquotes.
	values map[string][]string
	row    string
}

// docsMetrics reads the tables of docs/metrics.md.
func docsMetrics(t *testing.T, text string) map[string]metricDoc {
	t.Helper()
	all := map[string]metricDoc{}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "| `fodc_") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		require.Len(t, cells, 6, "name, type, labels, unit, meaning, look at it: %s", line)
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		name := strings.Trim(cells[0], "`")
		require.NotContains(t, all, name, "%s is there twice", name)
		require.NotEmpty(t, cells[4], "%s has no meaning", name)
		for unit := range strings.SplitSeq("seconds bytes", " ") {
			if strings.Contains(name, "_"+unit) {
				require.True(t, strings.HasPrefix(cells[3], unit), "%s: its unit is %s, not %q", name, unit, cells[3])
			}
		}
		require.NotEmpty(t, cells[3], "%s has no unit", name)
		all[name] = metricDoc{kind: cells[1], labels: quoted(cells[2]), row: line}
	}
	return all
}

var inBackquotes = regexp.MustCompile("`([^`]+)`")

func quoted(text string) []string {
	var all []string
	for _, m := range inBackquotes.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	slices.Sort(all)
	return all
}

// exposed returns fodc's own metrics on the pages, without identity labels.
func exposed(t *testing.T, pages ...string) map[string]metricDoc {
	t.Helper()
	all := map[string]metricDoc{}
	for _, page := range pages {
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(page))
		require.NoError(t, err)
		for name, f := range families {
			if !strings.HasPrefix(name, "fodc_") {
				continue
			}
			doc := all[name]
			doc.kind = strings.ToLower(f.GetType().String())
			if doc.values == nil {
				doc.values = map[string][]string{}
			}
			for _, m := range f.Metric {
				doc.addLabels(m)
			}
			doc.labels = slices.Sorted(maps.Keys(doc.values))
			all[name] = doc
		}
	}
	return all
}

func (d metricDoc) addLabels(m *dto.Metric) {
	for _, l := range m.Label {
		if name := l.GetName(); !strings.HasPrefix(name, "node_") && name != "pod_name" && name != "container_name" {
			d.values[name] = append(d.values[name], l.GetValue())
		}
	}
}

// pagesOfEverything are pages that show every metric that fodc has: a cluster's, and
// those of the telemetry of hosts that have everything, and of agents in conflict.
func pagesOfEverything(t *testing.T) []string {
	t.Helper()
	var pages []string
	paths, err := filepath.Glob("../actors/agent/telemetry/testdata/*.prom")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	paths = append(paths, "testdata/versions.prom", "../httpapi/testdata/self.prom", "../actors/agent/testdata/journal.prom", "../actors/agent/testdata/database.prom", "../actors/agent/testdata/pressure.prom",
		"../actors/agent/testdata/crashes.prom", "../actors/agent/testdata/incidents.prom", "../actors/agent/testdata/ramps.prom", "../actors/agent/testdata/files.prom", "../actors/agent/testdata/refusals.prom", "../actors/agent/testdata/kernelevents.prom")
	for _, path := range paths {
		page, err := os.ReadFile(path)
		require.NoError(t, err)
		pages = append(pages, string(page))
	}
	inDocsCluster(t, func(t *testing.T, w *docsCluster) {
		for _, path := range []string{"/metrics", "/metrics"} { // The second shows that there was a first.
			answer := httptest.NewRecorder()
			w.handlers["17901"].ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
			pages = append(pages, answer.Body.String())
		}
	})
	return pages
}

// A page with all metrics has each series once, and promtool finds nothing wrong with fodc's
// own metrics.
func TestMetricsPageOfEverything(t *testing.T) {
	pages := pagesOfEverything(t)
	page, seen := pages[len(pages)-1], map[string]bool{}
	for line := range strings.Lines(page) {
		if series := line[:strings.LastIndex(line, " ")]; !strings.HasPrefix(line, "#") {
			require.False(t, seen[series], "twice: %s", series)
			seen[series] = true
		}
	}
	require.True(t, seen[`fodc_agent_info{version="v1.0.0",node_id="data-1",node_role="datanode-hot",pod_name="banyandb-data-1"}`])
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed")
	}
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(page)
	out, _ := cmd.CombinedOutput() // The names of the database are not ours to lint.
	require.NotEqual(t, 1, cmd.ProcessState.ExitCode(), "it does not parse: %s", out)
	require.NotRegexp(t, "(?m)^fodc_", string(out))
}

// closedSets are the labels whose values the tables list.
var closedSets = []string{"reason", "result", "state"}

func TestDocsMetrics(t *testing.T) {
	text, err := os.ReadFile("../docs/metrics.md")
	require.NoError(t, err)
	documented, shown := docsMetrics(t, string(text)), exposed(t, pagesOfEverything(t)...)
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		is := shown[name]
		says, ok := documented[name]
		if !ok {
			t.Errorf("%s is exposed and not in docs/metrics.md: add a row\n| `%s` | %s | %s | UNIT | MEANING | LOOK AT IT |",
				name, name, is.kind, strings.Join(is.labels, ", "))
			continue
		}
		if says.kind != is.kind || fmt.Sprint(says.labels) != fmt.Sprint(is.labels) {
			t.Errorf("docs/metrics.md says that %s is a %s with the labels %v; it is a %s with %v", name, says.kind, says.labels, is.kind, is.labels)
		}
		for _, label := range closedSets {
			values := is.values[label]
			slices.Sort(values)
			for _, value := range slices.Compact(values) {
				if !strings.Contains(says.row, "`"+value+"`") {
					t.Errorf("docs/metrics.md does not say what %s{%s=%q} means", name, label, value)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(documented)) {
		if _, ok := shown[name]; !ok {
			t.Errorf("%s is in docs/metrics.md, and no page shows it: remove its row, or make it show in pagesOfEverything", name)
		}
	}
}
