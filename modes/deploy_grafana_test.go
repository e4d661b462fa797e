package modes

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fodc/recorder/recordertest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// grafanaSource is how a dashboard names a data source.
type grafanaSource struct{ Type, UID string }

// grafanaDashboard is what the tests read of a dashboard of deploy/grafana.
type grafanaDashboard struct {
	UID, Title, Description string
	SchemaVersion           int
	Panels                  []grafanaPanel
	Templating              struct{ List []grafanaVariable }
	Annotations             struct{ List []grafanaAnnotation }
}

type grafanaPanel struct {
	ID                       int
	Type, Title, Description string
	Datasource               *grafanaSource
	GridPos                  struct{ X, Y, W, H int }
	FieldConfig              struct{ Defaults struct{ Unit string } }
	Targets                  []struct {
		Expr       string
		Datasource *grafanaSource
		Instant    bool
	}
}

type grafanaVariable struct {
	Name, Type, AllValue, Definition string
	Multi                            bool
	Query                            any
	Datasource                       *grafanaSource
}

type grafanaAnnotation struct {
	Name, Expr string
	BuiltIn    int
	Datasource *grafanaSource
}

func grafanaDashboards(t *testing.T) map[string]grafanaDashboard {
	paths, err := filepath.Glob("../deploy/grafana/*.json")
	require.NoError(t, err)
	all := map[string]grafanaDashboard{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		var d grafanaDashboard
		require.NoError(t, json.Unmarshal(text, &d), path)
		all[filepath.Base(path)] = d
	}
	require.Len(t, all, 4)
	return all
}

// corePanels are the types of panels that need no plugin.
var corePanels = []string{"stat", "timeseries", "state-timeline", "table"}

// Each dashboard can be imported as it is: it asks for nothing but a data source, and nothing in it is there twice.
func TestGrafanaDashboardsAreWhole(t *testing.T) {
	uids := map[string]bool{}
	for name, d := range grafanaDashboards(t) {
		require.False(t, uids[d.UID], "%s: the uid %s is of another one, too", name, d.UID)
		uids[d.UID] = true
		require.True(t, strings.HasPrefix(d.UID, "fodc-") && d.Title != "" && d.Description != "" && d.SchemaVersion >= 39, name)
		require.Equal(t, "datasource", d.Templating.List[0].Name, name)
		ids, taken := map[int]bool{}, map[[2]int]string{}
		for _, p := range d.Panels {
			where := name + ": " + p.Title
			assert.False(t, ids[p.ID] || p.ID == 0, "%s: the id %d", where, p.ID)
			ids[p.ID] = true
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					assert.Empty(t, taken[[2]int{x, y}], "%s is over it", where)
					taken[[2]int{x, y}] = p.Title
				}
			}
			assert.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, where)
			if p.Type == "row" {
				continue
			}
			assert.Contains(t, corePanels, p.Type, where)
			assert.NotEmpty(t, p.FieldConfig.Defaults.Unit, "%s has no unit", where)
			assert.Regexp(t, `^[A-Z0-9].*\.$`, p.Description, where)
			assert.NotEmpty(t, p.Targets, where)
			requireVariableSource(t, where, p.Datasource)
			for _, q := range p.Targets {
				requireVariableSource(t, where, q.Datasource)
			}
		}
		for _, v := range d.Templating.List[1:] {
			if v.Type == "query" {
				requireVariableSource(t, name+": "+v.Name, v.Datasource)
			}
		}
		for _, a := range d.Annotations.List {
			if a.BuiltIn == 0 {
				requireVariableSource(t, name+": "+a.Name, a.Datasource)
			}
		}
	}
}

func requireVariableSource(t *testing.T, where string, s *grafanaSource) {
	t.Helper()
	require.Equal(t, &grafanaSource{"prometheus", "${datasource}"}, s, where)
}

// grafanaQuery is one expression as Grafana sends it.
type grafanaQuery struct {
	where, expr string
	instant     bool
}

// queries returns all expressions of the dashboard, with the values in the place of variables.
func (d grafanaDashboard) queries(t *testing.T, name string, values map[string]string) (all []grafanaQuery) {
	add := func(where, expr string, instant bool) {
		expr = grafanaVariableName.ReplaceAllStringFunc(expr, func(v string) string {
			value, known := values[strings.Trim(v, "${}")]
			require.True(t, known, "%s: there is no variable %s", where, v)
			return value
		})
		all = append(all, grafanaQuery{name + ": " + where, expr, instant})
	}
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			add(p.Title, q.Expr, q.Instant)
		}
	}
	for _, a := range d.Annotations.List {
		if a.BuiltIn == 0 {
			add("annotation "+a.Name, a.Expr, false)
		}
	}
	return all
}

// chosenNodes selects nodes of the test, which the pages with faults do not have.
var chosenNodes = regexp.MustCompile(`(node_id|node_role)=~"[^"]*"`)

var grafanaVariableName = regexp.MustCompile(`\$\w+|\$\{\w+\}`)

// Every family exists: in docs/metrics.md, in that of the kernel, on a recorded page, or in the list of those that no recorded page has.
func TestGrafanaDashboardsNameFamilies(t *testing.T) {
	text, err := os.ReadFile("../docs/metrics.md")
	require.NoError(t, err)
	kernel, err := os.ReadFile("../docs/kernel-telemetry.md")
	require.NoError(t, err)
	documented, notRecorded := docsMetrics(t, string(text)), familiesNotRecorded(t)
	recorded := "\n"
	for _, page := range recordertest.Pages(t, "../testdata/banyandb") {
		recorded += string(page)
	}
	host, err := os.ReadFile("../actors/agent/telemetry/testdata/v2.prom")
	require.NoError(t, err)
	recorded += string(host)
	values := map[string]string{"__rate_interval": "1m", "__range": "1h", "incident": "", "node": "n", "role": "r"}
	for name, d := range grafanaDashboards(t) {
		for _, q := range d.queries(t, name, values) {
			for _, s := range selectorsOf(t, q.expr) {
				family := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(s.Name, "")
				_, isDocumented := documented[family]
				known := isDocumented || strings.Contains(string(kernel), "\n| `"+family+"`") || notRecorded[s.Name] != "" ||
					regexp.MustCompile(`(?m)^`+s.Name+`[{ ]`).MatchString(recorded)
				require.True(t, known, "%s: there is no family %s", q.where, s.Name)
			}
		}
	}
}

// What Grafana provisions names the folder of the dashboards, and a data source of the type that they ask for.
func TestGrafanaProvisioning(t *testing.T) {
	read := func(path string, into any) {
		text, err := os.ReadFile("../deploy/grafana/provisioning/" + path)
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(text, into))
	}
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct{ Name, Type, Access, URL string }
	}
	read("datasources/fodc.yaml", &sources)
	require.Equal(t, 1, sources.APIVersion)
	require.Equal(t, "[{fodc prometheus proxy http://proxy.example:17901}]", fmt.Sprint(sources.Datasources))
	var boards struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name, Type string
			Options    struct{ Path string }
		}
	}
	read("dashboards/fodc.yaml", &boards)
	require.Equal(t, "[{fodc file {/var/lib/grafana/dashboards/fodc}}]", fmt.Sprint(boards.Providers))
	text, err := os.ReadFile("../docs/grafana.md")
	require.NoError(t, err)
	require.Contains(t, string(text), boards.Providers[0].Options.Path, "docs/grafana.md does not mount the folder")
}
