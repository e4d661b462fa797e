//go:build e2e && linux

package modes_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// queried runs fodc query.
func queried(t *testing.T, args ...string) (stdout, stderr string, exitCode int) {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"query"}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// valuesOf runs fodc query and returns the values of the result.
func valuesOf(t *testing.T, args ...string) (values []string) {
	t.Helper()
	stdout, stderr, code := queried(t, append(args, "--output", "csv")...)
	require.Zero(t, code, stderr)
	require.Empty(t, stderr)
	rows, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	require.NoError(t, err)
	for _, row := range rows[1:] {
		values = append(values, row[1])
	}
	return values
}

// TestE2EQuery: the command asks a proxy, an agent, the directory of a running agent and the blocks
// that it is exported to, and all of them know the same.
func TestE2EQuery(t *testing.T) {
	t.Parallel()
	f := startFaulty(t, filepath.Join(t.TempDir(), "fodc"))
	awaitJournal(t, f.agent, "writing")
	f.scrapes(10)
	f.shown()

	const expr = `count(last_over_time({node_id="n1",__name__=~"fodc_node_up|fodc_agent_up"}[5m]))`
	proxy, agent := "http://"+f.proxy.addr("http"), "http://"+f.agent.addr("agent")
	want := valuesOf(t, expr, "--proxy-url", proxy)
	require.Len(t, want, 1)
	require.Equal(t, want, valuesOf(t, expr, "--proxy-url", agent))
	require.Equal(t, want, valuesOf(t, "--dir", f.dir, expr))

	f.agent.kill(syscall.SIGKILL)
	_, _ = f.agent.exitCode(patience)
	require.Equal(t, want, valuesOf(t, "--dir", filepath.Join(f.dir, "journal"), expr))
	blocks := filepath.Join(t.TempDir(), "blocks")
	tool(t, "export", f.dir, "--format", "tsdb", "--output", blocks)
	require.Equal(t, valuesOf(t, "--dir", f.dir, "fodc_node_up"), valuesOf(t, "--dir", blocks, "fodc_node_up"))

	stdout, _, code := queried(t, "fodc_node_up", "--dir", blocks, "--start", "-1m")
	require.Zero(t, code)
	require.Contains(t, stdout, "┤")
	require.NotContains(t, stdout, "\x1b")
}

func TestE2EQueryFails(t *testing.T) {
	t.Parallel()
	proxy := "http://" + startProxy(t).addr("http")
	f := func(wantCode int, want string, args ...string) {
		t.Helper()
		stdout, stderr, code := queried(t, args...)
		require.Equal(t, wantCode, code, stderr)
		require.Empty(t, stdout)
		require.Regexp(t, `^fodc query: `+want+`.*\n$`, stderr)
	}
	f(1, `bad_data: invalid parameter "query": 1:4: parse error`, "up{", "--proxy-url", proxy)
	f(1, `http://127.0.0.1:1: dial tcp`, "up", "--proxy-url", "http://127.0.0.1:1")
	f(1, `.* has neither segments of a journal`, "up", "--dir", t.TempDir())
	f(1, "unavailable: .*", "up", "--strict", "--proxy-url", proxy) // There is no node.
	f(2, `--output "x": must be`, "up", "--output", "x")
}

// A reader that has seen enough ends the command without a word.
func TestE2EQueryIntoAClosedPipe(t *testing.T) {
	t.Parallel()
	proxy := "http://" + startProxy(t).addr("http")
	out, err := exec.Command("bash", "-o", "pipefail", "-c",
		`"$0" query 'vector(time())' --proxy-url "$1" --start -3h --step 1s --output csv | head -1; echo "${PIPESTATUS[0]}"`, binary, proxy).CombinedOutput()
	require.NoError(t, err, string(out))
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, lines, 2, string(out))
	require.Contains(t, lines[0], "time,value")
	require.Equal(t, "1", lines[1])
}
