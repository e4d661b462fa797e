package promstore

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"fodc/httpapi/exposition"
	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/require"
)

var benchNow = time.Unix(1_700_000_000, 0)

// benchCollection returns a collection of nodes that have the same series, as the decoder of the
// proxy makes it: each family has perFamily series, and each block some of the scrapes.
func benchCollection(nodes, families, perFamily, scrapes, perBlock int) *messages.Collection {
	var all []messages.Family
	for f := range families {
		name := fmt.Sprintf("banyandb_family_%d_total", f)
		series := make([]messages.Series, perFamily)
		for i := range series {
			text := messages.RenderLabels([]messages.Label{{Name: "group", Value: "measure-default"}, {Name: "method", Value: "query"}, {Name: "seg", Value: fmt.Sprintf("seg-%04d", i)}})
			series[i] = messages.Series{Labels: text, Info: messages.InternLabelInfo(text, "")}
		}
		var of messages.Family
		of.SetDescriptor(messages.NewDescriptor(name, messages.TypeCounter, "Help.", series))
		all = append(all, of)
	}
	c := &messages.Collection{}
	for n := range nodes {
		id := fmt.Sprintf("node-%03d.banyandb.svc:17912", n)
		a := messages.NodeAnswer{Identity: messages.Identity{NodeID: id, Role: "data", PodName: fmt.Sprintf("banyandb-data-%d", n), Labels: map[string]string{"zone": "a"}}}
		var times []int64
		for i := range scrapes {
			times = append(times, benchNow.UnixMilli()-int64(scrapes-1-i)*10_000-int64(n))
		}
		if scrapes > 1 {
			a.Blocks = append(a.Blocks, messages.Block{Target: "t", Times: times})
		}
		for from := 0; from < scrapes; from += perBlock {
			b := messages.Block{Target: "t", Times: times[from:min(from+perBlock, scrapes)], Families: all, TextBytes: 1}
			b.Values = make([]float64, families*perFamily*len(b.Times))
			for i := range b.Values {
				b.Values[i] = float64(i)
			}
			a.Blocks = append(a.Blocks, b)
		}
		c.Nodes = append(c.Nodes, a)
	}
	return c
}

func benchStore(c *messages.Collection) *Store {
	return New(Config{Timeout: time.Second, Now: func() time.Time { return benchNow },
		Collect: func(context.Context, messages.Query) (*messages.Collection, func(), error) { return c, nil, nil }})
}

func benchSelect(b *testing.B, c *messages.Collection, want int, hints *storage.SelectHints, matchers ...*labels.Matcher) {
	b.Helper()
	store := benchStore(c)
	b.ReportAllocs()
	for b.Loop() {
		q, err := store.Queryable(Options{}).Querier(hints.Start, hints.End)
		require.NoError(b, err)
		set := q.Select(context.Background(), false, hints, matchers...)
		samples := 0
		var it chunkenc.Iterator
		for set.Next() {
			it = set.At().Iterator(it)
			for it.Next() != chunkenc.ValNone {
				samples++
			}
		}
		require.NoError(b, set.Err())
		require.NoError(b, q.Close())
		require.Equal(b, want, samples)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(want), "ns/sample")
}

// selecting returns a function that reads all series of a selection, with their samples.
func selecting(t testing.TB, c *messages.Collection, hints storage.SelectHints) func() {
	store := benchStore(c)
	names := regexpMatcher("__name__", "banyandb_.*")
	return func() {
		q, err := store.Queryable(Options{}).Querier(hints.Start, hints.End)
		require.NoError(t, err)
		defer q.Close()
		set := q.Select(t.Context(), false, &hints, names)
		var it chunkenc.Iterator
		for set.Next() {
			for it = set.At().Iterator(it); it.Next() != chunkenc.ValNone; {
			}
		}
		require.NoError(t, set.Err())
	}
}

// A series of the latest costs its labels and little else.
func TestALatestSeriesTakesOneAllocation(t *testing.T) {
	end := benchNow.UnixMilli()
	hints := storage.SelectHints{Start: end - 299_999, End: end}
	few := testing.AllocsPerRun(2, selecting(t, benchCollection(10, 1, 1, 1, 1), hints))
	many := testing.AllocsPerRun(2, selecting(t, benchCollection(10, 100, 10, 1, 1), hints))
	require.Less(t, (many-few)/10_000, 1.1)
	require.Less(t, few, 20*10.)
}

