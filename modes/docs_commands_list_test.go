package modes

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// notRun is a command that no test runs.
type notRun struct {
	command *regexp.Regexp
	// reason is why it cannot run in a test.
	reason string
	// check is what is tested instead.
	check func(t *testing.T, c docCommand)
}

// cannotRun is looked through in its order.
var cannotRun = []notRun{
	{regexp.MustCompile(`^(bin/)?fodc [^|]`), "it runs for good, or needs machines, files and times of an example", isParsed},
	{regexp.MustCompile(`^fodc_1\.2\.3_linux_amd64/fodc --version$`), "the archive is of a release", isAsReleased},
	{regexp.MustCompile(`^([A-Z_]+=\S+ )*make `), "it takes minutes, or is what runs this test", isTarget},
	{regexp.MustCompile(`^go test `), "it takes minutes, or is what runs this test", isTest},
	{regexp.MustCompile(`^go tool pprof -top /\S+\.pprof$`), "the profile is of an example; that of docs/incidents.md is read", isNothingMore},
	{regexp.MustCompile(`^curl `), "its answer is input of another program: docs/api.md has the route with an answer", isRoute},
	{regexp.MustCompile(`^promtool query (instant|range) .*http://proxy\.example:17901 `), "the proxy is an example: TestE2EPromtoolQueries asks one", isNothingMore},
	{regexp.MustCompile(`^promtool tsdb create-blocks-from openmetrics \S+ \S+$`), "it fills the storage of a Prometheus: TestE2EOpenMetricsBlocks does", isNothingMore},
	{regexp.MustCompile(`^touch empty\.yml$|^prometheus --config\.file empty\.yml --storage\.tsdb\.path blocks `), "it runs for good: TestE2EJournalExport starts one", isNothingMore},
	{regexp.MustCompile(`^banyand standalone `), "it is another project's program", isNothingMore},
	{regexp.MustCompile(`^(apt-get|dnf) (install|upgrade) `), "it changes this system: TestE2EPackageOfDebian installs into a directory", isAsReleased},
	{regexp.MustCompile(`^systemctl `), "it needs systemd as the first process", isUnit},
	{regexp.MustCompile(`^install -D -m 644 /usr/share/doc/fodc/`), "it changes this system", isInstalled},
	{regexp.MustCompile(`^set -a; \. /etc/default/fodc-agent; set \+a$`), "TestDocsInstall runs the next command with these settings", isNothingMore},
	{regexp.MustCompile(`^(sha256sum --check --ignore-missing SHA256SUMS|tar xzf fodc_\S+\.tar\.gz)$`), "the files are those of a release: make release-check makes them", isNothingMore},
	{regexp.MustCompile(`^skopeo copy --all oci-archive:`), "it needs a registry", isAsReleased},
	{regexp.MustCompile(`^docker compose -f deploy/compose/compose\.yaml up --build$`), "it needs a daemon and images: TestCompose reads the file", isNothingMore},
	{regexp.MustCompile(`^docker run .* grafana/grafana$`), "it needs a daemon and an image: TestGrafanaProvisioning reads what it mounts", isNothingMore},
	{regexp.MustCompile(`^docker run `), "it needs a daemon: TestE2EImage runs the image's program as the image says", isCommandOfImage},
}

// withoutComment returns what is before a comment, a pipe or a redirection.
func withoutComment(line string) string {
	for _, end := range []string{"  #", "   ", " | ", " > ", " & "} {
		line, _, _ = strings.Cut(line, end)
	}
	return strings.TrimSpace(line)
}

// isNothingMore is for commands whose expression in cannotRun has all of it.
func isNothingMore(*testing.T, docCommand) {}

