package modes

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// README is one screen, names the command that tests, shows a picture, and leads to each document.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	require.LessOrEqual(t, strings.Count(string(text), "\n"), 80)
	for _, must := range []string{"`make test`", "\n    make run ", "](docs/pictures/", "](docs/openapi.yaml)", "](CHANGELOG.md)", "](SECURITY.md)"} {
		require.Contains(t, string(text), must)
	}
	for doc := range documents(t) {
		if strings.HasPrefix(doc, "docs/") {
			require.Contains(t, string(text), "]("+doc+")")
		}
	}
}
