package modes

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fodc/actors/agent/rules"

	"github.com/stretchr/testify/require"
)

func TestRulesCommandLine(t *testing.T) {
	f := func(want RulesConfig, args ...string) {
		t.Helper()
		o := run(t, nil, nil, append([]string{"rules"}, args...)...)
		require.Equal(t, exitClean, o.code, o.stderr)
		require.Equal(t, want, o.config)
	}
	f(RulesConfig{})
	f(RulesConfig{Do: RulesCheck, Files: []string{"a", "b"}}, "check", "a", "b")
	f(RulesConfig{Do: RulesTest, Files: []string{"-a"}}, "test", "--", "-a")
	for _, args := range [][]string{{"rules", "--help"}, {"help", "rules"}, {"rules", "test", "--help"}} {
		o := run(t, nil, nil, args...)
		require.Equal(t, exitClean, o.code)
		require.Contains(t, o.stdout, "FILE... [flags]")
	}
	bad := func(words string, args ...string) {
		t.Helper()
		wrong(t, run(t, nil, nil, append([]string{"rules"}, args...)...), "fodc rules", words)
	}
	bad(`unknown command "print": must be check or test (see fodc rules --help)`, "print")
	bad("check: FILE... is missing: one or more files of alerting rules", "check")
	bad(`test: FILE... "": must be the name of a file`, "test", "a", "")
	bad(`check: unknown flag "--x"`, "check", "--x", "a")
}

func TestRunRules(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, text string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	good := write("a.yml", "groups: [{name: g, rules: [{alert: EndpointDown, expr: x > 1}, {alert: Mine, expr: x > 2}]}]")
	bad := write("b.yml", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: x >}\n")
	passing := write("t.yml", "rule_files: [a.yml]\ntests: [{input_series: [{series: x, values: 3}], alert_rule_test: [{alertname: Mine, exp_alerts: [{}]}]}]")
	failing := write("u.yml", "rule_files: [a.yml]\ntests: [{input_series: [{series: x, values: 3}], alert_rule_test: [{alertname: Mine}]}]")
	f := func(do RulesDo, files []string, wantErr string, wantOut, wantStderr string) {
		t.Helper()
		var out, stderr bytes.Buffer
		err := RunRules(t.Context(), RulesConfig{Do: do, Files: files}, &out, &stderr)
		if wantErr == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, wantErr)
		}
		short := func(b *bytes.Buffer) string {
			return strings.ReplaceAll(b.String(), dir+string(filepath.Separator), "")
		}
		require.Equal(t, wantOut, short(&out))
		require.Equal(t, wantStderr, short(&stderr))
	}
	f("", nil, "", string(rules.Builtin()), "")
	f(RulesCheck, []string{good, bad}, "not all is right in 1 of 2 files", "a.yml: 2 rules, in the place of the built-in EndpointDown\n",
		"b.yml:4:22: group \"g\", rule 1, \"A\": could not parse expression: 1:4: parse error: unexpected end of input\n")
	f(RulesTest, []string{passing, failing}, "tests fail in 1 of 2 files", "t.yml: all tests have passed\n",
		"u.yml: test 1: alertname Mine, eval_time 0s:\n  expected: none\n  got:      {alertname=\"Mine\"} {}\n")
	wrong := filepath.Join(dir, "w.yml")
	require.NoError(t, os.WriteFile(wrong, []byte("rule_files: [a.yml]\ntests:\n  - intervall: 1m\n    input_series: {a: b}\n"), 0o600))
	f(RulesTest, []string{wrong}, "tests fail in 1 of 1 files", "", "w.yml:3: the field \"intervall\" is not known here\nw.yml:4: a mapping is not allowed here\n")
	require.NoError(t, os.WriteFile(wrong, []byte("tests: [\n"), 0o600))
	f(RulesTest, []string{wrong}, "tests fail in 1 of 1 files", "", "w.yml:1: did not find expected node content\n")
}

// TestDocumentOfRules: the document has each of the built-in rules, with its severity.
func TestDocumentOfRules(t *testing.T) {
	text, err := os.ReadFile("../docs/incidents.md")
	require.NoError(t, err)
	set, err := rules.Load(true, nil)
	require.NoError(t, err)
	documented := 0
	for _, d := range set.Rules() {
		require.Contains(t, string(text), "\n| `"+d.Name+"` | "+d.Severity()+" |")
	}
	for line := range strings.Lines(string(text)) {
		if name, is := strings.CutPrefix(line, "| `"); is {
			name, _, _ = strings.Cut(name, "`")
			documented += len(set.Named(name).Rules())
		}
	}
	require.Equal(t, len(set.Rules()), documented)
}