// isParsed: the program takes the command line. Flags that a node has in its environment are added.
func isParsed(t *testing.T, c docCommand) {
	t.Helper()
	line := withoutComment(c.line)
	args := words(t, line)
	if args[0] == "fodc" || args[0] == "bin/fodc" {
		args = args[1:]
	}
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "$PWD", "/srv")
	}
	for _, needed := range []string{"--node-id", "--node-role"} {
		if slices.Contains(args, "agent") && !slices.Contains(args, needed) {
			args = append(args, needed, "x")
		}
	}
	dir := t.TempDir()
	t.Chdir(dir)
	for _, file := range []string{"proxy.yaml", "empty.yml"} {
		require.NoError(t, os.WriteFile(file, nil, 0o600))
	}
	want := exitClean
	if strings.Contains(c.line, "--collect-timeout 1m") { // Which is the example of a wrong value.
		want = exitUsage
	}
	o := run(t, nil, nil, args...)
	require.Equal(t, want, o.code, "%s: %s: %s", c.doc, c.line, o.stderr)
}

// isTarget: make has the targets, and the Makefile or what it calls reads the variables.
func isTarget(t *testing.T, c docCommand) {
	t.Helper()
	makefile, err := os.ReadFile("../Makefile")
	require.NoError(t, err)
	for _, word := range words(t, withoutComment(c.line)) {
		if name, _, isVariable := strings.Cut(word, "="); isVariable {
			require.True(t, isRead(t, name), "%s: nothing reads %s: %s", c.doc, name, c.line)
		} else if word != "make" {
			require.Regexp(t, `(?m)^`+regexp.QuoteMeta(word)+`:`, string(makefile), "%s: %s", c.doc, c.line)
		}
	}
}

// isRead reports whether the Makefile, a script that it calls or a benchmark reads the variable.
func isRead(t *testing.T, name string) bool {
	t.Helper()
	for _, pattern := range []string{"Makefile", "modes/*/*_test.go", "actors/agent/telemetry/kernel/vm/*"} {
		files, err := filepath.Glob(filepath.Join("..", pattern))
		require.NoError(t, err)
		for _, file := range files {
			if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), name) {
				return true
			}
		}
	}
	return false
}

