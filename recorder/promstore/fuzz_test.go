package promstore

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"fodc/messages"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/require"
)

// fuzzAgents are agents with series of many kinds.
func fuzzAgents() *agents {
	count := sampleKey{family: "x_total", kind: messages.TypeCounter, labels: `a="1"`}
	other := sampleKey{family: "x_total", kind: messages.TypeCounter, labels: `a="2",pod_name="q"`}
	bucket := func(le string) sampleKey {
		return sampleKey{family: "h", kind: messages.TypeHistogram, suffix: messages.SuffixBucket, labels: messages.LabelText(`le="` + le + `"`)}
	}
	sum := sampleKey{family: "h", kind: messages.TypeHistogram, suffix: messages.SuffixSum}
	level := sampleKey{family: "g", kind: messages.TypeGauge}
	var a, b []scrape
	for i := range 30 {
		at, v := int64(i)*10_000, float64(i)
		a = append(a, scrape{at: t0 + at, samples: map[sampleKey]float64{count: math.Mod(v*3, 40), bucket("1"): v, bucket("+Inf"): 2 * v, sum: v / 2}})
		s := sampled(at+3000, v*v, other, level)
		switch i {
		case 7, 8, 20:
			s.samples = nil
		case 12:
			s.samples[level] = math.NaN()
		case 13, 28, 29:
			delete(s.samples, level)
		}
		b = append(b, s)
	}
	m, n := named("m", a...), named("n", b...)
	m.Identity.Role, n.Identity.Labels, n.Identity.PodName = "data", map[string]string{"zone": "z"}, "p"
	n.shared = make(map[string]*messages.Descriptor)
	return &agents{all: []agent{m, n}, now: t0 + 300_000}
}

// reference is a storage that has all samples of agents in a list.
type reference struct{ series []storage.Series }

func newReference(all *agents) *reference {
	r := &reference{}
	for i := range all.all {
		for name, samples := range modelOf(&all.all[i], math.MinInt64, math.MaxInt64, nil) {
			m, err := parser.NewParser(parser.Options{}).ParseMetric(name)
			if err != nil {
				panic(err)
			}
			r.series = append(r.series, storage.NewListSeries(m, samples))
		}
	}
	slices.SortFunc(r.series, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return r
}

func (r *reference) Querier(int64, int64) (storage.Querier, error) {
	return &storage.MockQuerier{SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
		return &listSet{all: slices.DeleteFunc(slices.Clone(r.series), func(s storage.Series) bool { return !matchAllLabels(matchers, s.Labels()) })}
	}}, nil
}

// sortedQueryable has series in the order of the reference, and none about collections.
type sortedQueryable struct{ storage.Queryable }

func (q sortedQueryable) Querier(mint, maxt int64) (storage.Querier, error) {
	of, err := q.Queryable.Querier(mint, maxt)
	return sortedQuerier{of}, err
}

type sortedQuerier struct{ storage.Querier }

func (q sortedQuerier) Select(ctx context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	notAbout := labels.MustNewMatcher(labels.MatchNotRegexp, model.MetricNameLabel, "fodc_agent_.*")
	return q.Querier.Select(ctx, true, hints, append(slices.Clone(matchers), notAbout)...)
}

