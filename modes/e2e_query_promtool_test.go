//go:build e2e && linux

package modes_test

import (
	"archive/tar"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// comparePromtool compares what promtool prints of two servers.
func (c *queryCluster) comparePromtool(t *testing.T, want, got queryAPI) {
	const server = "SERVER"
	f := func(args ...string) {
		t.Helper()
		of := func(p queryAPI) []string {
			all := []string{"query"}
			for _, a := range args {
				if a == server {
					a = "http://" + p.addr
				}
				all = append(all, a)
			}
			return output(t, "promtool", all...)
		}
		lines := of(want)
		require.NotEmpty(t, lines[0])
		require.Equal(t, lines, of(got))
	}
	at, from, to := "--time="+unixSeconds(c.end.Add(-time.Second)), "--start="+unixSeconds(c.start), "--end="+unixSeconds(c.end)
	f("instant", at, server, "go_goroutines")
	f("instant", at, server, "sum by (node_role) (banyandb_measure_total_written)")
	f("instant", at, server, `go_goroutines{node_id="data-0"}[5s]`)
	f("range", from, to, "--step=1s", server, "go_goroutines")
	f("range", from, to, "--step=5s", server, "max by (node_zone) (max_over_time(go_goroutines[5s]))")
	f("series", "--match=go_goroutines", "--match=process_open_fds", from, to, server)
	f("labels", "--match=banyandb_measure_total_written", from, to, server, "group")
}

// requireDebugMetrics checks that promtool's archive has the proxy's page.
func requireDebugMetrics(t *testing.T, p queryAPI) {
	dir := t.TempDir()
	cmd := exec.Command("promtool", "debug", "metrics", "http://"+p.addr)
	cmd.Dir = dir
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", said)
	archive, err := os.Open(filepath.Join(dir, "debug.tar.gz"))
	require.NoError(t, err)
	defer archive.Close()
	unzipped, err := gzip.NewReader(archive)
	require.NoError(t, err)
	files := tar.NewReader(unzipped)
	file, err := files.Next()
	require.NoError(t, err)
	require.Equal(t, "metrics.txt", file.Name)
	text, err := io.ReadAll(files)
	require.NoError(t, err)
	require.Contains(t, string(text), `go_goroutines{node_id="data-0"`)
	require.Contains(t, string(text), "fodc_proxy_collections_total")
}
