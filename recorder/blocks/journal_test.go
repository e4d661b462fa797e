package blocks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"fodc/httpapi/exposition"
	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/blocks/blockstest"
	"fodc/recorder/journal"
	"fodc/recorder/promstore"
)

// begin is shortly before the range of a block ends.
var begin = time.UnixMilli(hour12).Add(Range - time.Minute).UTC()

var frozenNode = messages.Identity{NodeID: "n1", Role: "data", PodName: "p1", Labels: map[string]string{"zone": "a"}}

// drawWindow is a window of two targets, with scrapes that fail and series of all types that come and go.
func drawWindow(t *rapid.T) (*recorder.Window, time.Time) {
	w, at, used := recorder.NewWindow(recorder.Limits{}), begin, map[time.Time]bool{}
	steps := []time.Duration{10 * time.Second, 10 * time.Second, 10 * time.Second, time.Millisecond, -25 * time.Second, 4 * time.Minute}
	for range rapid.IntRange(1, 40).Draw(t, "scrapes") {
		// Of two samples with the same time an export may have the other one than a query.
		for at = at.Add(rapid.SampledFrom(steps).Draw(t, "step")); used[at]; at = at.Add(time.Millisecond) {
		}
		used[at] = true
		s := recorder.Scrape{At: at, Samples: []recorder.Sample{{Name: "up", Type: messages.TypeGauge, Value: 1}, {Name: "fodc_build_info", Value: 1}}}
		if rapid.IntRange(0, 7).Draw(t, "fails") == 0 {
			s.Failure, s.Samples = "timeout", nil
		} else {
			s.Page = &recorder.Page{}
			s.Page.Parse([]byte(drawPage(t)), "text/plain; version=0.0.4", recorder.ParseLimits{})
		}
		name := rapid.SampledFrom([]string{"one", "two"}).Draw(t, "target")
		w.Append(recorder.Target{Name: name, Labels: []messages.Label{{Name: "target", Value: name}}}, s)
	}
	return w, at
}

func drawPage(t *rapid.T) string {
	var b strings.Builder
	value := func() string {
		return rapid.SampledFrom([]string{"0", "1", "17", "0.125", "NaN", "+Inf", "12345678"}).Draw(t, "value")
	}
	present := func() bool { return rapid.IntRange(0, 4).Draw(t, "present") > 0 }
	if present() {
		if rapid.Bool().Draw(t, "typed") {
			b.WriteString("# TYPE h histogram\n")
		}
		for _, le := range []string{"1", "+Inf"} {
			fmt.Fprintf(&b, "h_bucket{x=\"1\",le=\"%s\"} %s\n", le, value())
		}
		fmt.Fprintf(&b, "h_sum{x=\"1\"} %s\nh_count{x=\"1\"} %s\n", value(), value())
	}
	for _, name := range []string{"a", "b"} {
		for i := range 3 {
			if present() {
				fmt.Fprintf(&b, "%s{n=\"%d\",node_id=\"x\"} %s\n", name, i, value())
			}
		}
	}
	return b.String()
}

// answerOf returns what the window has from one time to another, as the node's answer to a query.
func answerOf(w *recorder.Window, sel messages.Selection, offset time.Duration) messages.NodeAnswer {
	n := messages.NodeAnswer{Identity: frozenNode, AgentVersion: "v1", ClockOffset: offset}
	sel.Window.Start, sel.Window.End = sel.Window.Start.Add(-offset), sel.Window.End.Add(-offset)
	s := w.Snapshot(sel)
	for some := s.Next(1000); some != nil; some = s.Next(1000) {
		n.Blocks = append(n.Blocks, some...)
	}
	return n
}

// liveStore is a proxy's storage of the one node.
func liveStore(w *recorder.Window, offset time.Duration) *promstore.Store {
	return promstore.New(promstore.Config{Timeout: time.Minute, Now: time.Now, OwnNode: true, Past: true,
		Collect: func(_ context.Context, q messages.Query) (*messages.Collection, func(), error) {
			return &messages.Collection{Nodes: []messages.NodeAnswer{answerOf(w, q.Selection, offset)}}, nil, nil
		}})
}

