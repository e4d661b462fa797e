package modes

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const prometheusDir = "../deploy/prometheus"

// ruleFile is a file of rules of Prometheus.
type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []deployedRule
	}
}

type deployedRule struct {
	Record, Alert, Expr string
	Labels, Annotations map[string]string
}

// ruleTests is a file of promtool's tests, of which only the expressions matter.
type ruleTests struct {
	Tests []struct {
		Expressions []struct {
			Expr    string
			Samples []struct{ Labels string } `yaml:"exp_samples"`
		} `yaml:"promql_expr_test"`
	}
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, into), path)
}

func deployedRules(t *testing.T) (all []deployedRule) {
	t.Helper()
	var file ruleFile
	readYAML(t, filepath.Join(prometheusDir, "rules.yaml"), &file)
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	require.NotEmpty(t, all)
	return all
}

// Each alert says how bad it is, what is wrong, what to do, and leads to a part of a document.
func TestPrometheusAlertsSayWhatToDo(t *testing.T) {
	docs := documents(t)
	names := map[string]bool{}
	for _, r := range deployedRules(t) {
		name := r.Alert + r.Record
		require.False(t, names[name], "%s is there twice", name)
		names[name] = true
		if r.Alert == "" {
			require.Regexp(t, `^[a-z_]+:[a-z_]+:[a-z0-9_]+$`, r.Record, "level:metric:operations")
			continue
		}
		assert.Contains(t, []string{"critical", "warning"}, r.Labels["severity"], name)
		for _, text := range []string{"summary", "description"} {
			assert.Regexp(t, `\.$`, r.Annotations[text], "%s: %s", name, text)
		}
		m := regexp.MustCompile(`^https://fodc\.example/(docs/[a-z-]+\.md)#([a-z0-9_-]+)$`).FindStringSubmatch(r.Annotations["runbook_url"])
		if assert.NotNil(t, m, "%s: runbook_url", name) {
			assert.Contains(t, anchors(docs[m[1]]), m[2], "%s: %s has no such part", name, m[1])
		}
	}
}

// The rules use metrics that pages have, and series that other rules record.
func TestPrometheusRulesUseMetricsThatExist(t *testing.T) {
	known := map[string]bool{"up": true}
	for _, page := range append(pagesOfEverything(t), databasePages(t)...) {
		for line := range strings.Lines(page) {
			known[line[:max(0, strings.IndexAny(line, "{ "))]] = true
		}
	}
	text, err := os.ReadFile("../docs/metrics.md")
	require.NoError(t, err)
	for name := range docsMetrics(t, string(text)) { // Some have no series where nothing has happened.
		known[name] = true
	}
	rules := deployedRules(t)
	for _, r := range rules {
		known[r.Record] = true
	}
	for _, r := range rules {
		for _, s := range selectorsOf(t, r.Expr) {
			for _, name := range selectedNames(s) {
				assert.True(t, known[name], "%s%s: no page has %s", r.Alert, r.Record, name)
			}
		}
	}
}

// selectedNames returns the names that a selector selects, of an alternative all.
func selectedNames(s *parser.VectorSelector) []string {
	if s.Name != "" {
		return []string{s.Name}
	}
	for _, m := range s.LabelMatchers {
		if m.Name == "__name__" {
			return strings.Split(m.Value, "|")
		}
	}
	return nil
}

// databasePages are pages of a database, and the names of those samples that its roles show and the recorded node does not.
func databasePages(t *testing.T) (pages []string) {
	t.Helper()
	files, err := filepath.Glob("../testdata/banyandb/*.prom")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		pages = append(pages, string(text))
	}
	for name := range familiesNotRecorded(t) {
		pages = append(pages, name+" 1\n")
	}
	return pages
}

// Each rule has a test with its result, and each alert one in which it does not fire.
func TestPrometheusRulesHaveTests(t *testing.T) {
	var tests ruleTests
	readYAML(t, filepath.Join(prometheusDir, "rules_test.yaml"), &tests)
	results, quiet := map[string]bool{}, map[string]bool{}
	for _, test := range tests.Tests {
		for _, e := range test.Expressions {
			name := e.Expr
			if m := regexp.MustCompile(`^ALERTS\{alertname="(\w+)",alertstate="firing"\}$`).FindStringSubmatch(name); m != nil {
				name = m[1]
			}
			results[name] = results[name] || len(e.Samples) > 0
			quiet[name] = quiet[name] || len(e.Samples) == 0
		}
	}
	for _, r := range deployedRules(t) {
		assert.True(t, results[r.Alert+r.Record], "%s%s: no test has a result of it", r.Alert, r.Record)
		assert.True(t, r.Alert == "" || quiet[r.Alert], "%s: in no test it does not fire", r.Alert)
	}
}

// promtool accepts the files, and the rules pass their tests.
func TestPrometheusFilesInPromtool(t *testing.T) {
	needsTool(t, "promtool", "prometheus")
	files, err := filepath.Glob(filepath.Join(prometheusDir, "*.yaml"))
	require.NoError(t, err)
	checks := map[string][]string{"rules.yaml": {"check", "rules"}, "rules_test.yaml": {"test", "rules"},
		"scrape-cluster.yaml": {"check", "config"}, "scrape-nodes.yaml": {"check", "config"}}
	require.Len(t, files, len(checks), "a file that is not checked")
	for name, args := range checks {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "promtool", slices.Concat(args, []string{name})...)
			cmd.Dir = prometheusDir
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Contains(t, string(out), "SUCCESS")
		})
	}
}

// The jobs of the files of scrapes are those that the rules ask for, and their paths are routes of the proxy.
func TestPrometheusScrapes(t *testing.T) {
	type job struct {
		Name   string                       `yaml:"job_name"`
		Path   string                       `yaml:"metrics_path"`
		Static []struct{ Targets []string } `yaml:"static_configs"`
		HTTP   []struct{ URL string }       `yaml:"http_sd_configs"`
	}
	var cluster, nodes struct {
		Jobs []job `yaml:"scrape_configs"`
	}
	readYAML(t, filepath.Join(prometheusDir, "scrape-cluster.yaml"), &cluster)
	readYAML(t, filepath.Join(prometheusDir, "scrape-nodes.yaml"), &nodes)
	require.Len(t, cluster.Jobs, 1)
	require.Len(t, nodes.Jobs, 2)
	require.Equal(t, []string{"fodc", "fodc", "fodc-nodes"}, []string{cluster.Jobs[0].Name, nodes.Jobs[0].Name, nodes.Jobs[1].Name})
	require.Equal(t, []string{"", "/metrics/self", ""}, []string{cluster.Jobs[0].Path, nodes.Jobs[0].Path, nodes.Jobs[1].Path})
	require.Equal(t, "http://proxy.example:17901/sd", nodes.Jobs[1].HTTP[0].URL)
	asked := map[string]bool{}
	for _, r := range deployedRules(t) {
		for _, s := range selectorsOf(t, r.Expr) {
			for _, m := range s.LabelMatchers {
				if m.Name == "job" {
					asked[m.Value] = true
				}
			}
		}
	}
	require.Equal(t, map[string]bool{"fodc": true, "fodc-nodes": true}, asked)
}
