package promstore

import (
	"math"
	"testing"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/stretchr/testify/require"
)

// aboutAgents are agents of which there is something to say.
func aboutAgents() *agents {
	whole := named("whole", gauge(0, 1, "x"))
	whole.Identity.Role, whole.Identity.PodName, whole.Identity.Labels = "data", "p", map[string]string{"zone": "z"}
	whole.Took, whole.LastHeartbeat = 20*time.Millisecond, time.UnixMilli(t0-500)
	whole.Timing = &messages.Timing{RoundTrip: time.Millisecond, ClockOffset: 2 * time.Millisecond}
	whole.TooMany = 7
	missing := named("missing")
	missing.Missing = messages.MissingTimeout
	return &agents{all: []agent{missing, whole}, now: t0 + 1000}
}

func TestSeriesAboutTheCollection(t *testing.T) {
	f := func(expression string, seconds float64, want string) {
		t.Helper()
		result, _, _, err := evaluate(t, aboutAgents(), Options{}, expression, seconds)
		require.NoError(t, err)
		require.Equal(t, want, result)
	}
	f(`fodc_agent_up`, 1, `{__name__="fodc_agent_up", node_id="missing"} => 0 @[1700000001000]
{__name__="fodc_agent_up", node_id="whole", node_role="data", pod_name="p"} => 1 @[1700000001000]`)
	f(`fodc_agent_up{node_role="data"}`, 0, `{__name__="fodc_agent_up", node_id="whole", node_role="data", pod_name="p"} => 1 @[1700000000000]`)
	f(`fodc_agent_missing_reason`, 1, `{__name__="fodc_agent_missing_reason", node_id="missing", reason="timeout"} => 1 @[1700000001000]`)
	f(`fodc_agent_info{version="v1",node_id!="missing"}`, 1, `{__name__="fodc_agent_info", node_id="whole", node_role="data", pod_name="p", version="v1"} => 1 @[1700000001000]`)
	f(`fodc_agent_clock_offset_seconds`, 1, `{__name__="fodc_agent_clock_offset_seconds", node_id="whole", node_role="data", pod_name="p"} => 0.002 @[1700000001000]`)
	f(`fodc_agent_series_left_out`, 1, `{__name__="fodc_agent_series_left_out", node_id="whole", node_role="data", pod_name="p", reason="too_many_series"} => 7 @[1700000001000]`)
	f(`count({__name__=~"fodc_agent_.+"})`, 1, `{} => 10 @[1700000001000]`)
	f(`fodc_agent_info`, -60, ``) // It was not collected then.
	f(`count_over_time(fodc_agent_info{node_id="whole"}[5m])`, 1, `{node_id="whole", node_role="data", pod_name="p", version="v1"} => 1 @[1700000001000]`)
	f(`fodc_agent_info{node_zone="z"}`, 1, ``) // as on a page
}

func TestNodesWereUpWhileTheyScraped(t *testing.T) {
	var scrapes []scrape
	for at := int64(0); at <= 60_000; at += 10_000 {
		scrapes = append(scrapes, gauge(at, 1, "x"))
	}
	scrapes[3].samples = nil // A failed scrape shows that the agent works.
	up := named("up", scrapes...)
	up.ClockOffset = 5 * time.Second
	gone := named("gone", gauge(0, 1, "x"))
	gone.Missing = messages.MissingUnconnected
	baseline := named("baseline", gauge(0, 1, "x"))
	baseline.baseline, baseline.AgentVersion = true, ""
	silent := named("silent")
	slow := named("slow", gauge(-120_000, 1, "x"), gauge(-60_000, 1, "x"), gauge(0, 1, "x"), gauge(60_000, 1, "x"))
	all := &agents{all: []agent{baseline, gone, silent, slow, up}, now: t0 + 125_000}
	engine := promqltest.NewTestEngine(t, false, 0, 100_000)
	q, err := engine.NewRangeQuery(t.Context(), all.store().Queryable(Options{}), nil, `fodc_agent_up`, time.UnixMilli(t0-50_000), time.UnixMilli(t0+200_000), 10*time.Second)
	require.NoError(t, err)
	defer q.Close()
	r := q.Exec(t.Context())
	require.NoError(t, r.Err)
	got := make(map[string]string)
	for _, s := range r.Value.(promql.Matrix) {
		for _, p := range s.Floats {
			got[s.Metric.Get("node_id")] += map[float64]string{0: "_", 1: "|"}[p.F]
		}
	}
	// From 50 s before t0 to 200 s after it, each character 10 s. There is none after the collection,
	// but for the lookback.
	require.Equal(t, map[string]string{
		"baseline": "||||||||||||||||||||||||||",
		"gone":     "__________________________",
		"silent":   "__________________________",
		"slow":     "||||||||||||||||||||||||||",
		"up":       "______|||||||||___________",
	}, got)
}

