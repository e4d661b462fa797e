package promapi

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder/promstore"

	"github.com/klauspost/compress/snappy"
	config_util "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/require"
)

// hiding hides what a writer can do besides writing, as the writers of a router do.
type hiding struct{ inner http.ResponseWriter }

func (w hiding) Header() http.Header         { return w.inner.Header() }
func (w hiding) Write(p []byte) (int, error) { return w.inner.Write(p) }
func (w hiding) WriteHeader(code int)        { w.inner.WriteHeader(code) }
func (w hiding) Unwrap() http.ResponseWriter { return w.inner }

// A Prometheus reads the samples as they are, in both forms of responses.
func TestRead(t *testing.T) {
	h := serve(New(testConfig(loaded(t))))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(hiding{w}, r) }))
	defer server.Close()
	at, err := url.Parse(server.URL + "/api/v1/read")
	require.NoError(t, err)
	for _, form := range []prompb.ReadRequest_ResponseType{prompb.ReadRequest_SAMPLES, prompb.ReadRequest_STREAMED_XOR_CHUNKS} {
		client, err := remote.NewReadClient("test", &remote.ClientConfig{
			URL: &config_util.URL{URL: at}, Timeout: model.Duration(10 * time.Second), ChunkedReadLimit: 10 << 20,
			AcceptedResponseTypes: []prompb.ReadRequest_ResponseType{form},
		})
		require.NoError(t, err)
		query, err := remote.ToQuery(0, 3_600_000, []*labels.Matcher{labels.MustNewMatcher(labels.MatchRegexp, "__name__", "up|requests.*")}, nil)
		require.NoError(t, err)
		set, err := client.Read(t.Context(), query, true)
		require.NoError(t, err)
		var got []string
		for set.Next() {
			n, sum := 0, 0.0
			for it := set.At().Iterator(nil); it.Next() == chunkenc.ValFloat; n++ {
				_, v := it.At()
				sum += v
			}
			got = append(got, fmt.Sprint(set.At().Labels(), n, sum))
		}
		require.NoError(t, set.Err())
		require.Equal(t, []string{
			`{__name__="requests_total", node_id="n1", node_role="data", path="/a"} 361 649800`,
			`{__name__="requests_total", node_id="n1", node_role="data", path="/b"} 361 324900`,
			`{__name__="requests_total", node_id="n2", node_role="liaison", path="/a"} 361 32820`,
			`{__name__="up", node_id="n1", node_role="data"} 361 361`,
			`{__name__="up", node_id="n2", node_role="liaison"} 361 160`,
		}, got)
	}
}

func readBody(t *testing.T, r *prompb.ReadRequest) string {
	t.Helper()
	b, err := r.Marshal()
	require.NoError(t, err)
	return string(snappy.Encode(nil, b))
}