// isTest: the package is there, and has a test, or a benchmark, of that name.
func isTest(t *testing.T, c docCommand) {
	t.Helper()
	args := words(t, withoutComment(c.line))[2:]
	of := slices.IndexFunc(args, func(a string) bool { return a == "." || strings.HasPrefix(a, "./") })
	require.GreaterOrEqual(t, of, 0, c.line)
	files, err := filepath.Glob(filepath.Join("..", args[of], "*_test.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files, "%s: %s", c.doc, c.line)
	text := ""
	for _, file := range files {
		one, err := os.ReadFile(file)
		require.NoError(t, err)
		text += string(one)
	}
	for i, arg := range args[:len(args)-1] {
		name, _, _ := strings.Cut(args[i+1], "/")
		if name = strings.Trim(name, "^$"); slices.Contains([]string{"-run", "-bench", "-fuzz"}, arg) && name != "" && name != "." {
			require.Regexp(t, `func (Test|Fuzz|Benchmark)?\w*`+name, text, "%s: %s", c.doc, c.line)
		}
	}
}

// isRoute: docs/openapi.yaml has the path.
func isRoute(t *testing.T, c docCommand) {
	t.Helper()
	api, err := os.ReadFile("../docs/openapi.yaml")
	require.NoError(t, err)
	m := regexp.MustCompile(`(?:localhost|proxy\.example):1790[12](/[a-z-]+)`).FindStringSubmatch(c.line)
	require.NotNil(t, m, c.line)
	require.Contains(t, string(api), "\n  "+m[1])
}

// isAsReleased: a file of the name is what the scripts of deploy/ make.
func isAsReleased(t *testing.T, c docCommand) {
	t.Helper()
	require.Regexp(t, `fodc_\d+\.\d+\.\d+_(amd64|arm64)\.deb|fodc-\d+\.\d+\.\d+-1\.(x86_64|aarch64)\.rpm|fodc_\d+\.\d+\.\d+_oci\.tar|fodc_\d+\.\d+\.\d+_linux_amd64/fodc`, c.line)
}

// isUnit: a service of fodc that the command is about is in deploy/systemd.
func isUnit(t *testing.T, c docCommand) {
	t.Helper()
	args := strings.Fields(c.line)
	require.Contains(t, []string{"enable", "status", "restart", "stop", "start", "daemon-reload"}, args[1], c.line)
	if unit := args[len(args)-1]; strings.HasPrefix(unit, "fodc") {
		require.FileExists(t, filepath.Join("..", "deploy", "systemd", unit+".service"))
	}
}

// isInstalled: what is copied is a file of the packages.
func isInstalled(t *testing.T, c docCommand) {
	t.Helper()
	m := installedFiles.FindStringSubmatch(c.line)
	require.NotNil(t, m)
	require.FileExists(t, filepath.Join("..", "deploy", m[1]))
}

// isCommandOfImage: the program takes what is behind the image's name.
func isCommandOfImage(t *testing.T, c docCommand) {
	t.Helper()
	_, command, found := strings.Cut(c.line, "registry.example/fodc:v1.2.3 ")
	require.True(t, found, c.line)
	isParsed(t, docCommand{c.doc, c.kind, "fodc " + command})
}

var (
	inlineCommand = regexp.MustCompile("`(?:bin/)?fodc( [^`\n]+)`")
	inlineFlag    = regexp.MustCompile(`(?:^|\s)--([a-z][a-z-]*)`)
)

// Commands of fodc within sentences are there, and have the flags that are named with them.
func TestDocsInlineCommands(t *testing.T) {
	helps, found := map[string]string{}, 0
	for doc, text := range documents(t) {
		for _, m := range inlineCommand.FindAllStringSubmatch(text, -1) {
			found++
			words := strings.Fields(m[1])
			at := slices.IndexFunc(words, func(w string) bool { return !regexp.MustCompile(`^[a-z]+$`).MatchString(w) })
			if at < 0 {
				at = len(words)
			}
			name := strings.Join(words[:min(at, 2)], " ")
			if _, asked := helps[name]; !asked {
				helps[name] = helpOf(t, doc, words[:min(at, 2)])
			}
			for _, flag := range inlineFlag.FindAllStringSubmatch(m[1], -1) {
				require.Regexp(t, `--`+flag[1]+`[^a-z-]`, helps[name], "%s: %s", doc, m[0])
			}
		}
	}
	require.Greater(t, found, 40)
}

// helpOf returns the help of a command: of two words, the second may be an operand.
func helpOf(t *testing.T, doc string, names []string) string {
	t.Helper()
	o := run(t, nil, nil, append(slices.Clone(names), "--help")...)
	require.Equal(t, exitClean, o.code, "%s names fodc %q: %s", doc, names, o.stderr)
	if len(names) > 0 {
		require.Contains(t, o.stdout, "fodc "+names[0], "%s names fodc %q", doc, names)
	}
	return o.stdout
}

// Flags within sentences are those of a command, as the manual page has them all.
func TestDocsInlineFlags(t *testing.T) {
	manual := run(t, nil, nil, "man")
	require.Equal(t, exitClean, manual.code)
	all := strings.ReplaceAll(manual.stdout, `\-`, "-")
	found := 0
	for doc, text := range documents(t) {
		for _, m := range regexp.MustCompile("`--([a-z][a-z-]*[a-z])\\b[^-]").FindAllStringSubmatch(text, -1) {
			found++
			if !slices.Contains(othersFlags, m[1]) {
				require.Regexp(t, `--`+m[1]+`[^a-z-]`, all, "%s: --%s", doc, m[1])
			}
		}
	}
	require.Greater(t, found, 500)
}

// othersFlags are flags of a database and of Helm that documents name.
var othersFlags = []string{"name", "node-host", "reset-then-reuse-values"}