// selectAll returns all samples and markers, but those of series about the collection.
func selectAll(t require.TestingT, of storage.Queryable, from, to int64) map[blockstest.Point]int {
	q, err := of.Querier(from, to)
	require.NoError(t, err)
	points, err := readAll(t, q.Select(context.Background(), true, nil, anySeries, aboutNode))
	require.NoError(t, err)
	require.NoError(t, q.Close())
	return points
}

var aboutNode = labels.MustNewMatcher(labels.MatchNotRegexp, model.MetricNameLabel, aboutNames())

func aboutNames() string {
	var names []string
	for _, f := range exposition.CollectionFamilies() {
		names = append(names, f.Name)
	}
	return strings.Join(names, "|")
}

// segmentOf makes a segment of an answer.
func segmentOf(t require.TestingT, n messages.NodeAnswer) (*journal.View, journal.FS) {
	var file bytes.Buffer
	_, err := journal.WriteSegment(&file, journal.Node{NodeID: "n1"}, hour12, func(yield func(*recorder.Batch, error) bool) {
		for b := range recorder.Batches(n.Blocks) {
			if !yield(b, nil) {
				return
			}
		}
	})
	require.NoError(t, err)
	v, files, err := journal.OpenSegment(bytes.NewReader(file.Bytes()), int64(file.Len()))
	require.NoError(t, err)
	return v, files
}

// exported returns the samples that an export of the segment has.
func exported(t require.TestingT, dir string, v *journal.View, files journal.FS, from, to int64) map[blockstest.Point]int {
	w := NewWriter(dir, Options{})
	for at := from; at <= to; {
		_, end := RangeOf(at)
		r := v.NewReader(files, journal.Query{Selection: messages.Selection{Window: messages.Window{Start: time.UnixMilli(at), End: time.UnixMilli(min(end, to))}}})
		n := promstore.NewNodeLabels(frozenNode)
		for {
			blocks, err := r.Next(1 << 20)
			require.NoError(t, err)
			if blocks == nil {
				break
			}
			for i := range blocks {
				require.NoError(t, w.Append(n, &blocks[i]))
			}
		}
		require.NoError(t, w.Flush(context.Background()))
		at = end + 1
	}
	points, _ := blockstest.Read(t, dir)
	return points
}

// The blocks of a frozen window have what a proxy's query of the live node has, and what an export has.
func TestJournalBecomesBlocks(t *testing.T) {
	root := t.TempDir()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		dir := filepath.Join(root, fmt.Sprint(runs))
		defer os.RemoveAll(dir)
		w, end := drawWindow(t)
		offset := rapid.SampledFrom([]time.Duration{0, 0, 90 * time.Second, -time.Hour}).Draw(t, "offset")
		off := rapid.SampledFrom([]time.Duration{-time.Hour, 0, 5 * time.Second, 2 * time.Minute}).Draw(t, "from")
		from, to := begin.Add(off+offset), end.Add(offset+rapid.SampledFrom([]time.Duration{time.Hour, 0, -time.Minute}).Draw(t, "to"))
		if to.Before(from) {
			return
		}
		v, files := segmentOf(t, answerOf(w, messages.Selection{ScrapeTimes: true, Window: messages.Window{Start: begin.Add(-24 * time.Hour).Add(offset), End: end.Add(24 * time.Hour)}}, offset))
		want := selectAll(t, liveStore(w, offset).Queryable(promstore.Options{}), from.UnixMilli(), to.UnixMilli())

		c, err := fromJournal(context.Background(), v, files, JournalOptions{Identity: frozenNode, ClockOffset: offset, From: from, To: to}, filepath.Join(dir, "block"),
			rapid.SampledFrom([]int{passCells, 20}).Draw(t, "cells"))
		require.NoError(t, err)
		samples := 0
		for p := range want {
			if !value.IsStaleNaN(math.Float64frombits(p.Bits)) {
				samples++
			}
		}
		require.Equal(t, samples, c.Samples)
		require.Empty(t, c.Damage)
		got := map[blockstest.Point]int{}
		n, err := eachOfJournal(context.Background(), v, files, JournalOptions{Identity: frozenNode, ClockOffset: offset, From: from, To: to}, 1_000,
			rapid.SampledFrom([]int{passCells, 20}).Draw(t, "cells of each"), func(l labels.Labels, times []int64, values []float64) error {
				require.True(t, slices.IsSorted(times))
				for i, v := range values {
					got[blockstest.Point{Series: l.String(), At: times[i], Bits: math.Float64bits(v)}]++
				}
				return nil
			})
		require.NoError(t, err)
		require.Equal(t, [3]int64{int64(c.Samples), c.First, c.Last}, [3]int64{int64(n.Samples), n.First, n.Last})
		requireSame(t, want, got)
		if samples == 0 {
			return
		}
		r, err := Open(filepath.Join(dir, "block"))
		require.NoError(t, err)
		defer r.Close()
		requireSame(t, want, selectAll(t, r.Queryable(promstore.Options{}), 0, math.MaxInt64))
		require.Len(t, r.blocks, c.Blocks)
		left, err := filepath.Glob(filepath.Join(dir, "block", "*.tmp*"))
		require.NoError(t, err)
		require.Empty(t, left)

		if offset == 0 {
			got := map[blockstest.Point]int{}
			for p := range exported(t, filepath.Join(dir, "export"), v, files, from.UnixMilli(), to.UnixMilli()) {
				got[p] = 1
			}
			for p := range want {
				if value.IsStaleNaN(math.Float64frombits(p.Bits)) {
					delete(want, p)
				}
			}
			requireSame(t, want, got)
		}
	})
}

