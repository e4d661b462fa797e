package banyandb

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// reportDir makes a directory of files, each a second newer than the one before.
func reportDir(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, name := range names {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(fmt.Sprintf(`{"file":%q}`, name)), 0o600))
		at := time.Unix(1_000_000_000+int64(i), 0)
		require.NoError(t, os.Chtimes(path, at, at))
	}
	return dir
}

func filenames(t *testing.T, dir, problem string) (names []string) {
	t.Helper()
	reports, err := ReadReports(dir)
	if problem == "" {
		require.NoError(t, err)
	} else {
		require.ErrorContains(t, err, problem)
	}
	for _, r := range reports {
		names = append(names, r.Filename)
	}
	return names
}

func TestReports(t *testing.T) {
	dir := reportDir(t, "z.json", "a.txt", "b.json", "c.json")
	reports, err := ReadReports(dir)
	require.NoError(t, err)
	require.Len(t, reports, 3)
	require.Equal(t, "c.json", reports[0].Filename)
	require.Equal(t, `{"file":"c.json"}`, reports[0].JSON)
	require.Equal(t, []string{"c.json", "b.json", "z.json"}, filenames(t, dir, ""))
	require.Equal(t, []string{"6.json", "5.json", "4.json", "3.json", "2.json"},
		filenames(t, reportDir(t, "1.json", "2.json", "3.json", "4.json", "5.json", "6.json", "x.tmp"), ""))
	require.Empty(t, filenames(t, reportDir(t), ""))
	require.Empty(t, filenames(t, filepath.Join(dir, "absent"), ""))
}

func TestReportsLeftOut(t *testing.T) {
	dir := reportDir(t, "1.json", "2.json", "3.json", "4.json", "5.json", "large.json", "most.json")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "large.json"), make([]byte, maxReportBytes+1), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "most.json"), []byte(strings.Repeat("x", maxReportBytes)), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "dir.json"), 0o700))
	outside := reportDir(t, "secret.json")
	if os.Symlink(filepath.Join(outside, "secret.json"), filepath.Join(dir, "link.json")) == nil {
		require.NoError(t, os.Symlink("1.json", filepath.Join(dir, "inside.json")))
	}
	require.Equal(t, []string{"most.json", "5.json", "4.json", "3.json", "2.json"}, filenames(t, dir, `"large.json" has more than 1048576 bytes`))
}

func TestReportsOfALink(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "reports")
	if err := os.Symlink(reportDir(t, "secret.json"), dir); err != nil {
		t.Skip("no links here:", err)
	}
	require.Empty(t, filenames(t, dir, "is not a directory, but a file or a link"))
	file := filepath.Join(reportDir(t, "file"), "file")
	require.Empty(t, filenames(t, file, "is not a directory, but a file or a link"))
}

func TestReportsAreText(t *testing.T) {
	dir := reportDir(t, "a.json")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.json"), []byte("{\"a\":\"\xff\"}"), 0o600))
	reports, err := ReadReports(dir)
	require.NoError(t, err)
	require.Equal(t, "{\"a\":\"\uFFFD\"}", reports[0].JSON)
}
