package httpapi

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fodc/httpapi/promapi"
	"fodc/messages"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// echo responds with the path values of a route.
func echo(names ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, name := range names {
			_, _ = io.WriteString(w, name+"="+r.PathValue(name)+"\n")
		}
	}
}

// queries is a server with routes of the API of Prometheus.
func queries(metrics *selfMetrics, routes ...promapi.Route) http.Handler {
	return newRouter("x", nil, routes, nil, zap.NewNop(), metrics)
}

func TestQueriesTakeTheirMethods(t *testing.T) {
	h := queries(nil, promapi.Route{Path: "/api/v1/query", Methods: []string{http.MethodGet, http.MethodPost}, Serve: echo("x")},
		promapi.Route{Path: "/api/v1/read", Methods: []string{http.MethodPost}, Serve: echo("x")})
	f := func(path, allow, text string, methods ...string) {
		t.Helper()
		for _, method := range methods {
			require.Equal(t, http.StatusOK, do(h, method, path).Code, method)
		}
		w := do(h, http.MethodDelete, path)
		requireError(t, w, http.StatusMethodNotAllowed, messages.ErrBadData, "the method must be "+text)
		require.Equal(t, allow, w.Header().Get("Allow"))
	}
	f("/api/v1/query", "GET, POST", "GET or POST", http.MethodGet, http.MethodPost)
	f("/api/v1/read", "POST", "POST", http.MethodPost)
	require.Equal(t, http.StatusMethodNotAllowed, do(h, http.MethodGet, "/api/v1/read").Code)
}

func TestPathValues(t *testing.T) {
	rt := endpoints{exact: map[string]endpoint{}}
	for _, path := range []string{"/exact", "/agents/{node_id}/metrics", "/api/v1/label/{name}/values", "/a/{one}/{two}", "/dots.{x}"} {
		rt.add(endpoint{route: route{path: path}, methods: readMethods})
	}
	f := func(path, route string, values ...string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path = path
		require.Equal(t, route, rt.find(r).route.path, path)
		for i := 0; i < len(values); i += 2 {
			require.Equal(t, values[i+1], r.PathValue(values[i]), path)
		}
	}
	f("/exact", "/exact")
	f("/agents/n1/metrics", "/agents/{node_id}/metrics", "node_id", "n1")
	f("/agents/a/b\nc/metrics", "/agents/{node_id}/metrics", "node_id", "a/b\nc")
	f("/agents/metrics/metrics", "/agents/{node_id}/metrics", "node_id", "metrics")
	f("/agents/{node_id}/metrics", "/agents/{node_id}/metrics", "node_id", "{node_id}")
	f("/api/v1/label/__name__/values", "/api/v1/label/{name}/values", "name", "__name__")
	f("/api/v1/label/a b/values", "/api/v1/label/{name}/values", "name", "a b")
	f("/api/v1/label/a/b/values", otherRoute)
	f("/api/v1/label//values", otherRoute)
	f("/api/v1/label/a/values/", otherRoute)
	f("/x/api/v1/label/a/values", otherRoute)
	f("/a/1/2", "/a/{one}/{two}", "one", "1", "two", "2")
	f("/a/1/2/3", otherRoute)
	f("/dots.1", "/dots.{x}", "x", "1")
	f("/dotsX1", otherRoute)
}

// Grafana asks for paths of other products, and looks for these words.
func TestAnUnknownPathOfTheAPIIsAsPrometheusHasIt(t *testing.T) {
	agent, _ := newFakeAgent()
	for _, h := range []http.Handler{newFakeProxy().handler, agent} {
		for _, path := range []string{"/api/v1/rules/test/test", "/api/v1/x", "/api/", "/api/v2/query"} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				w := do(h, method, path)
				require.Equal(t, http.StatusNotFound, w.Code)
				require.Equal(t, "404 page not found\n", w.Body.String())
				require.Equal(t, contentPlain, w.Header().Get("Content-Type"))
			}
		}
		requireError(t, do(h, http.MethodGet, "/apis"), http.StatusNotFound, messages.ErrNotFound, `page not found: "/apis"; / lists those there are`)
	}
}