func requireSame(t require.TestingT, want, got map[blockstest.Point]int) {
	var differ []string
	for p := range want {
		if got[p] != want[p] {
			differ = append(differ, fmt.Sprint("missing ", p.At-begin.UnixMilli(), " ", math.Float64frombits(p.Bits), " ", p.Series))
		}
	}
	for p := range got {
		if want[p] == 0 {
			differ = append(differ, fmt.Sprint("not wanted ", p.At-begin.UnixMilli(), " ", math.Float64frombits(p.Bits), " ", p.Series))
		}
	}
	require.Empty(t, differ)
}

// A query that evaluates gives the same over the blocks as over the live node.
func TestQueryOverFrozenBlocks(t *testing.T) {
	w, at := recorder.NewWindow(recorder.Limits{}), begin
	for i := range 90 {
		s := recorder.Scrape{At: at, Page: &recorder.Page{}}
		page := fmt.Sprintf("# TYPE a counter\na{n=\"1\"} %d\n", i%40*7)
		if i%17 < 9 {
			page += fmt.Sprintf("a{n=\"2\"} %d\n", i)
		}
		s.Page.Parse([]byte(page), "text/plain; version=0.0.4", recorder.ParseLimits{})
		w.Append(recorder.Target{Name: "one"}, s)
		at = at.Add(10 * time.Second)
	}
	v, files := segmentOf(t, answerOf(w, messages.Selection{ScrapeTimes: true, Window: messages.Window{Start: begin, End: at}}, 0))
	dir := filepath.Join(t.TempDir(), "block")
	_, err := FromJournal(t.Context(), v, files, JournalOptions{Identity: frozenNode, From: begin, To: at}, dir)
	require.NoError(t, err)
	r, err := Open(dir)
	require.NoError(t, err)
	defer r.Close()
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1 << 20, Timeout: time.Minute, LookbackDelta: 5 * time.Minute})
	defer engine.Close()
	f := func(expr string) {
		t.Helper()
		var results []string
		for _, of := range []storage.Queryable{liveStore(w, 0).Queryable(promstore.Options{}), r.Queryable(promstore.Options{})} {
			q, err := engine.NewRangeQuery(t.Context(), of, nil, expr, begin, at, 5*time.Second)
			require.NoError(t, err)
			res := q.Exec(t.Context())
			require.NoError(t, res.Err)
			results = append(results, res.String())
			q.Close()
		}
		require.NotEmpty(t, results[0])
		require.Equal(t, results[0], results[1])
	}
	f(`a`)
	f(`sum by (node_id, zone) (rate(a[1m]))`)
	f(`count(a)`)
	f(`changes(a{n="2"}[5m])`)
	f(`absent(a{n="2"})`)
}

