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

// docCommand is a command that a document tells its reader to run.
type docCommand struct {
	doc string
	// kind is where it stands: "sh" and "console" are fences, "plain" is any other block.
	kind string
	line string
}

// playedBy has the tests that run all commands of a kind in a document, in their order.
var playedBy = map[string]string{
	"docs/api.md console":             "TestDocsAPI",
	"docs/incidents.md console":       "TestE2EIncidentsPage",
	"docs/security.md sh":             "TestE2EDocsSecurity",
	"docs/kubernetes.md sh":           "TestDocs",
	"docs/getting-started.md console": "TestE2EDocsGettingStarted",
	"docs/operations.md console":      "TestE2EDocsPages",
	"docs/troubleshooting.md console": "TestE2EDocsPages",
	"docs/upgrade.md console":         "TestE2EDocsPages",
	"docs/upgrade.md kube":            "TestDocs",
}

var (
	docFence = regexp.MustCompile("^```([a-z]*)\\s*$")
	// docPrograms are the first words of commands in blocks that may have something else in them.
	docPrograms = regexp.MustCompile(`^(?:[A-Z_]+=\S+ )*(\./)?(bin/fodc|fodc|make|go|curl|promtool|prometheus|banyand|git|touch|sudo|apt|apt-get|dnf|systemctl|kubectl|helm|docker|podman|npm|tar)\s+[^\s:]`)
	// docOutput is a line that the program prints, rather than a command: its name, and a colon.
	docOutput = regexp.MustCompile(`^(bin/)?fodc( [a-z]+)*: `)
)

// documents returns the documents that people follow, by name from the top folder.
func documents(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "deploy/*/README.md", "deploy/*/*/README.md", ".github/*.md"} {
		files, err := filepath.Glob(filepath.Join("..", pattern))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			if name := filepath.ToSlash(strings.TrimPrefix(file, "../")); name != "CHANGELOG.md" {
				all[name] = string(text)
			}
		}
	}
	require.Greater(t, len(all), 20)
	return all
}

// commandsOf returns the commands of a document. Lines that end with a backslash go on in the next one.
func commandsOf(doc, text string) (all []docCommand) {
	fenced, kind, begun := false, "", ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if m := docFence.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			fenced, kind, begun = !fenced, m[1], ""
			continue
		}
		indented, isIndented := strings.CutPrefix(line, "    ")
		switch {
		case fenced && (kind == "yaml" || kind == "ini" || kind == "json" || kind == "text") || !fenced && !isIndented:
			continue
		case !fenced:
			line = indented
		}
		in := "plain"
		if fenced && kind != "" {
			in = kind
		}
		command, prompted := strings.CutPrefix(line, "$ ")
		isCommand := prompted || begun != "" || in == "sh" || in == "plain" && docPrograms.MatchString(line) && !docOutput.MatchString(line)
		if !isCommand || strings.TrimSpace(command) == "" {
			continue
		}
		command = strings.TrimSpace(strings.TrimSpace(begun) + " " + strings.TrimSpace(command))
		if rest, goesOn := strings.CutSuffix(command, "\\"); goesOn {
			begun = rest
			continue
		}
		begun = ""
		all = append(all, docCommand{doc, in, command})
	}
	return all
}

// Each command of the documents is run by a test, or is one of those that cannot run in a test, for a reason, and is checked as far as it can be.
func TestDocsCommands(t *testing.T) {
	tests := sources(t, true)
	played, usedPlays, usedReasons := 0, map[string]bool{}, map[string]bool{}
	for doc, text := range documents(t) {
		for _, c := range commandsOf(doc, text) {
			if key := c.doc + " " + c.kind; playedBy[key] != "" {
				usedPlays[key] = true
				played++
				continue
			}
			if isKube := strings.HasPrefix(c.line, "helm ") || strings.HasPrefix(c.line, "kubectl "); isKube && playedBy[c.doc+" kube"] != "" {
				usedPlays[c.doc+" kube"] = true
				played++
				continue
			}
			i := slices.IndexFunc(cannotRun, func(n notRun) bool { return n.command.MatchString(c.line) })
			if i < 0 {
				t.Errorf("%s: no test runs %q: put it into a document or a block that one plays (playedBy), or into cannotRun with a reason and a check", c.doc, c.line)
				continue
			}
			usedReasons[cannotRun[i].command.String()] = true
			require.NotEmpty(t, cannotRun[i].reason)
			t.Run(c.doc, func(t *testing.T) { cannotRun[i].check(t, c) })
		}
	}
	require.Greater(t, played, 80)
	for key, test := range playedBy {
		require.True(t, usedPlays[key], "%s has no commands", key)
		doc, _, _ := strings.Cut(key, " ")
		require.True(t, names(tests, test, filepath.Base(doc)), "%s does not name %s, or is not there", test, doc)
	}
	for _, n := range cannotRun {
		require.True(t, usedReasons[n.command.String()], "no document has such a command any more: %s", n.command)
	}
}

// names reports whether a file has the test, and the name of the document.
func names(tests map[string]string, test, doc string) bool {
	for _, text := range tests {
		if strings.Contains(text, "func "+test+"(t ") && strings.Contains(text, doc) {
			return true
		}
	}
	return false
}

func TestDocsCommandsAreFound(t *testing.T) {
	f := func(text string, want ...docCommand) {
		t.Helper()
		require.Equal(t, want, commandsOf("x.md", text), text)
	}
	c := func(kind, line string) docCommand { return docCommand{"x.md", kind, line} }
	f("text with fodc agent\n\n    fodc agent \\\n      --node-id x\n    words\n", c("plain", "fodc agent --node-id x"))
	f("    $ strange tool\n    fodc proxy: wrong\n    A=b make x\n", c("plain", "strange tool"), c("plain", "A=b make x"))
	f("```sh\nany thing\n\nother\n```\nnot this\n", c("sh", "any thing"), c("sh", "other"))
	f("```console\n$ one | two\noutput\n```\n", c("console", "one | two"))
	f("```yaml\nfodc: x\n$ y\n```\n```\nmake test\nplain words\n```\n", c("plain", "make test"))
}
