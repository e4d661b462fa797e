package httpapi

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

func TestEveryRouteTakesGetAndHeadOnly(t *testing.T) {
	proxy := newFakeProxy()
	proxy.collection = &messages.Collection{Nodes: threeNodes().Nodes[:1]}
	agent, _ := newFakeAgent()
	for name, h := range map[string]struct {
		handler http.Handler
		paths   []string
	}{
		"proxy": {proxy.handler, []string{"/", "/metrics", "/metrics-windows", "/cluster", "/health", "/-/healthy", "/-/ready", "/metrics/self", "/debug/actors", "/sd", "/agents/n1/metrics"}},
		"agent": {agent, []string{"/", "/metrics", "/health", "/-/healthy", "/-/ready", "/debug/actors"}},
	} {
		for _, path := range h.paths {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				w := do(h.handler, method, path)
				require.Equal(t, http.StatusOK, w.Code, "%s %s %s", name, method, path)
				require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
				require.NotEmpty(t, w.Header().Get("X-Request-Id"))
				require.NotEmpty(t, w.Header().Get("Content-Type"))
			}
			for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions, "BREW"} {
				w := do(h.handler, method, path)
				requireError(t, w, http.StatusMethodNotAllowed, messages.ErrBadData, "the method must be GET or HEAD")
				require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
			}
		}
		for _, path := range []string{"/nope", "/metrics/", "/cluster/x", "/index.html", "/agents", "/agents/", "/agents/metrics", "/agents//metrics", "/agents/n1", "/agents/n1/metrics/"} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				requireError(t, do(h.handler, method, path), http.StatusNotFound, messages.ErrNotFound,
					fmt.Sprintf("page not found: %q; / lists those there are", path))
			}
		}
	}
}

func TestIndexLinksEveryRoute(t *testing.T) {
	w := newFakeProxy().get("/")
	require.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
	require.Equal(t, "default-src 'none'", w.Header().Get("Content-Security-Policy"))
	for _, path := range []string{"/metrics", "/metrics-windows", "/cluster", "/health", "/-/healthy", "/-/ready", "/metrics/self", "/debug/actors"} {
		require.Contains(t, w.Body.String(), `<a href=".`+path+`">`+path+`</a>`)
	}
	require.Contains(t, w.Body.String(), `<a href="./sd">/sd</a>`)
	require.Contains(t, w.Body.String(), "<li>/agents/{node_id}/metrics: ")
	require.Contains(t, w.Body.String(), "<h1>fodc proxy</h1>")
}

func TestErrorsBecomeResponses(t *testing.T) {
	f := func(err error, status int, kind messages.ErrorKind, text string, logged bool) *httptest.ResponseRecorder {
		t.Helper()
		p := newFakeProxy()
		p.collectErr = err
		w := p.get("/metrics")
		requireError(t, w, status, kind, strings.ReplaceAll(text, "ID", w.Header().Get("X-Request-Id")))
		if !logged {
			require.Empty(t, p.errorLogs())
			return w
		}
		require.Equal(t, []string{err.Error()}, p.errorLogs())
		require.Equal(t, w.Header().Get("X-Request-Id"), p.logs.All()[0].ContextMap()["request_id"])
		return w
	}
	known := func(kind messages.ErrorKind) error { return messages.Errorf(kind, "the text") }
	f(known(messages.ErrBadData), 400, "bad_data", "the text", false)
	f(known(messages.ErrNotFound), 404, "not_found", "the text", false)
	f(known(messages.ErrTooLarge), 422, "too_large", "the text", false)
	f(known(messages.ErrTimeout), 504, "timeout", "the text", false)
	w := f(known(messages.ErrUnavailable), 503, "unavailable", "the text", false)
	require.Equal(t, "1", w.Header().Get("Retry-After"))
	w = f(messages.Errorf(messages.ErrUnavailable, "the text").TryAgain(90*time.Second-1), 503, "unavailable", "the text", false)
	require.Equal(t, "90", w.Header().Get("Retry-After"))
	f(known(messages.ErrInternal), 500, "internal", "the text: the log has it under the request id ID", true)
	f(fmt.Errorf("ask: %w", known(messages.ErrUnavailable)), 503, "unavailable", "the text", false)
	w = f(errors.New("password=hunter2"), 500, "internal", "internal error: the log has it under the request id ID", true)
	require.Empty(t, w.Header().Get("Retry-After"))
	f(fmt.Errorf("ask: %w", context.DeadlineExceeded), 504, "timeout", "no answer in time", false)
	// Canceled by something else than the client: an internal error.
	f(context.Canceled, 500, "internal", "internal error: the log has it under the request id ID", true)
}

func TestClientThatHasGone(t *testing.T) {
	p := newFakeProxy()
	ctx, cancel := context.WithCancel(t.Context())
	p.Collect = func(ctx context.Context, _ messages.Query) (*messages.Collection, error) {
		cancel()
		return nil, ctx.Err()
	}
	p.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil))
	require.Empty(t, p.errorLogs())
	require.Contains(t, p.get("/metrics/self").Body.String(), `fodc_proxy_http_requests_total{route="/metrics",code="499"} 1`)
}

// An internal error is logged, whether or not the client still waits.
func TestInternalErrorIsLoggedWithoutAClient(t *testing.T) {
	for _, fail := range []func() error{
		func() error { return errors.New("out of cheese") },
		func() error { panic("out of cheese") },
	} {
		p := newFakeProxy()
		ctx, cancel := context.WithCancel(t.Context())
		p.Collect = func(context.Context, messages.Query) (*messages.Collection, error) {
			cancel()
			return nil, fail()
		}
		p.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil))
		require.Len(t, p.errorLogs(), 1)
		require.Contains(t, p.errorLogs()[0], "out of cheese")
	}
}