// The API is one line of the index, and no line where there is none.
func TestIndexHasOneLineForTheAPI(t *testing.T) {
	routes := []promapi.Route{{Path: "/api/v1/query", Serve: echo()}, {Path: "/api/v1/labels", Serve: echo()}}
	require.Equal(t, 1, strings.Count(do(queries(nil, routes...), http.MethodGet, "/").Body.String(), "<li>"))
	require.Contains(t, do(queries(nil, routes...), http.MethodGet, "/").Body.String(), "<li>/api/v1: ")
	require.NotContains(t, do(queries(nil), http.MethodGet, "/").Body.String(), "<li>")
}

// What a handler of the API does wrong is handled as for all routes.
func TestQueriesThatPanicOrLoseTheirClient(t *testing.T) {
	m := newSelfMetrics(Build{})
	h := queries(m, promapi.Route{Path: "/api/v1/query", Methods: []string{http.MethodGet}, Serve: func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "panic" {
			panic("out of cheese")
		}
		http.Error(w, "bad", http.StatusBadRequest)
	}})
	w := do(h, http.MethodGet, "/api/v1/query?panic")
	requireError(t, w, http.StatusInternalServerError, messages.ErrInternal, "internal error: the log has it under the request id "+w.Header().Get("X-Request-Id"))
	require.Equal(t, "bad\n", do(h, http.MethodGet, "/api/v1/query").Body.String())
	require.Panics(t, func() {
		h.ServeHTTP(brokenWriter{httptest.NewRecorder()}, httptest.NewRequest(http.MethodGet, "/api/v1/query", nil))
	})
	var page strings.Builder
	m.set.WritePrometheus(&page)
	for _, code := range []string{"400", "499", "500"} {
		require.Contains(t, page.String(), `fodc_proxy_http_requests_total{route="/api/v1/query",code="`+code+`"} 1`)
	}
}

// A part of a response that is flushed arrives before the next one is there, compressed or not; what
// is compressed already is not compressed again.
func TestFlushedPartsArrive(t *testing.T) {
	f := func(contentType, contentEncoding, accept, wantEncoding string) {
		t.Helper()
		next := make(chan struct{})
		h := queries(nil, promapi.Route{Path: "/api/v1/read", Methods: []string{http.MethodPost}, Serve: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			if contentEncoding != "" {
				w.Header().Set("Content-Encoding", contentEncoding)
			}
			for range 3 {
				_, _ = io.WriteString(w, strings.Repeat("part", 64<<10))
				w.(http.Flusher).Flush()
				<-next
			}
		}})
		s, err := Listen(ServerConfig{Addr: "127.0.0.1:0", Handler: h, ReadTimeout: time.Minute, WriteTimeout: time.Minute, Log: zap.NewNop()})
		require.NoError(t, err)
		served := make(chan error, 1)
		go func() { served <- s.Serve() }()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.Addr().String()+"/api/v1/read", nil)
		require.NoError(t, err)
		r.Header.Set("Accept-Encoding", accept)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.Equal(t, wantEncoding, resp.Header.Get("Content-Encoding"))
		var body io.Reader = resp.Body
		if wantEncoding == "gzip" {
			body, err = gzip.NewReader(body)
			require.NoError(t, err)
		}
		part := make([]byte, 256<<10)
		for range 3 {
			_, err = io.ReadFull(body, part)
			require.NoError(t, err)
			require.Equal(t, strings.Repeat("part", 64<<10), string(part))
			next <- struct{}{}
		}
		_, err = body.Read(part)
		require.Equal(t, io.EOF, err)
		_ = resp.Body.Close()
		http.DefaultClient.CloseIdleConnections()
		require.NoError(t, s.Shutdown(t.Context()))
		require.NoError(t, <-served)
	}
	f("text/plain", "", "identity", "")
	f("text/plain", "", "gzip", "gzip")
	f("application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse", "", "gzip", "")
	f("application/x-protobuf", "snappy", "gzip", "snappy")
}
