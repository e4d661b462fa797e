package modes

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fodc/messages"
	"fodc/modes/export"
	"fodc/recorder"
	"fodc/recorder/journal"
	"fodc/recorder/journal/diskfs"

	"github.com/stretchr/testify/require"
)

// recorded is a journal in a storage directory.
type recorded struct {
	t   *testing.T
	dir string
	now time.Time
	// number is that of the newest scrape of all processes.
	number int64
}

// newRecorded begins a journal at noon of 2024-01-01.
func newRecorded(t *testing.T) *recorded {
	r := &recorded{t: t, dir: t.TempDir(), now: time.Unix(1704110400, 0).UTC()}
	require.NoError(t, os.Mkdir(r.segments(), 0o755))
	return r
}

func (r *recorded) segments() string { return filepath.Join(r.dir, "journal") }

func (r *recorded) files() []string {
	found, err := filepath.Glob(filepath.Join(r.segments(), "*.segment"))
	require.NoError(r.t, err)
	return found
}

// process records scrapes as one process of a node, each 10 s after the one before: a counter that
// counts them, and a gauge that is in the first half of them only.
func (r *recorded) process(node journal.Node, scrapes int) {
	r.t.Helper()
	w := journal.NewWriter(diskfs.New(r.segments()), journal.Config{Node: node, RetentionTime: 10000 * time.Hour, RetentionBytes: 1 << 30, SyncInterval: time.Second})
	require.NoError(r.t, w.Open(r.now))
	families := []recorder.Family{{Name: "x_total", Type: messages.TypeCounter}, {Name: "g", Type: messages.TypeGauge}}
	all := &recorder.SeriesList{Families: families, Keys: []recorder.SeriesKey{{Name: "x_total", Labels: `a="1"`}, {Name: "g"}}, FamilyOf: []int32{0, 1}}
	half := &recorder.SeriesList{Families: families, Keys: all.Keys[:1], FamilyOf: all.FamilyOf[:1]}
	for i := range scrapes {
		r.number++
		b := &recorder.Batch{Number: r.number, Target: "http://node/metrics", At: r.now.UnixMilli(), Series: all, Values: []float64{float64(i), float64(i) / 2}}
		if i >= scrapes/2 {
			b.Series, b.Values = half, b.Values[:1]
		}
		require.NoError(r.t, w.Append(b, r.now))
		r.now = r.now.Add(10 * time.Second)
	}
	require.NoError(r.t, w.Close(r.now))
}

var nodeA = journal.Node{NodeID: "a", Role: "data", PodName: "p", AgentVersion: "v1"}

// requireCSV runs a query over the directory, and compares its samples, and what is said on stderr.
func (r *recorded) requireCSV(c QueryCommandConfig, said string, rows ...string) {
	r.t.Helper()
	c.Dir, c.Output = r.dir, "csv"
	stdout, stderr, err := askServer(r.t, c)
	require.NoError(r.t, err)
	require.Equal(r.t, said, stderr)
	require.Equal(r.t, strings.Join(rows, "\n")+"\n", stdout)
}

func TestQueryOfAJournal(t *testing.T) {
	r := newRecorded(t)
	r.process(nodeA, 100) // until 12:16:30
	r.requireCSV(QueryCommandConfig{Expr: "x_total"}, "", "time,value,__name__,a,node_id,node_role,pod_name", "2024-01-01T12:16:30.000Z,99,x_total,1,a,data,p")
	r.requireCSV(QueryCommandConfig{Expr: `x_total{node_id="b"}`}, "fodc query: info: the query selects none of the nodes that are here\n", "time,value")
	r.requireCSV(QueryCommandConfig{Expr: "rate(x_total[1m]) * 10"}, "", "time,value,a,node_id,node_role,pod_name", "2024-01-01T12:16:30.000Z,1,1,a,data,p")
	r.requireCSV(QueryCommandConfig{Expr: "x_total", Time: When{Ago: 5 * time.Minute}}, "", "time,value,__name__,a,node_id,node_role,pod_name", "2024-01-01T12:11:30.000Z,69,x_total,1,a,data,p")
	r.requireCSV(QueryCommandConfig{Expr: "x_total", Time: When{At: r.now.Add(time.Hour)}}, "", "time,value")
	r.requireCSV(QueryCommandConfig{Expr: "x_total", Start: When{Ago: 25 * time.Second}, Step: 10 * time.Second}, "",
		"time,value,__name__,a,node_id,node_role,pod_name", "2024-01-01T12:16:05.000Z,96,x_total,1,a,data,p", "2024-01-01T12:16:15.000Z,97,x_total,1,a,data,p", "2024-01-01T12:16:25.000Z,98,x_total,1,a,data,p")
	r.requireCSV(QueryCommandConfig{Expr: "time() - 1704110400"}, "", "time,value", "2024-01-01T12:16:30.000Z,990")
	r.requireCSV(QueryCommandConfig{Expr: "fodc_agent_up"}, "", "time,value,__name__,node_id,node_role,pod_name", "2024-01-01T12:16:30.000Z,1,fodc_agent_up,a,data,p")
	// That a directory can be read does not say that its agent is up.
	today := time.Now().UTC().Truncate(time.Millisecond)
	r.requireCSV(QueryCommandConfig{Expr: "fodc_agent_up", Time: When{At: today}}, "", "time,value,__name__,node_id,node_role,pod_name",
		today.Format("2006-01-02T15:04:05.000Z")+",0,fodc_agent_up,a,data,p")

	// A series that left the page ends there, and not when a query looks back no further.
	r.requireCSV(QueryCommandConfig{Expr: "g"}, "", "time,value")
	r.requireCSV(QueryCommandConfig{Expr: "g", Start: When{Ago: 8*time.Minute + 30*time.Second}, End: When{Ago: 8 * time.Minute}, Step: 10 * time.Second}, "",
		"time,value,__name__,node_id,node_role,pod_name", "2024-01-01T12:08:00.000Z,24,g,a,data,p", "2024-01-01T12:08:10.000Z,24.5,g,a,data,p")

	// The directory of the segments is the same.
	r.dir = r.segments()
	r.requireCSV(QueryCommandConfig{Expr: "count({node_id='a',__name__!='fodc_agent_up'})"}, "", "time,value", "2024-01-01T12:16:30.000Z,1")
}

