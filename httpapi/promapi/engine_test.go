package promapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"fodc/recorder/promstore"

	"github.com/prometheus/prometheus/model/labels"
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
