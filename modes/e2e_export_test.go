//go:build e2e && linux

package modes_test

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/messages"
	recording "fodc/recorder"
	"fodc/recorder/journal"
	"fodc/recorder/journal/diskfs"

	"github.com/stretchr/testify/require"
)

// exportJournal writes a journal of some hours, in which the clock is set back once, and returns
// its samples as promtool dumps them.
func exportJournal(t *testing.T, dir string) (lines []string) {
	node := journal.Node{NodeID: "data-0", Role: "data", PodName: "pod-0", Labels: map[string]string{"zone": "z"}}
	w := journal.NewWriter(diskfs.New(filepath.Join(dir, "journal")),
		journal.Config{Node: node, RetentionTime: 1000 * time.Hour, RetentionBytes: 1 << 30, SyncInterval: time.Minute})
	now := time.UnixMilli(1_704_110_400_000)
	require.NoError(t, w.Open(now))
	list := &recording.SeriesList{Families: []recording.Family{{Name: "requests_total", Type: messages.TypeCounter, Help: "Requests."},
		{Name: "latency_seconds", Type: messages.TypeHistogram}, {Name: "pause_seconds", Type: messages.TypeSummary}, {Name: "load", Type: messages.TypeGauge}}}
	var names []string
	add := func(family int, s messages.Suffix, own messages.LabelText, shown string) {
		f := list.Families[family].Name
		list.Keys, list.FamilyOf = append(list.Keys, recording.SeriesKey{Name: f, Suffix: s, Labels: own}), append(list.FamilyOf, int32(family))
		names = append(names, fmt.Sprintf(`{__name__="%s", %s}`, f+s.String(), shown))
	}
	const id = `node_id="data-0", node_role="data", node_zone="z", pod_name="pod-0"`
	add(0, messages.SuffixNone, `container_name="data",group="/a"`, `container_name="data", group="/a", `+id)
	add(0, messages.SuffixNone, `node_id="other"`, `exported_node_id="other", `+id)
	add(1, messages.SuffixBucket, `le="0.5"`, `le="0.5", `+id)
	add(1, messages.SuffixBucket, `le="+Inf"`, `le="+Inf", `+id)
	add(1, messages.SuffixSum, "", id)
	add(1, messages.SuffixCount, "", id)
	add(2, messages.SuffixNone, `quantile="0.5"`, id+`, quantile="0.5"`)
	add(3, messages.SuffixNone, "", id)
	for i := range 3 * 360 {
		if i == 500 {
			now = now.Add(-20*time.Minute - 5*time.Second)
		}
		b := &recording.Batch{Number: int64(i + 1), Target: "http://data-0/metrics", At: now.UnixMilli(), Series: list}
		for j := range list.Keys {
			v := []float64{float64(i), 1 / float64(i+j+1), math.NaN(), math.Inf(-1)}[(i+j)%4]
			b.Values = append(b.Values, v)
			lines = append(lines, fmt.Sprintf("%s %g %d", names[j], v, b.At))
		}
		require.NoError(t, w.Append(b, now))
		now = now.Add(10 * time.Second)
	}
	require.NoError(t, w.Close(now))
	slices.Sort(lines)
	return lines
}

// output runs a program and returns the lines that it prints, sorted.
func output(t *testing.T, program string, args ...string) []string {
	t.Helper()
	cmd := exec.Command(program, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s\n%s", stderr.String(), out)
	require.Empty(t, stderr.String())
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(lines)
	return lines
}

func requireSameLines(t *testing.T, want, got []string) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		require.Equal(t, want[i], got[i], "line %d", i)
	}
	require.Equal(t, len(want), len(got))
}

func TestE2EJournalBecomesBlocks(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	require.NoError(t, err, "install Debian's prometheus package")
	dir := t.TempDir()
	want := exportJournal(t, dir)

	blocks := filepath.Join(dir, "blocks")
	said := output(t, binary, "journal", "export", dir, "--format", "tsdb", "--output", blocks)
	require.Equal(t, []string{fmt.Sprintf("%s: %d samples in 3 blocks, 1 of them for samples that are not in the order of time", blocks, len(want))}, said)
	require.Len(t, output(t, promtool, "tsdb", "list", blocks), 1+3)
	requireSameLines(t, want, output(t, promtool, "tsdb", "dump", blocks))

	page, loaded := filepath.Join(dir, "page"), filepath.Join(dir, "loaded")
	output(t, binary, "journal", "export", filepath.Join(dir, "journal"), "--output", page)
	output(t, promtool, "tsdb", "create-blocks-from", "openmetrics", page, loaded)
	require.NoError(t, os.Mkdir(filepath.Join(loaded, "wal"), 0o700))
	requireSameLines(t, want, output(t, promtool, "tsdb", "dump", loaded))

	onStdout := output(t, binary, "journal", "export", dir, "--start", "2024-01-01T12:00:00Z", "--end", "1704110409", "--match", "latency_seconds_sum")
	require.Len(t, onStdout, 3, "%v", onStdout)
}

func TestE2EExportFails(t *testing.T) {
	dir := t.TempDir()
	exportJournal(t, dir)
	f := func(want string, args ...string) {
		t.Helper()
		out, err := exec.Command(binary, append([]string{"journal", "export"}, args...)...).CombinedOutput()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		require.Equal(t, 1, exit.ExitCode())
		require.Equal(t, "fodc journal export: "+want+"\n", string(out))
	}
	f("no samples from ... to 1970-01-01T00:00:00Z: the journal has samples from 2024-01-01T12:00:00Z to 2024-01-01T14:39:45Z", dir, "--end", "0")
	f(dir+" exists: nothing is overwritten", dir, "--output", dir)
	empty := t.TempDir()
	f("the journal has no samples", empty)
}
