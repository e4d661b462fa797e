//go:build e2e && linux

package modes_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	readmeSeries = regexp.MustCompile(`(?m)^ {4}([a-z]\w+\{.*\}) \S+$`)
	labelValue   = regexp.MustCompile(`"[^"]*"`)
)

// requireReadmeSeries requires the series that the quick start of the README shows to be on
// the page, with the same labels in the same order. Their values are of another machine.
func requireReadmeSeries(t *testing.T, page string) {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	shown := readmeSeries.FindAllSubmatch(readme, -1)
	require.Len(t, shown, 3, "series in the README")
	page = labelValue.ReplaceAllString(page, `""`)
	for _, m := range shown {
		require.Contains(t, page, "\n"+labelValue.ReplaceAllString(string(m[1]), `""`)+" ", "README.md shows %s", m[1])
	}
}
