package recordertest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// realPages is how many pages there are of a real node.
const realPages = 9

// Pages returns the pages of a real node by the names of their files. The directory is that of
// testdata/banyandb, as the test sees it.
func Pages(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.prom"))
	require.NoError(t, err)
	require.Len(t, files, realPages)
	all := make(map[string][]byte)
	for _, file := range files {
		all[filepath.Base(file)], err = os.ReadFile(file)
		require.NoError(t, err)
	}
	return all
}
