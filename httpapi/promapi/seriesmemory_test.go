package promapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"fodc/recorder/promstore"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/require"
)

// The series of a query are in memory until its response is written, and take much more than what
// the engine counts, their samples.
func TestSeriesTakeMemory(t *testing.T) {
	many := make([]storage.Series, 2000)
	for i := range many {
		many[i] = storage.NewListSeries(labels.FromStrings("__name__", "x", "i", strconv.Itoa(i)), nil)
	}
	count := len(many)
	cfg := testConfig(selecting{sel: func(context.Context) storage.SeriesSet { return &listSet{series: many[:count]} }})
	cfg.Limits.Memory = 1 << 20
	a := New(cfg)
	h := serve(a)
	f := func(target string, code int, kind, text string) {
		t.Helper()
		before := a.admission.series.reserved.Load()
		w := get(t, h, target, nil)
		require.Equal(t, code, w.Code, w.Body)
		e := envelopeOf(t, w)
		require.Equal(t, kind, e.ErrorType)
		require.Contains(t, e.Error, text)
		require.Equal(t, before, a.admission.series.reserved.Load())
	}
	const query, series = "/api/v1/query?query=count(x)", "/api/v1/series?match[]=x"
	f(query, http.StatusOK, "", "")
	f(series, http.StatusOK, "", "")
	f("/api/v1/query?query=count(x)%2Bcount(x)%2Bcount(x)", http.StatusUnprocessableEntity, "execution",
		"the series that the query selects take more than 1 MiB, as much as those of all queries may take: select fewer")

	// While the client of one reads, there is less for others.
	first := true
	h.ServeHTTP(slowWriter{httptest.NewRecorder(), func() {
		if !first {
			return
		}
		first = false
		f(series, http.StatusServiceUnavailable, "unavailable", "the series that queries select take more than 1 MiB together: try again in a second")
		count = 1000
		f(query, http.StatusOK, "", "")
	}}, httptest.NewRequest(http.MethodGet, series, nil))
	require.False(t, first)
	require.Zero(t, a.admission.series.reserved.Load())
}

// A storage that sorts series has all of them in memory before the first one is counted: it must not
// have to do that for each of hundreds of selectors.
func TestSeriesOfSeveralSelectorsAreNotSortedByTheStorage(t *testing.T) {
	s := unsorted{t: t}
	h := serve(New(testConfig(s)))
	require.JSONEq(t, `[{"__name__":"a"},{"__name__":"b"}]`, string(envelopeOf(t, get(t, h, "/api/v1/series?match[]=b&match[]=a&match[]=b", nil)).Data))
	require.JSONEq(t, `[{"__name__":"a"}]`, string(envelopeOf(t, get(t, h, "/api/v1/series?match[]=b&match[]=a&limit=1", nil)).Data))
	require.JSONEq(t, `["a","b"]`, string(envelopeOf(t, get(t, h, "/api/v1/label/__name__/values?match[]=b&match[]=a", nil)).Data))
}

// unsorted is a storage that must not be asked for sorted series.
type unsorted struct {
	selecting
	t *testing.T
}

func (s unsorted) Queryable(promstore.Options) storage.SampleAndChunkQueryable { return s }

func (s unsorted) Querier(int64, int64) (storage.Querier, error) {
	return unsortedQuerier{selectingQuerier{}, s.t}, nil
}

type unsortedQuerier struct {
	selectingQuerier
	t *testing.T
}

func (q unsortedQuerier) Select(_ context.Context, sorted bool, hints *storage.SelectHints, m ...*labels.Matcher) storage.SeriesSet {
	require.False(q.t, sorted)
	require.Zero(q.t, hints.Limit, "the first ones of each would not be the first of all")
	return &listSet{series: []storage.Series{storage.NewListSeries(labels.FromStrings("__name__", m[0].Value), nil)}}
}

// listSet is a set of series.
type listSet struct {
	storage.SeriesSet
	series []storage.Series
	next   int
}

func (s *listSet) Next() bool                        { s.next++; return s.next <= len(s.series) }
func (s *listSet) At() storage.Series                { return s.series[s.next-1] }
func (s *listSet) Err() error                        { return nil }
func (s *listSet) Warnings() annotations.Annotations { return nil }