// Of a node of whose scrapes nothing is known no series is said to have ended.
func TestBlocksOfUnnamedTargets(t *testing.T) {
	n := messages.NodeAnswer{Blocks: []messages.Block{
		blockOf([]int64{hour12, hour12 + 20}, familyOf("x", messages.TypeGauge, seriesOf(`a="1"`, 1, 2))),
		blockOf([]int64{hour12 + 10}, familyOf("x", messages.TypeGauge, seriesOf(`a="2"`, 3)))}}
	v, files := segmentOf(t, n)
	dir := t.TempDir()
	c, err := FromJournal(t.Context(), v, files, JournalOptions{Identity: frozenNode}, dir)
	require.NoError(t, err)
	require.Equal(t, JournalCounts{Blocks: 1, Series: 2, Samples: 3, First: hour12, Last: hour12 + 20}, c)
	points, _ := blockstest.Read(t, dir)
	require.Len(t, points, 3)
}

// What is damaged is left out and said, and a conversion ends with its context.
func TestDamagedJournalBecomesBlocks(t *testing.T) {
	var file bytes.Buffer
	n := messages.NodeAnswer{Blocks: []messages.Block{blockOf([]int64{hour12, hour12 + 10, hour12 + 20}, familyOf("x", messages.TypeGauge, seriesOf(`a="1"`, 1, 2, 3)))}}
	_, err := journal.WriteSegment(&file, journal.Node{NodeID: "n1"}, hour12, func(yield func(*recorder.Batch, error) bool) {
		for b := range recorder.Batches(n.Blocks) {
			yield(b, nil)
		}
	})
	require.NoError(t, err)
	whole := file.Bytes()
	found := map[int]bool{}
	for i := range whole {
		broken := bytes.Clone(whole)
		broken[i] ^= 0x10
		v, files, err := journal.OpenSegment(bytes.NewReader(broken), int64(len(broken)))
		if err != nil {
			continue
		}
		c, err := FromJournal(t.Context(), v, files, JournalOptions{Identity: frozenNode}, t.TempDir())
		require.NoError(t, err)
		found[c.Samples] = true
		require.True(t, c.Samples == 3 || len(c.Damage) > 0 || v.Segments[0].Damage != nil)
	}
	require.Equal(t, map[int]bool{0: true, 1: true, 2: true, 3: true}, found)

	v, files := segmentOf(t, n)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = FromJournal(ctx, v, files, JournalOptions{}, t.TempDir())
	require.ErrorIs(t, err, context.Canceled)
	_, err = FromJournal(t.Context(), v, files, JournalOptions{From: time.UnixMilli(hour12 + 100)}, "not made")
	require.NoError(t, err)
	require.NoDirExists(t, "not made")
}

// The files of blocks have the same names each time, and make blocks wherever they are put.
func TestJournalFiles(t *testing.T) {
	n := messages.NodeAnswer{Blocks: []messages.Block{blockOf([]int64{hour12, hour12 + 10, hour12 + rangeMillis}, familyOf("x", messages.TypeGauge, seriesOf(`a="1"`, 1, 2, 3)))}}
	v, files := segmentOf(t, n)
	temporary := t.TempDir()
	put := func(dir string) (names []string) {
		_, err := JournalFiles(t.Context(), v, files, JournalOptions{Identity: frozenNode}, "incident node", temporary, func(path string, r io.Reader) error {
			names = append(names, path)
			name := filepath.Join(dir, filepath.FromSlash(path))
			require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
			b, err := io.ReadAll(r)
			require.NoError(t, err)
			return os.WriteFile(name, b, 0o600)
		})
		require.NoError(t, err)
		return names
	}
	dir := t.TempDir()
	names := put(dir)
	require.Len(t, names, 6)
	for i, name := range names {
		require.True(t, messages.ValidEvidencePath(name))
		require.Equal(t, i%3 == 2, strings.HasSuffix(name, "/meta.json"))
	}
	require.Equal(t, names, put(t.TempDir()))
	r, err := Open(dir)
	require.NoError(t, err)
	defer r.Close()
	require.Len(t, selectAll(t, r.Queryable(promstore.Options{}), 0, math.MaxInt64), 3)

	failure := errors.New("the disk is full")
	_, err = JournalFiles(t.Context(), v, files, JournalOptions{}, "", temporary, func(string, io.Reader) error { return failure })
	require.ErrorIs(t, err, failure)
	left, err := os.ReadDir(temporary)
	require.NoError(t, err)
	require.Empty(t, left)
}
