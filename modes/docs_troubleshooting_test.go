package modes

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// said are texts of docs/troubleshooting.md that the operating system or Go's library says.
var said = []string{"connection refused", "no such host"}

// What docs/troubleshooting.md says that the program says is in its sources, and each symptom of its list has a part.
func TestDocsTroubleshooting(t *testing.T) {
	text, err := os.ReadFile("../docs/troubleshooting.md")
	require.NoError(t, err)
	page := regexp.MustCompile("(?s)```console\n.*?```").ReplaceAllString(string(text), "")
	code := strings.Join(said, "\n")
	for _, source := range sources(t, false) {
		code += source
	}
	code = strings.ReplaceAll(code, `\"`, `"`)
	messages := 0
	for _, m := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(page, -1) {
		if isMessage := strings.Contains(m[1], " ") && !regexp.MustCompile(`^(fodc|ss|curl) |^--`).MatchString(m[1]); isMessage {
			messages++
			require.Contains(t, code, m[1])
		}
	}
	require.Greater(t, messages, 12)
	parts := 0
	for _, m := range regexp.MustCompile(`\]\(#([a-z0-9-]+)\)`).FindAllStringSubmatch(page, -1) {
		parts++
		require.True(t, slices.Contains(anchors(page), m[1]), m[1])
	}
	require.Greater(t, parts, 12)
}

// anchors returns those that the headings of a page have.
func anchors(page string) (all []string) {
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(page, -1) {
		all = append(all, regexp.MustCompile(`[^a-z0-9_-]`).ReplaceAllString(strings.ReplaceAll(strings.ToLower(m[1]), " ", "-"), ""))
	}
	return all
}

// Links between documents lead to headings that there are.
func TestDocsLinks(t *testing.T) {
	all := documents(t)
	links := 0
	for doc, text := range all {
		for _, m := range regexp.MustCompile(`\]\(([^)#:]*)#([^)]+)\)`).FindAllStringSubmatch(text, -1) {
			of := doc
			if m[1] != "" {
				of = path.Join(path.Dir(doc), m[1])
			}
			if target, ok := all[of]; ok {
				links++
				require.True(t, slices.Contains(anchors(target), m[2]), "%s leads to %s#%s", doc, of, m[2])
			}
		}
	}
	require.Greater(t, links, 50)
}
