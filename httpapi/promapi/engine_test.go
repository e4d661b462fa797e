package promapi

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/recorder/promstore"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// selecting is a storage whose selections are those of a function.
type selecting struct {
	storage.SampleAndChunkQueryable
	sel func(context.Context) storage.SeriesSet
}

func (s selecting) Queryable(promstore.Options) storage.SampleAndChunkQueryable { return s }

func (s selecting) Metadata(context.Context, promstore.Options, string) (m []promstore.Metadata, w annotations.Annotations, err error) {
	return
}

func (s selecting) Querier(int64, int64) (storage.Querier, error) { return selectingQuerier{s: s}, nil }

type selectingQuerier struct {
	storage.Querier
	s selecting
}

func (q selectingQuerier) Close() error { return nil }

func (q selectingQuerier) Select(ctx context.Context, _ bool, _ *storage.SelectHints, _ ...*labels.Matcher) storage.SeriesSet {
	return q.s.sel(ctx)
}

func kindOf(t *testing.T, query string, span time.Duration, lookback time.Duration) kind {
	t.Helper()
	c := costIn(t, query, span, lookback)
	return c.kind()
}

func costIn(t *testing.T, query string, span time.Duration, lookback time.Duration) cost {
	t.Helper()
	expr, err := newParser().ParseExpr(query)
	require.NoError(t, err)
	start, step := testNow.Add(-span), time.Duration(0)
	if span > 0 {
		step = time.Second
	}
	expr, err = promql.PreprocessExpr(expr, start, testNow, step)
	require.NoError(t, err)
	return costOf(&parser.EvalStmt{Expr: expr, Start: start, End: testNow, Interval: step, LookbackDelta: lookback})
}

func TestKinds(t *testing.T) {
	f := func(query string, span time.Duration, want kind) {
		t.Helper()
		require.Equal(t, want, kindOf(t, query, span, defaultLookback), query)
	}
	const minute = time.Minute
	f("1", 0, live)
	f("up", 0, live)
	f("up", 10*minute, live)
	f("up", 11*minute, long)
	f("rate(up[10m])", 0, live)
	f("rate(up[11m])", 0, long)
	f("up[10m]", 0, live)
	f("rate(up[5m])", 5*minute, live)
	f("rate(up[5m])", 6*minute, long)
	f("up - up offset 1d", 0, live)
	f("up @ 100", 5*minute, live)
	f("max_over_time(up[10m:1m])", 0, live)
	f("max_over_time(up[11m:1m])", 0, long)
	f("max_over_time(rate(up[5m])[5m:1m])", 0, live)
	f("max_over_time(rate(up[5m])[6m:1m])", 0, long)
	f("up + max_over_time(up[1h])", 0, long)
	f("vector(1)[1h:1m]", 0, long)
	f("1", 11*minute, long)
	require.Equal(t, live, kindOf(t, "up", 0, 10*minute))
	require.Equal(t, long, kindOf(t, "up", 0, 11*minute))
	require.Equal(t, long, kindOf(t, "max_over_time(up[290y:1y])[290y:1y]", 0, defaultLookback))
}

func TestCosts(t *testing.T) {
	f := func(query string, span time.Duration, steps, work float64) {
		t.Helper()
		c := costIn(t, query, span, defaultLookback)
		require.NoError(t, c.err)
		require.Equal(t, []float64{steps, work}, []float64{c.steps, c.work}, query)
	}
	f("up", 0, 0, 0)
	f("up[10m]", 0, 0, 0)
	f("max_over_time(up[10s:1s])", 0, 11, 11)
	f("max_over_time(up[10m:])", 0, 11, 11)
	f("max_over_time(up[10s:1s])", 9*time.Second, 20, 10*11)
	f("max_over_time(up[10s:1s] @ 5)", 9*time.Second, 11, 11)
	f("quantile_over_time(scalar(up), up[10s:1s] @ 5)", 9*time.Second, 11, 11)
	f("max_over_time(up[10s:1s]) + max_over_time(up[20s:1s])", 0, 32, 32)
	// The inner one is evaluated at 11 steps.
	f("max_over_time(max_over_time(up[10s:1s])[10s:1s])", 0, 11+21, 11+11*11)
}

