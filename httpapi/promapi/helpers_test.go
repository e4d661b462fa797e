package promapi

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder/promstore"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// fakeStorage is a storage of any samples.
type fakeStorage struct {
	storage.SampleAndChunkQueryable
	metadata []promstore.Metadata
	warnings annotations.Annotations
	err      error
	// seen are the options of the newest request.
	seen *promstore.Options
}

func (s fakeStorage) Queryable(o promstore.Options) storage.SampleAndChunkQueryable {
	if s.seen != nil {
		*s.seen = o
	}
	return s.SampleAndChunkQueryable
}

func (s fakeStorage) Metadata(_ context.Context, o promstore.Options, name string) ([]promstore.Metadata, annotations.Annotations, error) {
	if s.seen != nil {
		*s.seen = o
	}
	var found []promstore.Metadata
	for _, m := range s.metadata {
		if name == "" || name == m.Name {
			found = append(found, m)
		}
	}
	return found, s.warnings, s.err
}

// sorted is a storage that always sorts series, so that responses are the same each time.
type sorted struct {
	storage.SampleAndChunkQueryable
}

func (s sorted) Querier(mint, maxt int64) (storage.Querier, error) {
	q, err := s.SampleAndChunkQueryable.Querier(mint, maxt)
	return sortedQuerier{q}, err
}

type sortedQuerier struct{ storage.Querier }

func (q sortedQuerier) Select(ctx context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	return q.Querier.Select(ctx, true, hints, matchers...)
}

// testNow is what the clock says in tests: when the samples of loaded end.
var testNow = time.Unix(3600, 0).UTC()

// loaded returns a storage of a few series of two nodes, over an hour.
func loaded(t testing.TB) fakeStorage {
	t.Helper()
	samples, err := os.ReadFile("testdata/samples.txt")
	require.NoError(t, err)
	s := promqltest.LoadedStorage(t, string(samples))
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	n1 := messages.Identity{NodeID: "n1", Role: "data"}
	n2 := messages.Identity{NodeID: "n2", Role: "liaison", Labels: map[string]string{"zone": "z"}}
	return fakeStorage{SampleAndChunkQueryable: sorted{s}, metadata: []promstore.Metadata{
		{Node: n1, Name: "requests_total", Type: messages.TypeCounter, Help: "Requests."},
		{Node: n2, Name: "requests_total", Type: messages.TypeCounter, Help: "Requests of <old> nodes."},
		{Node: n1, Name: "temperature", Type: messages.TypeGauge},
		{Node: n1, Name: "up", Type: messages.TypeUntyped},
		{Node: n2, Name: "up", Type: messages.TypeUntyped},
	}}
}

func testConfig(s Storage) Config {
	return Config{
		Storage: s,
		Targets: func(context.Context) ([]Target, error) {
			return []Target{
				{
					Labels: map[string]string{"node_id": "n2"}, Pool: "nodes", URL: "http://10.0.0.2:2121/metrics", Health: "down",
					LastError: "connection refused", LastScrape: testNow, LastScrapeDuration: 20 * time.Millisecond, Interval: 10 * time.Second, Timeout: 5 * time.Second,
				},
				{Labels: map[string]string{"node_id": "n1"}, Pool: "agents", URL: "http://10.0.0.1:2121/metrics", Health: "up", Interval: 10 * time.Second},
			}, nil
		},
		Limits:   Limits{Timeout: 10 * time.Second, MaxSamples: 1_000_000, Concurrency: 4},
		Revision: "abc",
		Flags:    map[string]string{"query-timeout": "30s"},
		Started:  testNow.Add(-time.Hour),
		Now:      func() time.Time { return testNow },
		Log:      zap.NewNop(),
	}
}

// serve returns the routes as a handler.
func serve(a *API) http.Handler {
	mux := http.NewServeMux()
	for _, r := range a.Routes() {
		mux.HandleFunc(r.Path, r.Serve)
	}
	return mux
}

// get returns the response to a request; with a form it is a POST.
func get(t testing.TB, h http.Handler, target string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if form != nil {
		r = httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// envelope is a response.
type envelope struct {
	Status    string          `json:"status"`
	Data      json.RawMessage `json:"data"`
	ErrorType string          `json:"errorType"`
	Error     string          `json:"error"`
	Warnings  []string        `json:"warnings"`
	Infos     []string        `json:"infos"`
}

func envelopeOf(t testing.TB, w *httptest.ResponseRecorder) envelope {
	t.Helper()
	body, err := io.ReadAll(w.Result().Body)
	require.NoError(t, err)
	var e envelope
	require.NoError(t, json.Unmarshal(body, &e), "%s", body)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	return e
}
