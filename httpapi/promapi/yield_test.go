package promapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/require"
)

// fakePages says whether a page is under way.
type fakePages struct {
	mu   sync.Mutex
	none chan struct{}
	asks int
}

func (p *fakePages) ahead() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asks++
	return p.none
}

// page makes a page that takes so long.
func (p *fakePages) page(takes time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	none := make(chan struct{})
	p.none = none
	time.AfterFunc(takes, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		close(none)
		p.none = nil
	})
}

// once is a set of one series.
type once struct {
	storage.SeriesSet
	read bool
}

func (s *once) Next() bool {
	was := s.read
	s.read = true
	return !was
}

// denseSet is a series at whose samples a query looks so often.
func denseSet(looks int) storage.SeriesSet {
	return &once{SeriesSet: storage.TestSeriesSet(dense(looks * callsPerLook))}
}

func TestQueriesWaitForPages(t *testing.T) {
	f := func(page, want time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			p := &fakePages{}
			s := &slot{admission: newAdmission(1)}
			s.admission.pagesAhead = p.ahead
			begin := time.Now()
			s.yield(t.Context())
			require.Zero(t, time.Since(begin))
			p.page(page)
			s.yield(t.Context())
			require.Equal(t, want, time.Since(begin))
			s.yield(t.Context())
			require.Equal(t, want, time.Since(begin), "now it goes on")
			time.Sleep(page)
		})
	}
	f(20*time.Millisecond, 20*time.Millisecond)
	f(time.Minute, messages.MaxYield)

	synctest.Test(t, func(t *testing.T) {
		p := &fakePages{}
		p.page(time.Second)
		s := &slot{admission: newAdmission(1)}
		s.admission.pagesAhead = p.ahead
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		begin := time.Now()
		s.yield(ctx)
		s.yield(ctx)
		require.Equal(t, 5*time.Millisecond, time.Since(begin), "it has ended")
		time.Sleep(time.Second)
	})
}

// A query yields while its samples and its series are read, and while its response is written.
func TestWhereQueriesYield(t *testing.T) {
	f := func(target string, s Storage, least int) {
		t.Helper()
		p := &fakePages{}
		cfg := testConfig(s)
		cfg.PagesAhead = p.ahead
		w := get(t, serve(New(cfg)), target, nil)
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		require.GreaterOrEqual(t, p.asks, least, target)
	}
	samples := selecting{sel: func(context.Context) storage.SeriesSet { return denseSet(10) }}
	f("/api/v1/query?query=count_over_time(dense[1h])", samples, 9)
	f("/api/v1/query?query=dense[1h]", selecting{sel: func(context.Context) storage.SeriesSet { return denseSet(100) }}, 100+callsPerLook*100*10/pieceBytes)
}

// However many pages there are, a query goes on.
func TestQueriesDoNotStarve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakePages{}
		p.page(time.Hour)
		cfg := testConfig(selecting{sel: func(context.Context) storage.SeriesSet { return denseSet(100) }})
		cfg.PagesAhead = p.ahead
		begin := time.Now()
		w := get(t, serve(New(cfg)), "/api/v1/query?query=count_over_time(dense[1h])&timeout=1s", nil)
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		require.Equal(t, messages.MaxYield, time.Since(begin), "it waits once, since in this test it takes no time")
		time.Sleep(time.Hour)
	})
}

func TestRemoteReadYields(t *testing.T) {
	p := &fakePages{}
	cfg := testConfig(loaded(t))
	cfg.PagesAhead = p.ahead
	body := readBody(t, &prompb.ReadRequest{Queries: []*prompb.Query{{StartTimestampMs: 0, EndTimestampMs: testNow.UnixMilli(),
		Matchers: []*prompb.LabelMatcher{{Type: prompb.LabelMatcher_EQ, Name: "__name__", Value: "up"}}}}})
	w := httptest.NewRecorder()
	serve(New(cfg)).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/api/v1/read", strings.NewReader(body)))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.Positive(t, p.asks)
}
