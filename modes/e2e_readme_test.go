//go:build e2e && linux

package modes_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	readmeSeries = regexp.MustCompile(`(?m)^([a-z]\w+\{.*\}) \S+$`)
	labelValue   = regexp.MustCompile(`"[^"]*"`)
)

// requireReadmeSeries requires the series that the first commands of docs/getting-started.md show to be on
// the page, with the same labels in the same order. Their values are of another machine.
func requireReadmeSeries(t *testing.T, page string) {
	t.Helper()
	first, err := os.ReadFile("../docs/getting-started.md")
	require.NoError(t, err)
	shown := readmeSeries.FindAllSubmatch(first, -1)
	require.Len(t, shown, 3, "series in docs/getting-started.md")
	page = labelValue.ReplaceAllString(page, `""`)
	for _, m := range shown {
		require.Contains(t, page, "\n"+labelValue.ReplaceAllString(string(m[1]), `""`)+" ", "docs/getting-started.md shows %s", m[1])
	}
}