func TestPanicBeforeTheResponse(t *testing.T) {
	p := newFakeProxy()
	p.Collect = func(context.Context, messages.Query) (*messages.Collection, error) { panic("out of cheese") }
	w := p.get("/metrics")
	requireError(t, w, 500, messages.ErrInternal, "internal error: the log has it under the request id "+w.Header().Get("X-Request-Id"))
	require.Len(t, p.errorLogs(), 1)
	require.Contains(t, p.errorLogs()[0], "panic: out of cheese")
	require.Contains(t, p.errorLogs()[0], "router_test.go")
	page := p.get("/metrics/self").Body.String()
	require.Contains(t, page, "fodc_proxy_http_panics_total 1\n")
	require.Contains(t, page, `fodc_proxy_http_requests_total{route="/metrics",code="500"} 1`)
}

func TestPanicWithinTheResponseCutsIt(t *testing.T) {
	metrics := newSelfMetrics(Build{})
	h := newRouter("x", readEndpoints([]route{{"/half", "", func(w http.ResponseWriter, _ *http.Request) error {
		_, _ = io.WriteString(w, "half")
		panic("out of cheese")
	}}}), nil, nil, zap.NewNop(), metrics)
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { do(h, http.MethodGet, "/half") })
	requireCounted(t, metrics, `fodc_proxy_http_requests_total{route="/half",code="500"} 1`)
}

// requireCounted requires that the counter of requests has this one line.
func requireCounted(t *testing.T, m *selfMetrics, line string) {
	t.Helper()
	var page strings.Builder
	m.set.WritePrometheus(&page)
	require.Equal(t, line+"\n", samplesOf(page.String(), familyRequests))
}

// brokenWriter is the connection of a client that has closed it.
type brokenWriter struct{ *httptest.ResponseRecorder }

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestBrokenConnectionIsNoInternalError(t *testing.T) {
	p := newFakeProxy()
	p.collection = threeNodes()
	require.PanicsWithValue(t, http.ErrAbortHandler, func() {
		p.handler.ServeHTTP(brokenWriter{httptest.NewRecorder()}, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	})
	require.Empty(t, p.errorLogs())
	requireCounted(t, p.metrics, `fodc_proxy_http_requests_total{route="/metrics",code="499"} 1`)
}

func TestGzip(t *testing.T) {
	p := newFakeProxy()
	plain := p.get("/metrics-windows")
	require.Empty(t, plain.Header().Get("Content-Encoding"))
	require.Contains(t, plain.Header().Values("Vary"), "Accept-Encoding")

	// Small pages are not compressed.
	small := p.get("/metrics-windows", "Accept-Encoding", "gzip")
	require.Empty(t, small.Header().Get("Content-Encoding"))
	require.Equal(t, plain.Body.String(), small.Body.String())

	p.collection = threeNodes()
	for range 50 {
		n := p.collection.Nodes[1]
		n.Identity.NodeID = fmt.Sprintf("m%d", len(p.collection.Nodes))
		p.collection.Nodes = append(p.collection.Nodes, n)
	}
	plain = p.get("/metrics-windows", "Accept-Encoding", "gzip;q=0, zstd")
	require.Empty(t, plain.Header().Get("Content-Encoding"))
	packed := p.get("/metrics-windows", "Accept-Encoding", "zstd, gzip")
	require.Equal(t, "gzip", packed.Header().Get("Content-Encoding"))
	require.Equal(t, "text/plain; version=0.0.4; charset=utf-8", packed.Header().Get("Content-Type"))
	require.Less(t, packed.Body.Len(), plain.Body.Len()/5)
	r, err := gzip.NewReader(packed.Body)
	require.NoError(t, err)
	body, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, plain.Body.String(), string(body))
}

// Requests share the collection, the metrics and the handler.
func TestConcurrentRequests(t *testing.T) {
	p := newFakeProxy()
	shared := threeNodes()
	p.Collect = func(context.Context, messages.Query) (*messages.Collection, error) { return shared, nil }
	p.Cluster = func(context.Context, messages.NodeFilter) (messages.Cluster, error) { return someCluster(), nil }
	targets := []string{"/metrics?node_id=n1", "/metrics-windows?format=json", "/metrics-windows", "/cluster", "/metrics"}
	want := make([]string, len(targets))
	for i, target := range targets[:4] {
		want[i] = p.get(target).Body.String()
	}
	var wg sync.WaitGroup
	for range 8 {
		for i, target := range targets {
			wg.Go(func() {
				body := p.get(target).Body.String()
				if target != "/metrics" && body != want[i] { // It has counters.
					t.Errorf("%s: another response than before: %s", target, body)
				}
			})
		}
	}
	wg.Wait()
	require.Contains(t, p.get("/metrics/self").Body.String(), `fodc_proxy_http_requests_total{route="/metrics",code="200"} 17`, "1 before, 8 of each kind")
}

// A client can tell that a response failed half-way, compressed or not.
func TestClientSeesThatAResponseWasCut(t *testing.T) {
	for _, size := range []int{10, minGzipBytes - 1, minGzipBytes, 1 << 20} {
		server := httptest.NewServer(newRouter("x", readEndpoints([]route{{"/half", "", func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, strings.Repeat("x", size))
			return errors.New("out of cheese")
		}}}), nil, nil, zap.NewNop(), nil))
		for _, encoding := range []string{"identity", "gzip"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/half", nil)
			require.NoError(t, err)
			r.Header.Set("Accept-Encoding", encoding)
			client := server.Client()
			resp, err := client.Transport.RoundTrip(r)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				_ = resp.Body.Close()
			}
			require.Error(t, err, "%d bytes, %s", size, encoding)
		}
		server.Close()
	}
}
