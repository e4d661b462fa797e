//go:build e2e && linux

package modes_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tool runs fodc journal, and returns what it writes to stdout.
func tool(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"journal"}, args...)...)
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); ok {
		require.Fail(t, "the tool fails", "%v: %v: %s", args, err, exit.Stderr)
	}
	require.NoError(t, err)
	return out
}

// inspected is what is compared of fodc journal inspect.
type inspected struct {
	Samples  int64             `json:"samples"`
	Bytes    int64             `json:"bytes"`
	Segments []json.RawMessage `json:"segments"`
	Damage   []json.RawMessage `json:"damage"`
	Gaps     []struct {
		Why string `json:"why"`
	} `json:"gaps"`
}

func inspect(t *testing.T, dir string) (r inspected) {
	t.Helper()
	require.NoError(t, json.Unmarshal(tool(t, "inspect", dir, "--output", "json", "--verify"), &r))
	return r
}

// TestE2EJournalInspect: what fodc journal inspect says beside a running agent, and of a copy of
// its directory, is what the agent itself says.
func TestE2EJournalInspect(t *testing.T) {
	t.Parallel()
	f := startFaulty(t, filepath.Join(t.TempDir(), "fodc"))
	awaitJournal(t, f.agent, "writing")
	f.scrapes(10)
	f.shown()

	before := journalOf(t, f.agent)
	r := inspect(t, f.dir)
	after := journalOf(t, f.agent)
	t.Logf("%d samples in %d bytes: %.2f bytes a sample", r.Samples, r.Bytes, float64(r.Bytes)/float64(r.Samples))
	require.Positive(t, before.Written)
	require.GreaterOrEqual(t, r.Samples, int64(before.Written))
	require.LessOrEqual(t, r.Samples, int64(after.Written))
	require.GreaterOrEqual(t, r.Bytes, before.Bytes)
	require.LessOrEqual(t, r.Bytes, after.Bytes)
	require.Len(t, r.Segments, after.Segments)
	require.Empty(t, r.Damage)
	require.Regexp(t, `(?m)^samples +\d+$`, string(tool(t, "inspect", f.dir)))
	require.LessOrEqual(t, int64(reading(t, f.agent, "fodc_journal_written_samples_total")), int64(journalOf(t, f.agent).Written))

	f.restart()
	f.agent.kill(syscall.SIGTERM)
	code, _ := f.agent.exitCode(patience)
	require.Zero(t, code)
	there := t.TempDir()
	copyDir(t, filepath.Join(f.dir, "journal"), there)
	r, whole := inspect(t, there), inspect(t, f.dir)
	require.Equal(t, whole, r)
	require.Len(t, r.Segments, len(segmentsIn(t, f.dir)))
	require.GreaterOrEqual(t, r.Samples, int64(after.Written))
	require.Len(t, r.Gaps, 1)
	require.Equal(t, "killed", r.Gaps[0].Why)
	require.Empty(t, r.Damage)
}

// dumped is a sample of promtool tsdb dump.
var dumped = regexp.MustCompile(`(?m)^\{__name__="past_(\d+)",.*\bi="(\d+)".*\} (\S+) (\d+)$`)

// requireBlocks checks that a directory of blocks has each sample of the past, and no other.
func (p past) requireBlocks(t *testing.T, what, dir string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "wal"), 0o755)) // promtool looks for it.
	cmd := exec.Command("promtool", "tsdb", "dump", "--match", `{__name__=~"past_.*",node_id="n1"}`, dir)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	require.NoError(t, err, problems.String())
	seen := map[[2]int]bool{}
	for _, m := range dumped.FindAllStringSubmatch(string(out), -1) {
		line := fmt.Sprintf("past_%s{,i=%q} %s %s\n", m[1], m[2], m[3], m[4])
		scrape, i, v, err := p.sample(line)
		require.NoError(t, err, m[0])
		require.Equal(t, math.Float64bits(pastValue(scrape, i)), math.Float64bits(v), m[0])
		seen[[2]int{scrape, i}] = true
	}
	require.Len(t, seen, p.scrapes*p.series, what)
}

// TestE2EJournalExport: Prometheus' tools read what fodc journal export writes, beside a running
// agent and from a copy.
func TestE2EJournalExport(t *testing.T) {
	t.Parallel()
	proxy, node, dir := startProxy(t), startCountedNode(t, 10), t.TempDir()
	const scrapes = 400
	p := past{target: node.endpoint(), series: 60, every: 10 * time.Second, scrapes: scrapes,
		from: time.Now().Add(-2 * scrapes * 10 * time.Second).Truncate(time.Millisecond)}
	writePast(t, dir, "n1", pastLimits, p, nil)
	agent := startAgent(t, proxy, "n1", "liaison", node.endpoint(), "--storage-dir", dir, "--poll-metrics-interval", "200ms")
	awaitJournal(t, agent, "writing")

	page := filepath.Join(t.TempDir(), "page.om")
	tool(t, "export", dir, "--format", "openmetrics", "--output", page)
	blocks := t.TempDir()
	require.NoError(t, command("promtool", "tsdb", "create-blocks-from", "openmetrics", page, blocks))
	p.requireBlocks(t, "of a page", blocks)

	blocks = filepath.Join(t.TempDir(), "blocks")
	tool(t, "export", dir, "--format", "tsdb", "--output", blocks)
	p.requireBlocks(t, "written as such", blocks)

	there := t.TempDir()
	copyDir(t, filepath.Join(dir, "journal"), there)
	some := tool(t, "export", there, "--match", `past_0001{i="3"}`, "--start", strconv.FormatInt(p.at(10).Unix(), 10), "--end", p.at(19).UTC().Format(time.RFC3339Nano))
	lines := regexp.MustCompile(`(?m)^[^#].*$`).FindAllString(string(some), -1)
	require.Len(t, lines, 10, string(some))
	for _, line := range lines {
		require.Regexp(t, `^past_0001\{.*\bi="3"`, line)
	}
	info, err := os.Stat(page)
	require.NoError(t, err)
	t.Logf("%d samples in a page of %d bytes, and in blocks", p.scrapes*p.series, info.Size())
}
