//go:build e2e && linux

package modes_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/recorder/bundle"
	"fodc/recorder/bundle/bundletest"
)

// toolOutput runs a program in a directory, and returns what it prints.
func toolOutput(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %q: %s", name, args, out)
	return string(out)
}

// TestE2EBundle: a bundle is read by tar, sha256sum, promtool and go tool pprof, and by fodc view, which ends at Ctrl-C and leaves
// nothing behind.
func TestE2EBundle(t *testing.T) {
	t.Parallel()
	source, i := bundletest.Write(t, t.TempDir(), bundletest.Options{Blocks: []string{"data-0"}, Windows: []string{"data-1"}, Series: 50, LogBytes: 10_000})
	d, err := bundle.OpenDir(source)
	require.NoError(t, err)
	dir, root := t.TempDir(), bundle.Root(i.ID)
	for name, o := range map[string]bundle.Options{"full": {}, "lite": {Lite: true}} {
		var b bytes.Buffer
		require.NoError(t, bundle.Write(t.Context(), &b, d, o))
		at := filepath.Join(dir, name)
		require.NoError(t, os.Mkdir(at, 0o700))
		file := filepath.Join(at, root+".tar.gz")
		require.NoError(t, os.WriteFile(file, b.Bytes(), 0o600))
		toolOutput(t, at, "tar", "xzf", file)
		require.NotContains(t, toolOutput(t, filepath.Join(at, root), "sha256sum", "-c", "SHA256SUMS"), "FAILED")
		for _, node := range []string{"data-0", "data-1"} {
			blocks := filepath.Join(at, root, "nodes", node, "block")
			require.Regexp(t, `01[0-9A-Z]{24}`, toolOutput(t, at, "promtool", "tsdb", "list", blocks))
			require.Contains(t, toolOutput(t, at, "promtool", "tsdb", "analyze", blocks), "Highest cardinality metric names")
			dumped := regexp.MustCompile(`(?m)^\{__name__="process_resident_memory_bytes", .*node_id="`+node+`".*\} [0-9.e+]+ \d{13}$`).FindAllString(toolOutput(t, at, "promtool", "tsdb", "dump", blocks), -1)
			require.Len(t, dumped, 72)
		}
		for _, path := range []string{file, at, filepath.Join(at, root)} {
			requireView(t, path, i.ID)
		}
	}
	require.Contains(t, toolOutput(t, dir, "go", "tool", "pprof", "-raw", filepath.Join(dir, "full", root, "nodes", "data-0", "profiles", "heap.pb.gz")), "Samples:")
	require.NoDirExists(t, filepath.Join(dir, "lite", root, "nodes", "data-0", "profiles"))
}

// requireView shows an incident and ends.
func requireView(t *testing.T, path, id string) {
	t.Helper()
	temp := t.TempDir()
	cmd := exec.CommandContext(t.Context(), binary, "view", path)
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	url := ""
	var said strings.Builder
	for lines := bufio.NewScanner(out); url == "" && lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if found := regexp.MustCompile(`^(http://\S+)/  \(Ctrl-C`).FindStringSubmatch(lines.Text()); found != nil {
			url = found[1]
		}
	}
	require.Contains(t, said.String(), "# Incident "+id)
	require.NotEmpty(t, url, said.String())
	for path, want := range map[string]string{"/incidents": id, "/incidents/" + id + "/changes": "process_resident_memory_bytes", "/api/v1/query?query=sum(process_resident_memory_bytes)": `"success"`} {
		response, err := http.Get(url + path)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Contains(t, string(body), want)
	}
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		_ = cmd.Process.Kill()
		require.Fail(t, "fodc view does not end")
	}
	left, err := os.ReadDir(temp)
	require.NoError(t, err)
	require.Empty(t, left)
}
