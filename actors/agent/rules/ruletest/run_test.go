package ruletest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const someRules = `
groups:
  - name: g
    rules:
      - alert: High
        expr: x > 10
        for: 1m
        labels: {severity: critical}
        annotations: {summary: "x is {{ $value }}"}
`

func TestTest(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	write("rules.yml", someRules)
	f := func(text, want string) {
		t.Helper()
		name := write("test.yml", "rule_files: ['*les.yml']\nevaluation_interval: 30s\ntests:\n"+text)
		err := Test(t.Context(), name)
		if want == "" {
			require.NoError(t, err)
			return
		}
		require.Error(t, err)
		require.Equal(t, strings.ReplaceAll(want, "FILE", name), err.Error())
	}
	const series = "  - input_series: [{series: 'x{a=\"b\"}', values: '1x4 20x10'}]\n    interval: 1m\n"
	const alerts = "    alert_rule_test: [{alertname: High, eval_time: EVAL, exp_alerts: [{exp_labels: {severity: critical, a: b}, exp_annotations: {summary: x is 20}}]}]\n"
	const got = `{a="b", alertname="High", severity="critical"} {summary="x is 20"}`
	f(series+strings.ReplaceAll(alerts, "EVAL", "6m"), "")
	f(series+strings.ReplaceAll(alerts, "EVAL", "5m30s"), "FILE: test 1: alertname High, eval_time 5m30s:\n  expected: "+got+"\n  got:      none")
	f(series+"    name: holds\n    alert_rule_test: [{alertname: High, eval_time: 6m}]\n", "FILE: holds: alertname High, eval_time 6m:\n  expected: none\n  got:      "+got)
	f(series+"    alert_rule_test: [{alertname: Low, eval_time: 6m}]\n", `FILE: test 1: eval_time 6m: no rule has the alertname "Low"`)
	f(series+"    promql_expr_test: [{expr: 'sum by (a) (x)', eval_time: 6m, exp_samples: [{labels: '{a=\"b\"}', value: 20}]}, {expr: 'x > 30', eval_time: 6m}]\n", "")
	f(series+"    promql_expr_test: [{expr: x, eval_time: 1m, exp_samples: [{labels: 'x{a=\"b\"}', value: 2}]}]\n",
		"FILE: test 1: expr \"x\", eval_time 1m: expected {__name__=\"x\", a=\"b\"} 2, got:\n{__name__=\"x\", a=\"b\"} => 1 @[60000]")
	f(series+"    promql_expr_test: [{expr: x, eval_time: 1m}]\n", "FILE: test 1: expr \"x\", eval_time 1m: not expected:\n{__name__=\"x\", a=\"b\"} => 1 @[60000]")
	f(series+"    start_timestamp: 2026-01-01T00:00:00Z\n    promql_expr_test: [{expr: time(), eval_time: 1m, exp_samples: [{labels: '{}', value: 1767225660}]}]\n", "")
	f(series+"    promql_expr_test: [{expr: 'x +', eval_time: 1m}]\n", "FILE: test 1: expr \"x +\", eval_time 1m: 1:4: parse error: unexpected end of input")
	f("  - input_series: [{series: 'x{', values: '1'}]\n", "FILE: test 1: series \"x{\": 1:4: parse error: unexpected character inside braces: '1'")
	f("  - input_serie: []\n", "FILE:4: the field \"input_serie\" is not known here")
	f("  - alert_rule_test: [{alertname: High, eval_time: 10y}]\n", "FILE: test 1: an eval_time of 87600h0m0s and an evaluation_interval of 30s are more than 100000 evaluations")
	f("  - external_labels: {a: b}\n", "FILE: test 1: external_labels and external_url are not known to the rules of an agent")
	write("rules.yml", "groups: [{name: g, rules: [{alert: A, expr: sum(}]}]")
	f(series, "FILE: "+filepath.Join(dir, "rules.yml")+`:1:45: group "g", rule 1, "A": could not parse expression: 1:5: parse error: unclosed left parenthesis`)
	require.ErrorIs(t, Test(t.Context(), filepath.Join(dir, "none.yml")), os.ErrNotExist)
}

func FuzzFile(f *testing.F) {
	f.Add([]byte("evaluation_interval: 30s\ntests:\n  - input_series: [{series: x, values: '1+1x10 _ stale'}]\n    promql_expr_test: [{expr: x, eval_time: 1m}]\n"))
	f.Fuzz(func(_ *testing.T, content []byte) { _, _ = parseFile(content) })
}
