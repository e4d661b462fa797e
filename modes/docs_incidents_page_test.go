package modes

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// incidentsPage returns docs/incidents.md.
func incidentsPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/incidents.md")
	require.NoError(t, err)
	return string(text)
}

// TestIncidentsPageCommands: each command of fodc in the page is one that the program takes.
func TestIncidentsPageCommands(t *testing.T) {
	commands := regexp.MustCompile(`(?m)^(?:    |\$ )(fodc .*)$`).FindAllStringSubmatch(incidentsPage(t), -1)
	require.Greater(t, len(commands), 15)
	for _, m := range commands {
		line, _, _ := strings.Cut(m[1], "   ") // Behind it may be a comment.
		line, _, _ = strings.Cut(line, " | ")
		args := words(t, strings.TrimSpace(line))[1:]
		if args[0] == "agent" {
			args = append(args, "--node-id", "n", "--node-role", "r")
		}
		o := run(t, nil, nil, args...)
		require.Equal(t, exitClean, o.code, "%s: %s", line, o.stderr)
	}
}

// TestIncidentsPageFlags: the page has every flag of the commands that it is about.
func TestIncidentsPageFlags(t *testing.T) {
	page := incidentsPage(t)
	for _, tool := range append(incidentsTools(Runners{}), viewTool(Runners{})) {
		for _, o := range tool.options {
			if len(o.name) > 1 {
				require.Contains(t, page, "--"+o.name, "fodc %s %s", tool.parent, tool.name)
			}
		}
	}
	for _, o := range append(incidentOptions(&AgentIncidentsConfig{}), ownIncidentOptions(&AgentIncidentsConfig{})...) {
		require.Contains(t, page, "--"+o.name)
	}
	for _, o := range proxyIncidentOptions(&ProxyIncidentsConfig{}) {
		require.Contains(t, page, "--"+o.name)
	}
}

// TestIncidentsPageRules: the rules of the page are right, and pass their tests.
func TestIncidentsPageRules(t *testing.T) {
	page := incidentsPage(t)
	t.Chdir(t.TempDir())
	files := regexp.MustCompile("(?s)```yaml\n# ([a-z_]+\\.yml)\n(.*?)```").FindAllStringSubmatch(page, -1)
	require.Len(t, files, 3)
	for _, m := range files {
		require.NoError(t, os.WriteFile(m[1], []byte(m[2]), 0o600))
	}
	commands := regexp.MustCompile(`(?m)^\$ fodc rules (check|test) (\S+)\n(.*)$`).FindAllStringSubmatch(page, -1)
	require.Len(t, commands, 3)
	for _, m := range commands {
		var out, stderr bytes.Buffer
		require.NoError(t, RunRules(t.Context(), RulesConfig{Do: RulesDo(m[1]), Files: []string{m[2]}}, &out, &stderr), stderr.String())
		require.Equal(t, m[3]+"\n", out.String())
	}
}