func TestQueryOfSeveralProcesses(t *testing.T) {
	r := newRecorded(t)
	r.process(nodeA, 10)
	r.now = r.now.Add(time.Hour)
	r.process(journal.Node{NodeID: "a", Role: "hot", PodName: "p", Labels: map[string]string{"zone": "z"}}, 10)
	r.now = r.now.Add(time.Minute)
	r.process(journal.Node{NodeID: "b"}, 10)
	require.Len(t, r.files(), 3)
	// A node has the labels that it had last.
	r.requireCSV(QueryCommandConfig{Expr: "count_over_time(x_total[3h])"}, "", "time,value,a,node_id,node_role,node_zone,pod_name",
		"2024-01-01T13:05:50.000Z,20,1,a,hot,z,p", "2024-01-01T13:05:50.000Z,10,1,b,,,b")
	r.requireCSV(QueryCommandConfig{Expr: `count_over_time(x_total{pod_name="p"}[3h]) + count_over_time(x_total{node_role="hot"}[1m] offset 150s)`}, "",
		"time,value,a,node_id,node_role,node_zone,pod_name", "2024-01-01T13:05:50.000Z,25,1,a,hot,z,p")
	r.requireCSV(QueryCommandConfig{Expr: `min_over_time(fodc_agent_up[2h])`}, "", "time,value,node_id,node_role,pod_name",
		"2024-01-01T13:05:50.000Z,0,a,hot,p", "2024-01-01T13:05:50.000Z,0,b,,b")
}

func TestQueryOfDamagedSegments(t *testing.T) {
	r := newRecorded(t)
	r.process(nodeA, 100)
	r.now = r.now.Add(time.Minute)
	r.process(nodeA, 100)
	data, err := os.ReadFile(r.files()[0])
	require.NoError(t, err)
	data[len(data)/2] ^= 1
	require.NoError(t, os.WriteFile(r.files()[0], data, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(r.segments(), "00000099.segment"), []byte("none"), 0o600))

	c := QueryCommandConfig{Expr: "count_over_time(x_total[1h])", Dir: r.dir, Output: "json"}
	_, stderr, err := askServer(t, c)
	require.NoError(t, err)
	require.Regexp(t, `^fodc query: warning: 00000099.segment: .*: the segment is left out
fodc query: warning: 00000001.segment is damaged at offset \d+: .*: the rest of it is left out
fodc query: warning: only a part of the answer \(journal\) from 1 of 1 nodes: "a"
$`, stderr)
	c.Strict = true
	_, _, err = askServer(t, c)
	require.EqualError(t, err, `unavailable: expanding series: only a part of the answer (journal) from 1 of 1 nodes: "a"`)

	// What is not damaged is whole.
	c.Expr = "count_over_time(x_total[1m])"
	require.NoError(t, os.Remove(filepath.Join(r.segments(), "00000099.segment")))
	r.requireCSV(QueryCommandConfig{Expr: c.Expr, Strict: true}, "", "time,value,a,node_id,node_role,pod_name", "2024-01-01T12:34:10.000Z,6,1,a,data,p")
}

