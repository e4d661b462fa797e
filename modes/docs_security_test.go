package modes

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	testNames = regexp.MustCompile("`(Test[A-Za-z0-9]+)(?:/([a-z_]+))?`")
	testFuncs = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(t `)
)

// securityPage returns docs/security.md up to its tables of threats, and those.
func securityPage(t *testing.T) (page, threats string) {
	t.Helper()
	text, err := os.ReadFile("../docs/security.md")
	require.NoError(t, err)
	page, threats, found := strings.Cut(string(text), "\n## Threats\n")
	require.True(t, found)
	return page, threats
}

// sources returns the Go files of the module, those of tests or all others.
func sources(t *testing.T, ofTests bool) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") != ofTests {
			return err
		}
		text, err := os.ReadFile(path)
		all[path] = string(text)
		return err
	}))
	return all
}

// Each test that docs/security.md names is one of whole processes, and each "cannot" of its tables has one.
func TestDocsSecurityNamesTests(t *testing.T) {
	_, threats := securityPage(t)
	e2e, parts := map[string]bool{}, ""
	for path, text := range sources(t, true) {
		for _, m := range testFuncs.FindAllStringSubmatch(text, -1) {
			e2e[m[1]] = strings.Contains(text, "//go:build e2e")
		}
		if strings.Contains(path, "e2e_threats") {
			parts += text
		}
	}
	named := testNames.FindAllStringSubmatch(threats, -1)
	require.Greater(t, len(named), 20)
	for _, m := range named {
		require.True(t, e2e[m[1]], "%s is no test of whole processes", m[1])
		if m[2] != "" {
			require.Contains(t, parts, `{"`+m[2]+`", `, "%s has no such part", m[1])
		}
	}
	for line := range strings.Lines(threats) {
		if strings.HasPrefix(line, "| ") && strings.Contains(line, "cannot") {
			require.Regexp(t, testNames, line)
		}
	}
	for _, m := range regexp.MustCompile(`\{"([a-z_]+_cannot_[a-z_]+)", `).FindAllStringSubmatch(parts, -1) {
		require.Contains(t, threats, "/"+m[1]+"`", "the page does not name it")
	}
}

// docs/security.md has a word on each flag that has to do with who may speak.
func TestDocsSecurityNamesFlags(t *testing.T) {
	page, _ := securityPage(t)
	of := regexp.MustCompile(`tls|token|^web-config-file$|^http-operator$|^grpc-(client|node-id)|^proxy-(ca|cert|key|server)|^(scrape|alertmanager)-config|^external-url$|^allow-remote|^collect-config$`)
	named := 0
	for _, o := range append(docsCommand("proxy").options, docsCommand("agent").options...) {
		if of.MatchString(o.name) {
			named++
			require.Regexp(t, "--"+o.name+`[^a-z-]`, page)
		}
	}
	require.Greater(t, named, 20)
}

// What docs/security.md says that the log says is what the program says.
func TestDocsSecurityNamesFailures(t *testing.T) {
	page, _ := securityPage(t)
	_, failures, found := strings.Cut(page, "| what the log or the answer says | what to do |\n|---|---|\n")
	require.True(t, found)
	code := ""
	for _, text := range sources(t, false) {
		code += text
	}
	rows := 0
	for line := range strings.Lines(failures) {
		if m := regexp.MustCompile("^\\| `(.*?)` \\|").FindStringSubmatch(line); m != nil {
			rows++
			require.Contains(t, code, m[1])
		}
	}
	require.Greater(t, rows, 15)
}