// The memory for a window does not depend on how many samples it has: values and times are not
// copied.
func TestAWindowTakesNoMemoryForItsSamples(t *testing.T) {
	bytes := func(scrapes int) float64 {
		end := benchNow.UnixMilli()
		read := selecting(t, benchCollection(20, 2, 5, scrapes, scrapes/3), storage.SelectHints{Start: end - int64(scrapes)*10_000, End: end, Step: 1})
		read()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 3 {
			read()
		}
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	short, long := bytes(30), bytes(900)
	require.InEpsilon(t, short, long, 0.05)
}

func BenchmarkSelectWindow(b *testing.B) {
	end := benchNow.UnixMilli()
	benchSelect(b, benchCollection(100, 1, 1, 360, 120), 36_000, &storage.SelectHints{Start: end - 3_600_000, End: end, Range: 1, Step: 1},
		labels.MustNewMatcher(labels.MatchEqual, "__name__", "banyandb_family_0_total"))
}

func BenchmarkSelectLatest(b *testing.B) {
	end := benchNow.UnixMilli()
	benchSelect(b, benchCollection(100, 300, 10, 1, 1), 300_000, &storage.SelectHints{Start: end - 299_999, End: end},
		labels.MustNewMatcher(labels.MatchRegexp, "__name__", "banyandb_.*"))
}

func BenchmarkSelectOneFamilyOfLatest(b *testing.B) {
	end := benchNow.UnixMilli()
	benchSelect(b, benchCollection(100, 1, 1, 1, 1), 100, &storage.SelectHints{Start: end - 299_999, End: end},
		labels.MustNewMatcher(labels.MatchEqual, "__name__", "banyandb_family_0_total"))
}

// What the page of the same answers costs, to compare with BenchmarkInstantQuery.
func BenchmarkPage(b *testing.B) {
	c := benchCollection(100, 1, 1, 1, 1)
	b.ReportAllocs()
	for b.Loop() {
		_, err := exposition.WriteText(io.Discard, c, exposition.Options{})
		require.NoError(b, err)
	}
}

func BenchmarkInstantQuery(b *testing.B) {
	store := benchStore(benchCollection(100, 1, 1, 1, 1))
	engine := promqltest.NewTestEngine(b, false, 0, 50_000_000)
	b.ReportAllocs()
	for b.Loop() {
		q, err := engine.NewInstantQuery(context.Background(), store.Queryable(Options{}), nil, "banyandb_family_0_total", benchNow)
		require.NoError(b, err)
		r := q.Exec(context.Background())
		require.NoError(b, r.Err)
		require.Len(b, r.Value.(promql.Vector), 100)
		q.Close()
	}
}

func BenchmarkRangeQuery(b *testing.B) {
	store := benchStore(benchCollection(100, 1, 1, 360, 120))
	engine := promqltest.NewTestEngine(b, false, 0, 50_000_000)
	b.ReportAllocs()
	for b.Loop() {
		q, err := engine.NewRangeQuery(context.Background(), store.Queryable(Options{}), nil, "sum(rate(banyandb_family_0_total[1m]))", benchNow.Add(-time.Hour), benchNow, 15*time.Second)
		require.NoError(b, err)
		r := q.Exec(context.Background())
		require.NoError(b, r.Err)
		require.Len(b, r.Value.(promql.Matrix)[0].Floats, 239)
		q.Close()
	}
}

func BenchmarkLabelNames(b *testing.B) {
	store := benchStore(benchCollection(100, 300, 10, 1, 1))
	b.ReportAllocs()
	for b.Loop() {
		q, err := store.Queryable(Options{}).Querier(benchNow.UnixMilli()-1000, benchNow.UnixMilli())
		require.NoError(b, err)
		names, _, err := q.LabelNames(context.Background(), nil)
		require.NoError(b, err)
		require.NotEmpty(b, names)
		require.NoError(b, q.Close())
	}
}