// A segment that cannot be read at all makes the time partial in which its scrapes may have been.
func TestQueryOfUnreadableSegment(t *testing.T) {
	r := newRecorded(t)
	for range 3 {
		r.process(nodeA, 12)
		r.now = r.now.Add(time.Minute)
	}
	data, err := os.ReadFile(r.files()[1])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(r.files()[1], append([]byte("none"), data[4:]...), 0o600))
	c := QueryCommandConfig{Expr: "count_over_time(x_total[8m])", Dir: r.dir, Output: "csv"}
	stdout, stderr, err := askServer(t, c)
	require.NoError(t, err)
	require.Contains(t, stdout, "2024-01-01T12:07:50.000Z,24,1,a,data,p")
	require.Regexp(t, `00000002.segment: .*: the segment is left out
fodc query: warning: only a part of the answer \(journal\) from 1 of 1 nodes: "a"
$`, stderr)
	c.Strict = true
	_, _, err = askServer(t, c)
	require.ErrorContains(t, err, "only a part of the answer (journal)")
	c.Expr = "count_over_time(x_total[1m])"
	stdout, _, err = askServer(t, c)
	require.NoError(t, err)
	require.Contains(t, stdout, "2024-01-01T12:07:50.000Z,6,1,a,data,p")
}

// A journal and the blocks that it was exported to give the same answers.
func TestQueryOfBlocks(t *testing.T) {
	r := newRecorded(t)
	r.process(nodeA, 1000)
	dir := filepath.Join(t.TempDir(), "blocks")
	require.NoError(t, RunExport(t.Context(), export.Config{Dir: r.dir, Format: export.FormatTSDB, Output: dir}, &bytes.Buffer{}, &bytes.Buffer{}))
	for _, c := range []QueryCommandConfig{
		{Expr: "x_total"}, {Expr: "rate(x_total[5m])"}, {Expr: "max_over_time({node_id='a',__name__!~'fodc.*'}[3h])"},
		{Expr: "x_total", Start: When{Ago: 2 * time.Hour}}, {Expr: "x_total[1m]"}, {Expr: "absent(y)"}, {Expr: "x_total offset 1h"},
	} {
		c.Output = "json"
		c.Dir = r.dir
		want, stderr, err := askServer(t, c)
		require.NoError(t, err)
		require.Empty(t, stderr)
		c.Dir = dir
		got, stderr, err := askServer(t, c)
		require.NoError(t, err)
		require.Empty(t, stderr)
		require.JSONEq(t, want, got, c.Expr)
	}

	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "wal"), 0o755)) // promtool wants it
	_, stderr, err := askServer(t, QueryCommandConfig{Dir: dir})
	require.NoError(t, err)
	require.Empty(t, stderr)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "wal", "00000000"), nil, 0o600))
	_, stderr, err = askServer(t, QueryCommandConfig{Dir: dir})
	require.NoError(t, err)
	require.Equal(t, "fodc query: warning: samples that are in the write-ahead log of "+dir+", and in no block yet, are not read\n", stderr)
	_, _, err = askServer(t, QueryCommandConfig{Dir: dir, Strict: true})
	require.ErrorContains(t, err, "are not read")

	index := filepath.Join(dir, names[0].Name(), "index")
	require.NoError(t, os.Truncate(index, 20))
	_, _, err = askServer(t, QueryCommandConfig{Dir: dir})
	require.ErrorContains(t, err, "block "+filepath.Join(dir, names[0].Name())+" is damaged: ")
}

func TestDirectoryThatIsNone(t *testing.T) {
	f := func(want, dir string) {
		t.Helper()
		_, _, err := askServer(t, QueryCommandConfig{Dir: dir})
		require.ErrorContains(t, err, want)
	}
	dir := t.TempDir()
	f(dir+" has neither segments of a journal (00000001.segment and so on, in it or in its directory journal) nor blocks of a Prometheus database (directories such as 01HK2Z7T4Q8YV5M3X6W9R1B0CD)", dir)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "wal"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "wal", "00000000"), nil, 0o600))
	f("(directories such as 01HK2Z7T4Q8YV5M3X6W9R1B0CD); it has the write-ahead log of one, which is not read", dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "meta.json"), nil, 0o600))
	f("; it is such a block: name the directory that it is in", dir)
	require.NoError(t, os.Remove(filepath.Join(dir, "meta.json")))
	f("--dir: stat "+filepath.Join(dir, "gone"), filepath.Join(dir, "gone"))
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	f("--dir "+file+" is a file: it must be a directory", file)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "journal"), 0o755))
	f("the journal in "+dir+" has no samples", dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "journal", "00000001.segment"), []byte("x"), 0o600))
	f(dir+" has no samples", dir)
	require.NoError(t, os.Mkdir(filepath.Join(dir, exampleBlock), 0o755))
	f(dir+" has both the segments of a journal and blocks of a Prometheus database", dir)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "journal")))
	f("block "+filepath.Join(dir, exampleBlock)+" is damaged", dir)
}