// Whatever the expression and the times, there is no panic, what was collected is released, and the
// result is that of a list of all samples.
func FuzzQueriesGiveTheResultsOfAList(f *testing.F) {
	for _, expression := range []string{
		`x_total`, `x_total{a="1"}`, `x_total{a!="1",node_id=~"n|m"}`, `{__name__=~"x.*|g"}`, `{node_zone=""}`, `rate(x_total[1m])`, `sum by (node_id) (rate({pod_name!="p"}[30s]))`,
		`histogram_quantile(0.9, h_bucket)`, `h_sum / ignoring(le) h_bucket{le="+Inf"}`, `g offset 20s or g`, `g @ 1700000100`, `max_over_time(g[1m:10s])`, `timestamp(g)`,
		`absent(g{node_id="n"})`, `count_over_time({a=~".+"}[2m] offset -10s)`, `topk(1, x_total)`, `info(g)`, `x_total anchored`, `rate(x_total[1m] smoothed)`, `deriv(g[5m])`,
		`label_replace(g, "b", "$1", "node_id", "(.*)")`, `x_total{a="1",a="2"}`, `{__name__="",a="1"}`, `present_over_time(g[1d])`, `g offset 1d`, `x_total @ start() - x_total @ end()`,
	} {
		for _, times := range [][3]int64{{300_000, 300_000, 0}, {299_000, 299_000, 0}, {100_000, 100_000, 0}, {0, 400_000, 13_000}, {80_000, 90_000, 1000}} {
			f.Add(expression, times[0], times[1], times[2])
		}
	}
	reference := newReference(fuzzAgents())
	engine := promqltest.NewTestEngine(f, false, 0, 100_000)
	f.Fuzz(func(t *testing.T, expression string, start, end, step int64) {
		const range64 = 1_000_000
		start, end, step = start%range64+t0, end%range64+t0, step%range64
		if step != 0 && (step < 0 || end < start || (end-start)/step > 50) {
			return
		}
		evaluate := func(of storage.Queryable) (promql.Query, *promql.Result) {
			var q promql.Query
			var err error
			if step == 0 {
				q, err = engine.NewInstantQuery(t.Context(), of, nil, expression, time.UnixMilli(end))
			} else {
				q, err = engine.NewRangeQuery(t.Context(), of, nil, expression, time.UnixMilli(start), time.UnixMilli(end), time.Duration(step)*time.Millisecond)
			}
			if err != nil {
				return nil, nil
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return q, q.Exec(ctx)
		}
		all := fuzzAgents()
		gotQuery, got := evaluate(sortedQueryable{all.store().Queryable(Options{})})
		wantQuery, want := evaluate(reference)
		if gotQuery == nil {
			require.Nil(t, wantQuery)
			return
		}
		defer gotQuery.Close()
		defer wantQuery.Close()
		require.Equal(t, all.collected, all.released)
		var late promql.ErrQueryTimeout
		if errors.As(want.Err, &late) || errors.As(got.Err, &late) || errors.Is(got.Err, context.DeadlineExceeded) {
			return // The engine has too much to do, whatever the storage.
		}
		require.Equal(t, want.Err, got.Err)
		if want.Err == nil {
			require.Equal(t, want.String(), got.String())
			delete(got.Warnings, Config{}.noNode()) // The list has no nodes.
			require.Equal(t, len(want.Warnings), len(got.Warnings))
		}
	})
}

// Whatever the matchers, the series are those of a list that match.
func FuzzMatchersFindTheSeriesOfAList(f *testing.F) {
	for _, m := range []struct{ name, value string }{{"__name__", "x_total"}, {"__name__", "x.*"}, {"__name__", ""}, {"node_id", "n|m"}, {"node_role", "data|"}, {"pod_name", "q"}, {"le", "+Inf"}, {"absent", ""}} {
		for kind := range uint8(16) {
			f.Add(kind, m.name, m.value, "a", "1|")
		}
	}
	reference := newReference(fuzzAgents())
	f.Fuzz(func(t *testing.T, kinds uint8, name1, value1, name2, value2 string) {
		one, err1 := labels.NewMatcher(labels.MatchType(kinds&3), name1, value1)
		two, err2 := labels.NewMatcher(labels.MatchType(kinds>>2&3), name2, value2)
		if err1 != nil || err2 != nil {
			return
		}
		all := fuzzAgents()
		q, err := sortedQueryable{all.store().Queryable(Options{})}.Querier(t0, t0+300_000)
		require.NoError(t, err)
		defer q.Close()
		r, err := reference.Querier(0, 0)
		require.NoError(t, err)
		got, want := q.Select(t.Context(), true, nil, one, two), r.Select(t.Context(), true, nil, one, two)
		require.Equal(t, bitsOf(samplesOf(t, want)), bitsOf(samplesOf(t, got)))
		values, _, err := q.LabelValues(t.Context(), name1, nil, one, two)
		require.NoError(t, err)
		set := q.Select(t.Context(), true, &storage.SelectHints{Start: t0, End: t0 + 300_000, Func: "series"}, one, two)
		for set.Next() {
			require.Equal(t, chunkenc.ValFloat, set.At().Iterator(nil).Next())
			if v := set.At().Labels().Get(name1); v != "" {
				require.Contains(t, values, v)
			}
		}
		require.NoError(t, set.Err())
	})
}
