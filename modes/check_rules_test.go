package modes

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckRules(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, text string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	f := func(builtin bool, files []string, wantErr string) string {
		t.Helper()
		var out bytes.Buffer
		err := RunCheckRules(t.Context(), CheckRulesConfig{Files: files, Builtin: builtin}, &out, &bytes.Buffer{})
		if wantErr == "" {
			require.NoError(t, err, out.String())
		} else {
			require.EqualError(t, err, wantErr)
		}
		return strings.ReplaceAll(out.String(), dir+string(filepath.Separator), "")
	}
	good := write("a.yml", "groups: [{name: g, rules: [{alert: EndpointDown, expr: x > 1}, {alert: Mine, expr: x > 2}]}]")
	again := write("c.yml", "groups:\n- name: other\n  rules:\n  - {alert: Mine, expr: x > 3}\n")
	out := f(true, []string{good, again, filepath.Join(dir, "none-*.yml")}, "")
	require.Contains(t, out, "ok       a.yml: 2 alerting rules, in the place of the built-in EndpointDown\nok       c.yml: 1 alerting rule\nok       an agent evaluates ")
	requireLines(t, []string{`c.yml:4: group "other": the rule "Mine" replaces that of a.yml:1: give it another name to have both`, `no file matches "none-*.yml": one that appears later is read then`},
		reportLines("warning", out), out)
	require.Equal(t, "ok       a.yml: 2 alerting rules\nok       an agent evaluates 2 alerting rules, 0 of them built in\n", f(false, []string{good}, ""))

	bad := write("b.yml", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: x >}\n  - {record: a:b, expr: x}\n")
	out = f(true, []string{good, bad, filepath.Join(dir, "gone.yml")}, "there are 2 problems")
	requireLines(t, []string{`b.yml:4:22: group "g", rule 1, "A": could not parse expression: 1:4: parse error: unexpected end of input. Look at: the expression: fodc query evaluates`,
		`gone.yml: file does not exist. Look at: whether the path is right`}, reportLines("PROBLEM", out), out)
	for text, next := range map[string]string{
		"groups:\n- name: g\n  rules:\n  - {record: a:b, expr: x}\n":    "docs/incidents.md: write the expression",
		"groups:\n- name: g\n  rules:\n  - {alert: A, exp: x}\n":        "the names and the indentation",
		"groups:\n- name: g\n\trules:\n":                                "the quotes, the tabs and the indentation",
		"groups:\n- name: g\n  rules:\n  - {alert: A, expr: '\"x\"'}\n": "the expression",
		strings.Repeat("#", 1<<20+1):                                    "the limit",
	} {
		out = f(true, []string{write("d.yml", text)}, "there is 1 problem")
		require.Contains(t, out, ". Look at: "+next, out)
	}

	o := run(t, nil, nil, "check", "rules", "a", "b", "--builtin-rules=false")
	require.Equal(t, CheckRulesConfig{Files: []string{"a", "b"}}, o.config, o.stderr)
	wrong(t, run(t, nil, nil, "check", "rules"), "fodc check rules: FILE... is missing")
}
