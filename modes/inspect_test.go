package modes

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
	"fodc/recorder/journal/diskfs"

	"github.com/stretchr/testify/require"
)

// journalBegin is when journals of tests begin.
var journalBegin = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

// testJournal writes a journal for a test to read: 120 series, a scrape each ten seconds.
type testJournal struct {
	t       *testing.T
	storage string
	writer  *journal.Writer
	now     time.Time
	number  int64
	series  *recorder.SeriesList
}

func newTestJournal(t *testing.T) *testJournal {
	j := &testJournal{t: t, storage: t.TempDir(), now: journalBegin, series: &recorder.SeriesList{
		Families: []recorder.Family{{Name: "requests_total", Type: messages.TypeCounter, Help: "Requests."}}}}
	for i := range 120 {
		j.series.Keys = append(j.series.Keys, recorder.SeriesKey{Name: "requests_total", Labels: messages.LabelText(fmt.Sprintf(`path="/%d"`, i))})
		j.series.FamilyOf = append(j.series.FamilyOf, 0)
	}
	j.start()
	return j
}

// start begins a new process.
func (j *testJournal) start() {
	j.number = 0
	j.writer = journal.NewWriter(diskfs.New(filepath.Join(j.storage, journalDirName)), journal.Config{
		Node:          journal.Node{NodeID: "data-0", Role: "datanode-hot", AgentVersion: "test"},
		RetentionTime: 72 * time.Hour, RetentionBytes: 512 << 20, SyncInterval: 10 * time.Second})
	require.NoError(j.t, j.writer.Open(j.now))
}

// run goes on for so many scrapes.
func (j *testJournal) run(scrapes int) {
	for range scrapes {
		j.number++
		values := make([]float64, len(j.series.Keys))
		for i := range values {
			values[i] = float64(int(j.number) * i)
		}
		require.NoError(j.t, j.writer.Append(&recorder.Batch{Number: j.number, Target: "http://node/metrics", At: j.now.UnixMilli(),
			Series: j.series, Values: values}, j.now))
		j.now = j.now.Add(10 * time.Second)
	}
}

// stop ends the process cleanly. Without it, it was killed.
func (j *testJournal) stop() { require.NoError(j.t, j.writer.Close(j.now)) }

// flip changes a bit in the middle of a segment.
func (j *testJournal) flip(number int) {
	path := filepath.Join(j.storage, journalDirName, fmt.Sprintf("%08d.segment", number))
	data, err := os.ReadFile(path)
	require.NoError(j.t, err)
	data[len(data)/2] ^= 1
	require.NoError(j.t, os.WriteFile(path, data, 0o600))
}

func inspectText(t *testing.T, c InspectConfig) (string, error) {
	t.Helper()
	var b strings.Builder
	err := RunInspect(context.Background(), c, &b)
	return b.String(), err
}

func TestInspectAJournal(t *testing.T) {
	j := newTestJournal(t)
	j.run(12)
	j.stop()
	j.now = j.now.Add(time.Hour)
	j.start()
	j.run(6) // and goes on: inspect works beside it
	f := func(dir string) {
		t.Helper()
		text, err := inspectText(t, InspectConfig{Dir: dir})
		require.NoError(t, err)
		require.Regexp(t, `^journal +`+dirPattern(filepath.Join(j.storage, "journal"))+`\n`, text)
		require.Regexp(t, `\nnode +data-0, role datanode-hot, recorded by version test\n`, text)
		require.Regexp(t, `\nsegments +2 \(1 closed, 1 open\)\n`, text)
		require.Regexp(t, `\nsamples +2160\n`, text)
		require.Regexp(t, `\n1 +closed +2026-05-04T03:02:01Z  2026-05-04T03:03:51Z +1 +120 +12 +1440 +\d+ +\d+\.\d\d\n`, text)
		require.Regexp(t, `\n2 +open +2026-05-04T04:04:01Z  2026-05-04T04:04:51Z +1 +120 +6 +720 +\d+ +\d+\.\d\d\n`, text)
		require.Regexp(t, `\n2026-05-04T03:04:01Z  2026-05-04T04:04:01Z  1h0m0s  the agent was stopped\n`, text)
		require.NotContains(t, text, "damage")
	}
	f(j.storage)
	f(filepath.Join(j.storage, "journal"))

	text, err := inspectText(t, InspectConfig{Dir: j.storage, Output: "json", Verify: true})
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &m))
	require.Equal(t, true, m["verified"])
	require.Equal(t, 2160.0, m["samples"])
	require.Empty(t, m["damage"])

	// A copy without permission to write.
	if runtime.GOOS != "windows" {
		require.NoError(t, os.Chmod(filepath.Join(j.storage, "journal"), 0o500))
		t.Cleanup(func() { _ = os.Chmod(filepath.Join(j.storage, "journal"), 0o700) })
		f(j.storage)
	}
}

func dirPattern(dir string) string { return strings.ReplaceAll(dir, `\`, `\\`) }

func TestInspectFindsDamage(t *testing.T) {
	j := newTestJournal(t)
	j.run(50)
	j.stop()
	j.start()
	j.run(50)
	j.flip(1)
	text, err := inspectText(t, InspectConfig{Dir: j.storage})
	require.NoError(t, err)
	require.Contains(t, text, "2 (1 closed, 1 open)", "the index of the first segment is whole")

	text, err = inspectText(t, InspectConfig{Dir: j.storage, Verify: true})
	require.EqualError(t, err, "damaged: 1 of 2 files in "+filepath.Join(j.storage, "journal"))
	require.Contains(t, text, "2 (1 open, 1 damaged)")
	require.Regexp(t, `\n00000001\.segment  \d+ +.*checksum`, text)
	require.Contains(t, text, "every record was read\n")

	j.flip(2)
	text, err = inspectText(t, InspectConfig{Dir: j.storage, Output: "json", Verify: true})
	require.ErrorContains(t, err, "damaged: 2 of 2 files")
	require.Contains(t, text, `"state": "damaged"`)
}

func TestInspectWithoutSegments(t *testing.T) {
	dir := t.TempDir()
	text, err := inspectText(t, InspectConfig{Dir: dir})
	require.NoError(t, err)
	require.Equal(t, "journal   "+dir+"\nsegments  none\n", text)
	_, err = inspectText(t, InspectConfig{Dir: filepath.Join(dir, "gone")})
	require.ErrorContains(t, err, filepath.Join(dir, "gone"))
	require.ErrorIs(t, err, os.ErrNotExist)

	// A file that is no segment of this program.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "00000007.segment"), []byte("x"), 0o600))
	text, err = inspectText(t, InspectConfig{Dir: dir, Verify: true})
	require.ErrorContains(t, err, "damaged: 1 of 1 files")
	require.Contains(t, text, "1 (1 unreadable)")
	require.Regexp(t, `\n00000007\.segment +- +`, text)
}