// The scrape that shows that a node was up at the begin of a range is before the range.
func TestNodesWereUpAtTheBeginOfARange(t *testing.T) {
	for _, interval := range []int64{10_000, 15_000, 60_000} {
		var scrapes []scrape
		for at := int64(-597_000); at <= 0; at += interval {
			scrapes = append(scrapes, gauge(at, 1, "x"))
		}
		all := &agents{all: []agent{named("n", scrapes...)}, now: t0}
		f := func(expression string) {
			t.Helper()
			for second := -20; second <= 0; second++ {
				result, _, _, err := evaluate(t, all, Options{}, expression, float64(second))
				require.NoError(t, err)
				require.Contains(t, result, `{node_id="n"} => 1 @`, "%s every %d ms at %d s", expression, interval, second)
			}
		}
		f(`min_over_time(fodc_agent_up[1m])`)
		f(`min_over_time({__name__=~"fodc_agent_up|y",node_id="n"}[5m])`)
		f(`min_over_time({node_id="n",__name__=~"fodc_.+_up"}[5m])`)
	}
	all := &agents{now: t0}
	_, _, _, err := evaluate(t, all, Options{}, `count_over_time({__name__=~"node_.+"}[5m])`, 0)
	require.NoError(t, err)
	require.Equal(t, time.UnixMilli(t0-300_000+1), all.asked[0].Selection.Window.Start, "no more than is needed")
}

func TestUpIsSaidInWholeSteps(t *testing.T) {
	all := &agents{all: []agent{named("n", gauge(0, 1, "x"))}, now: t0 + 45_000}
	f := func(start, end int64, want ...int64) {
		t.Helper()
		q, err := all.store().Queryable(Options{}).Querier(t0+start, t0+end)
		require.NoError(t, err)
		defer q.Close()
		for _, samples := range samplesOf(t, q.Select(t.Context(), false, nil, matcher("__name__", "fodc_agent_up"))) {
			var got []int64
			for _, s := range samples {
				got = append(got, s.T()-t0)
			}
			require.Equal(t, want, got)
		}
	}
	f(0, 10_000, 0, 10_000)
	f(1, 19_999, 10_000)
	f(-9_999, 0, 0)
	f(35_000, 100_000, 40_000)
	f(1, 9_999)
	f(46_000, 100_000)
}

// However long the time that is asked for, there is no memory per sample, and no end of them.
func TestUpIsBounded(t *testing.T) {
	all := &agents{all: []agent{named("n", gauge(0, 1, "x"))}, now: t0 + 1000}
	q, err := all.store().Queryable(Options{}).Querier(math.MinInt64, math.MaxInt64)
	require.NoError(t, err)
	defer q.Close()
	set := q.Select(t.Context(), false, nil, matcher("__name__", "fodc_agent_up"))
	require.True(t, set.Next())
	samples := 0
	allocated := testing.AllocsPerRun(1, func() {
		samples = 0
		for it := set.At().Iterator(nil); it.Next() != chunkenc.ValNone; samples++ {
		}
	})
	require.Equal(t, int(maxUpRange/upStep), samples)
	require.LessOrEqual(t, allocated, 2.)
}

func TestUpIsFoundBySeeking(t *testing.T) {
	u := &upSeries{from: t0, to: t0 + 95_000, age: 30_000, scrapes: []int64{t0 + 5_000, t0 + 25_000}}
	var samples scriptSamples
	for at := u.from; at <= u.to; at += 10_000 {
		v := 0.
		for _, s := range u.scrapes {
			if s <= at && at-s <= u.age {
				v = 1
			}
		}
		samples = append(samples, scriptSample{at: at, value: v})
	}
	require.Equal(t, []chunks.Sample(samples), samplesOf(t, &listSet{all: []storage.Series{u}})["{}"])
	for _, first := range []int64{-10, 0, 1, 30_000, 95_000, 95_001, math.MaxInt64 - t0} {
		for _, second := range []int64{0, 20_000, 40_001, 90_000} {
			got, want := u.Iterator(nil), storage.NewListSeriesIterator(samples)
			for _, at := range []int64{first, second} {
				require.Equal(t, want.Seek(t0+at), got.Seek(t0+at))
				if got.Next() != want.Next() {
					t.Fatal(first, second)
				}
				if want.Seek(t0+at) == chunkenc.ValNone {
					break
				}
				wantAt, wantValue := want.At()
				gotAt, gotValue := got.At()
				require.Equal(t, []any{wantAt, wantValue}, []any{gotAt, gotValue})
			}
		}
	}
}