func TestErrorsOfAQueryInThisProcess(t *testing.T) {
	r := newRecorded(t)
	r.process(nodeA, 100)
	f := func(want string, c QueryCommandConfig) {
		t.Helper()
		c.Dir = r.dir
		_, _, err := askServer(t, c)
		require.ErrorContains(t, err, want)
	}
	f(`bad_data: invalid parameter "query": 1:4: parse error`, QueryCommandConfig{Expr: "up{"})
	f("1d has 86400 steps, and 11000 are allowed", QueryCommandConfig{Start: When{Ago: 24 * time.Hour}, Step: time.Second})
	f("execution: found duplicate series", QueryCommandConfig{Expr: `g offset 9m + on() group_left() {__name__=~"x_total|g"} offset 9m`})
}

func TestMemoryOfAQueryOfAJournal(t *testing.T) {
	r := newRecorded(t)
	r.process(nodeA, 100)
	files := diskfs.New(r.segments())
	view, err := journal.OpenView(files)
	require.NoError(t, err)
	s := newJournalStorage(files, view, &bytes.Buffer{})
	q := messages.Query{Deadline: time.Now().Add(time.Minute), Selection: messages.Selection{Window: messages.Window{Start: time.Unix(0, 0)}}}
	c, release, err := s.collect(t.Context(), q)
	require.NoError(t, err)
	require.Len(t, c.Nodes, 1)
	taken := s.taken
	require.Positive(t, taken)
	s.limit = 2*taken - 1
	_, _, err = s.collect(t.Context(), q)
	require.ErrorContains(t, err, "the samples that the query needs take more than")
	require.Equal(t, taken, s.taken)
	release()
	require.Zero(t, s.taken)
	_, release, err = s.collect(t.Context(), q)
	require.NoError(t, err)
	release()

	// The latest samples are not those of 2024.
	c, release, err = s.collect(t.Context(), messages.Query{Deadline: q.Deadline})
	require.NoError(t, err)
	require.Len(t, c.Nodes, 1)
	require.Empty(t, c.Nodes[0].Blocks)
	release()

	q.Deadline = time.Now().Add(-time.Second)
	_, _, err = s.collect(t.Context(), q)
	require.ErrorContains(t, err, "reading the journal took too long")
	require.Zero(t, s.taken)
}

func TestAnswerInThisProcessIsBounded(t *testing.T) {
	r := newRecorded(t)
	r.process(nodeA, 100)
	d, err := openQueryDir(t.Context(), QueryCommandConfig{Dir: r.dir, Timeout: time.Minute}, &bytes.Buffer{})
	require.NoError(t, err)
	defer d.close()
	d.maxBytes = 100
	_, err = d.ask(t.Context(), "/api/v1/query", map[string][]string{"query": {"x_total[1h]"}, "time": {fmt.Sprint(r.now.Unix())}})
	require.EqualError(t, err, "the answer has more than 100 bytes: ask for fewer series, a shorter range or a longer --step")
}

// A journal that a process is writing is read as far as it is written, and a series that has left the
// page has no value.
func TestQueryBesideAWriter(t *testing.T) {
	r := newRecorded(t)
	now := time.Now().Add(-time.Minute)
	w := journal.NewWriter(diskfs.New(r.segments()), journal.Config{Node: nodeA, RetentionTime: time.Hour, RetentionBytes: 1 << 30, SyncInterval: time.Second})
	require.NoError(t, w.Open(now))
	families := []recorder.Family{{Name: "g", Type: messages.TypeGauge}, {Name: "h", Type: messages.TypeGauge}}
	both := &recorder.SeriesList{Families: families, Keys: []recorder.SeriesKey{{Name: "g"}, {Name: "h"}}, FamilyOf: []int32{0, 1}}
	one := &recorder.SeriesList{Families: families, Keys: both.Keys[:1], FamilyOf: both.FamilyOf[:1]}
	for i := range 6 {
		now = now.Add(10 * time.Second)
		b := &recorder.Batch{Number: int64(i + 1), Target: "t", At: now.UnixMilli(), Series: both, Values: []float64{float64(i), 1}}
		if i == 5 {
			b.Series, b.Values = one, b.Values[:1]
		}
		require.NoError(t, w.Append(b, now))
		at := now.UTC().Format("2006-01-02T15:04:05.000Z")
		rows := []string{"time,value,__name__,node_id,node_role,pod_name", fmt.Sprintf("%s,%d,g,a,data,p", at, i)}
		if i < 5 {
			rows = append(rows, at+",1,h,a,data,p")
		}
		r.requireCSV(QueryCommandConfig{Expr: `{__name__=~"g|h"}`}, "", rows...)
	}
	require.NoError(t, w.Close(now))
}