// A query that goes on after its end is answered in time. It keeps its slot until it ends.
func TestOverdue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ending, closed := make(chan struct{}), 0
		core, logged := observer.New(zapcore.ErrorLevel)
		cfg := testConfig(selecting{sel: func(context.Context) storage.SeriesSet {
			<-ending // It does not look at the context.
			closed++
			panic("at last")
		}})
		cfg.Limits.Concurrency = 1
		cfg.Log = zap.New(core)
		a := New(cfg)
		h := serve(a)
		begin := time.Now()
		w := get(t, h, "/api/v1/query?query=up&time=1&timeout=5s", nil)
		require.Equal(t, 5*time.Second+grace, time.Since(begin))
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.Equal(t, "query timed out in expression evaluation", envelopeOf(t, w).Error)

		w = get(t, h, "/api/v1/query?query=1&timeout=3s", nil)
		require.Equal(t, "query timed out in query queue", envelopeOf(t, w).Error)

		// Without a parameter it is the timeout of the API.
		begin = time.Now()
		w = get(t, h, "/api/v1/query?query=1", nil)
		require.Equal(t, "query timed out in query queue", envelopeOf(t, w).Error)
		require.Equal(t, cfg.Limits.Timeout, time.Since(begin))

		close(ending)
		synctest.Wait()
		require.Equal(t, 1, closed)
		require.Equal(t, 1, logged.Len())
		require.Equal(t, http.StatusOK, get(t, h, "/api/v1/query?query=1", nil).Code)
	})
}

// A panic is one of the request, and leaves no slot behind.
func TestPanic(t *testing.T) {
	cfg := testConfig(selecting{sel: func(context.Context) storage.SeriesSet { panic("in a storage") }})
	cfg.Limits.Concurrency = 1
	h := serve(New(cfg))
	for range 3 {
		require.PanicsWithValue(t, "in a storage", func() {
			defer func() {
				p, ok := recover().(string)
				require.True(t, ok)
				panic(p[:len("in a storage")])
			}()
			get(t, h, "/api/v1/query?query=up", nil)
		})
		require.Panics(t, func() { get(t, h, "/api/v1/series?match[]=up", nil) })
	}
	require.Equal(t, http.StatusOK, get(t, h, "/api/v1/query?query=1", nil).Code)
}

// The slot of a query is its own until the client has the response.
func TestSlotWhileWriting(t *testing.T) {
	cfg := testConfig(loaded(t))
	cfg.Limits.Concurrency = 1
	a := New(cfg)
	running := func() int {
		a.admission.mu.Lock()
		defer a.admission.mu.Unlock()
		return a.admission.state.running[live] + a.admission.state.running[long]
	}
	for _, target := range []string{"/api/v1/query?query=up", "/api/v1/series?match[]=up", "/api/v1/labels", "/api/v1/label/a/values", "/api/v1/query_range?query=up&start=0&end=3600&step=60"} {
		writes := 0
		serve(a).ServeHTTP(slowWriter{httptest.NewRecorder(), func() {
			writes++
			require.Equal(t, 1, running(), target)
		}}, httptest.NewRequest(http.MethodGet, target, nil))
		require.Positive(t, writes)
		require.Zero(t, running(), target)
	}
	for _, target := range []string{"/api/v1/query?query=up{", "/api/v1/query?query=up*on()up", "/api/v1/series?match[]=up{", "/api/v1/query?query=vector(1)[1y:1ms]", "/api/v1/metadata"} {
		get(t, serve(a), target, nil)
		require.Zero(t, running(), target)
	}
}

type slowWriter struct {
	*httptest.ResponseRecorder
	onWrite func()
}

func (w slowWriter) Write(p []byte) (int, error) {
	w.onWrite()
	return w.ResponseRecorder.Write(p)
}

// dense is a series with many samples.
func dense(n int) storage.Series {
	return storage.NewListSeries(labels.FromStrings("__name__", "dense"), chunks.GenerateSamples(0, n))
}

// The samples of one series end with the query, wherever they are read.
func TestCancelable(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	q := cancelable{selecting{sel: func(context.Context) storage.SeriesSet { return storage.TestSeriesSet(dense(1000)) }}}
	querier, err := q.Querier(0, 0)
	require.NoError(t, err)
	set := querier.Select(ctx, false, nil)
	require.True(t, set.Next())
	it := set.At().Iterator(nil)
	for range callsPerLook {
		require.Equal(t, chunkenc.ValFloat, it.Next())
	}
	require.NoError(t, it.Err())
	cancel()
	n := 0
	for it.Next() != chunkenc.ValNone {
		n++
	}
	require.Less(t, n, callsPerLook)
	require.Equal(t, promql.ErrQueryCanceled("expression evaluation"), it.Err())
	require.Equal(t, chunkenc.ValNone, it.Next())

	// An iterator that is used again is the storage's own inside.
	again := set.At().Iterator(it)
	require.Same(t, it, again)
}