func TestReadIsBounded(t *testing.T) {
	query := func(from, to int64, matchers ...*prompb.LabelMatcher) *prompb.Query {
		return &prompb.Query{StartTimestampMs: from, EndTimestampMs: to, Matchers: matchers}
	}
	up := &prompb.LabelMatcher{Name: "__name__", Value: "up"}
	s := loaded(t)
	s.seen = &promstore.Options{}
	cfg := testConfig(s)
	cfg.Limits.MaxSamples = 800
	a := New(cfg)
	f := func(target, body string, status int, contains string) {
		t.Helper()
		w := httptest.NewRecorder()
		serve(a).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/api/v1/read"+target, strings.NewReader(body)))
		require.Equal(t, status, w.Code, w.Body)
		require.Contains(t, w.Body.String(), contains)
		require.Equal(t, [kinds]int{}, a.admission.state.running)
	}
	one := &prompb.ReadRequest{Queries: []*prompb.Query{query(0, 3_600_000, up)}}
	f("", readBody(t, one), 200, "")
	require.False(t, s.seen.Strict)
	f("?strict=1", readBody(t, one), 200, "")
	require.True(t, s.seen.Strict)
	f("?strict=x", readBody(t, one), 400, `invalid parameter "strict"`)
	// The samples of all queries together are bounded.
	f("", readBody(t, &prompb.ReadRequest{Queries: []*prompb.Query{query(0, 3_600_000, up), query(0, 1, up)}}), 400, "exceeded sample limit (400)")
	f("", readBody(t, &prompb.ReadRequest{}), 200, "")

	f("", strings.Repeat("a", maxBodyBytes+1), 413, "request body too large")
	f("", "x", 400, "snappy: corrupt input")
	f("", string(snappy.Encode(nil, make([]byte, 33<<20))), 413, "request body too large")
	empty := &prompb.ReadRequest{Queries: make([]*prompb.Query, 9<<20)} // of 2 bytes each, and of some 100 once it is read
	for i := range empty.Queries {
		empty.Queries[i] = &prompb.Query{}
	}
	bomb := readBody(t, empty)
	require.Less(t, len(bomb), maxBodyBytes)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f("", bomb, 413, "the request has 18874368 bytes when it is unpacked, at most 262144 are allowed")
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20))
	many := make([]*prompb.Query, maxReadQueries+1)
	for i := range many {
		many[i] = query(0, 1, up)
	}
	f("", readBody(t, &prompb.ReadRequest{Queries: many}), 400, "101 queries, at most 100 are allowed")
	re := &prompb.LabelMatcher{Type: prompb.LabelMatcher_NRE, Name: "a", Value: strings.Repeat("(?i)[^a]", 100)}
	f("", readBody(t, &prompb.ReadRequest{Queries: []*prompb.Query{query(0, 1, re)}}), 400, "classes of many characters")

	// Long ones wait for a slot of theirs.
	wait, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 2 {
		require.NoError(t, a.admission.wait(wait, long))
	}
	read := func(from, to int64, hints *prompb.ReadHints) int {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		w := httptest.NewRecorder()
		q := query(from, to, up)
		q.Hints = hints
		body := readBody(t, &prompb.ReadRequest{Queries: []*prompb.Query{q}})
		serve(a).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/api/v1/read", strings.NewReader(body)).WithContext(ctx))
		return w.Code
	}
	require.Equal(t, http.StatusServiceUnavailable, read(0, 3_600_000, nil))
	require.Equal(t, http.StatusServiceUnavailable, read(3_000_000, 3_600_000, &prompb.ReadHints{EndMs: 3_600_000}), "the hints say what is read")
	require.Equal(t, http.StatusOK, read(3_000_000, 3_600_000, nil))
	require.Equal(t, http.StatusOK, read(3_000_000, 3_600_000, &prompb.ReadHints{StartMs: 3_000_000, EndMs: 3_600_000}))
}

func TestReadErrors(t *testing.T) {
	body := readBody(t, &prompb.ReadRequest{Queries: []*prompb.Query{{Matchers: []*prompb.LabelMatcher{{Name: "__name__", Value: "up"}}}}})
	h := serve(New(testConfig(failing{err: messages.Errorf(messages.ErrUnavailable, "n1: no answer")})))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/api/v1/read", strings.NewReader(body)))
	require.Equal(t, http.StatusInternalServerError, w.Code)
	text, err := io.ReadAll(w.Result().Body)
	require.NoError(t, err)
	require.Equal(t, "n1: no answer\n", string(text))
}

// FuzzRead reads what strangers send as the body.
func FuzzRead(f *testing.F) {
	a := New(testConfig(loaded(f)))
	b, err := (&prompb.ReadRequest{
		Queries:               []*prompb.Query{{EndTimestampMs: 1000, Matchers: []*prompb.LabelMatcher{{Type: prompb.LabelMatcher_RE, Name: "__name__", Value: "u.*"}}, Hints: &prompb.ReadHints{StartMs: 1}}},
		AcceptedResponseTypes: []prompb.ReadRequest_ResponseType{prompb.ReadRequest_STREAMED_XOR_CHUNKS},
	}).Marshal()
	require.NoError(f, err)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, body := range [][]byte{b, snappy.Encode(nil, b)} {
			w := httptest.NewRecorder()
			serve(a).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/api/v1/read", strings.NewReader(string(body))))
			require.Contains(t, []int{200, 400, 413, 500}, w.Code)
		}
	})
}