// Half of the memory is for each kind of queries, and fewer long ones may run.
func TestEngineOfEachKind(t *testing.T) {
	cfg := testConfig(loaded(t))
	cfg.Limits.Concurrency = 4
	cfg.Limits.Memory = 500 * sampleBytes * 4 * 2
	a := New(cfg)
	require.Equal(t, [kinds]int{live: 500, long: 1000}, a.maxSamples)
	a.admission.series.limit = 0 // That is another one.
	f := func(query string, status int) {
		t.Helper()
		w := get(t, serve(a), "/api/v1/query", url.Values{"query": {query}})
		require.Equal(t, status, w.Code, "%s: %s", query, w.Body)
	}
	f("up[1h]", http.StatusOK) // 720 samples
	f("up[5m]", http.StatusOK)
	f(`{__name__=~"[rul].*"}[10m]`, http.StatusOK)
	f(`{__name__=~".+"}[10m]`, http.StatusUnprocessableEntity)
	f("requests_total[1h]", http.StatusUnprocessableEntity)
}

// Long selections of series wait for the slots of long queries.
func TestKindsOfSeries(t *testing.T) {
	a := New(testConfig(loaded(t)))
	for range 2 {
		require.NoError(t, a.admission.wait(t.Context(), long))
	}
	f := func(target string, status int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		w := httptest.NewRecorder()
		serve(a).ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil).WithContext(ctx))
		require.Equal(t, status, w.Code, "%s: %s", target, w.Body)
	}
	for _, target := range []string{"/api/v1/series?match[]=up", "/api/v1/labels?", "/api/v1/label/node_id/values?"} {
		f(target, http.StatusServiceUnavailable)
		f(target+"&start=2999&end=3600", http.StatusServiceUnavailable)
		f(target+"&start=3000&end=3600", http.StatusOK)
	}
	f("/api/v1/metadata", http.StatusOK)
}

// hinted keeps the hints of selections.
type hinted struct {
	storage.SampleAndChunkQueryable
	limits *[]int
}

func (s hinted) Querier(mint, maxt int64) (storage.Querier, error) {
	q, err := s.SampleAndChunkQueryable.Querier(mint, maxt)
	return hintedQuerier{q, s.limits}, err
}

type hintedQuerier struct {
	storage.Querier
	limits *[]int
}

func (q hintedQuerier) Select(ctx context.Context, sorted bool, h *storage.SelectHints, m ...*labels.Matcher) storage.SeriesSet {
	*q.limits = append(*q.limits, h.Limit)
	return q.Querier.Select(ctx, sorted, h, m...)
}

func (q hintedQuerier) LabelNames(ctx context.Context, h *storage.LabelHints, m ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	*q.limits = append(*q.limits, h.Limit)
	return q.Querier.LabelNames(ctx, h, m...)
}

// The storage needs to find one more than the limit, so that it is known whether there are more.
func TestHints(t *testing.T) {
	s, limits := loaded(t), []int{}
	s.SampleAndChunkQueryable = hinted{s.SampleAndChunkQueryable, &limits}
	h := serve(New(testConfig(s)))
	f := func(target string, want ...int) {
		t.Helper()
		limits = nil
		require.Equal(t, http.StatusOK, get(t, h, target, nil).Code)
		require.Equal(t, want, limits, target)
	}
	f("/api/v1/series?match[]=up", 0)
	f("/api/v1/series?match[]=up&limit=5", 6)
	// Several may select the same series.
	f("/api/v1/series?match[]=up&match[]=a&limit=5", 0, 0)
	f("/api/v1/series?match[]=up&limit=9223372036854775807", math.MaxInt)
	f("/api/v1/labels?limit=5", 6)
	// Series have several labels.
	f("/api/v1/labels?match[]=up&match[]=a&limit=5", 0, 0)
}

// Every request ends with the timeout of the API.
func TestTimeoutOfEachRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(failing{})
		a := New(cfg)
		for range cfg.Limits.Concurrency {
			require.NoError(t, a.admission.wait(t.Context(), live))
		}
		for _, target := range slices.Concat(storageTargets, []string{"/api/v1/read"}) {
			r := httptest.NewRequest(http.MethodGet, target, nil)
			if target == "/api/v1/read" {
				r = httptest.NewRequest(http.MethodPost, target, strings.NewReader(readBody(t, &prompb.ReadRequest{})))
			}
			w, begin := httptest.NewRecorder(), time.Now()
			serve(a).ServeHTTP(w, r)
			require.Equal(t, http.StatusServiceUnavailable, w.Code)
			require.Contains(t, w.Body.String(), "query timed out in query queue", target)
			require.Equal(t, cfg.Limits.Timeout, time.Since(begin), target)
		}
	})
}
