package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fodc/httpapi/access"
	"fodc/messages"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// tokensOfTests are those of a reader and of an operator.
func tokensOfTests(token string) (name, role string, ok bool) {
	switch token {
	case "reading":
		return "prometheus", access.RoleRead, true
	case "operating":
		return "robot", access.RoleOperate, true
	}
	return "", "", false
}

const (
	reader   = "Bearer reading"
	operator = "Bearer operating"
)

var allMethods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, "X"}

// Every route, and every path that is none, asks who the client is. Only the probes are open.
func TestStrangerCannotReadAnything(t *testing.T) {
	s := readSpec(t)
	for server, h := range documentedServersBehind(access.New(access.Config{FindToken: tokensOfTests})) {
		paths := append(s.serving(server), "/", "/ui", "/ui/", "/ui/server.json", "/ui/app.js", "/nothing", "/-/healthy/", "/-/healthy/x", "//-/healthy", "/api/v1/nothing", "/-/reload", "*")
		for _, path := range paths {
			for _, method := range allMethods {
				r := httptest.NewRequest(method, onNode(path), nil)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if path == "/-/healthy" || path == "/-/ready" {
					require.Contains(t, []int{200, 405}, w.Code, path)
					continue
				}
				requireError(t, w, 401, messages.ErrUnauthorized, "who are you? Allowed are a token (Authorization: Bearer TOKEN)")
				require.Equal(t, []string{`Bearer realm="fodc"`}, w.Header().Values("WWW-Authenticate"))
				require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			}
		}
		require.Equal(t, 200, do(h, http.MethodGet, "/metrics", "Authorization", reader).Code)
		require.Equal(t, 401, do(h, http.MethodGet, "/metrics", "Authorization", "Bearer else").Code)
		require.Equal(t, 404, do(h, http.MethodGet, "/nothing", "Authorization", reader).Code)
	}
}

// What changes something is what a reader is refused; all else it may do, as an operator may.
func TestReaderCannotDeleteIncidents(t *testing.T) {
	s := readSpec(t)
	for server, h := range documentedServersBehind(access.New(access.Config{FindToken: tokensOfTests})) {
		changing := 0
		for _, path := range s.serving(server) {
			described := s.Paths[path]
			for method := range described.operations() {
				f := func(credentials string) int {
					return act(h, method, onNode(path)+promQuery, `{"reason":"r"}`, "Authorization", credentials, "Client", "10.0.0.7:1", "Host", "fodc.example").Code
				}
				if strings.HasPrefix(path, "/incidents") && method != http.MethodGet && method != http.MethodHead {
					changing++
					require.Equal(t, 403, f(reader), "%s %s", method, path)
					require.Contains(t, []int{201, 204, 409}, f(operator), "%s %s", method, path)
					continue
				}
				require.NotContains(t, []int{401, 403}, f(reader), "%s %s", method, path)
				require.NotContains(t, []int{401, 403}, f(operator), "%s %s", method, path)
			}
		}
		require.Equal(t, 4, changing)
	}
}

func TestActionsHaveTheNameOfWhoActs(t *testing.T) {
	i := newFakeIncidents()
	core, logs := observer.New(zap.InfoLevel)
	_, a := newFakeAgent()
	a.Incidents, a.Log, a.Access = i.Incidents, zap.New(core), access.New(access.Config{FindToken: tokensOfTests})
	h := a.Handler()
	require.Equal(t, 201, act(h, http.MethodPost, "/incidents", `{"reason":"r"}`, "Authorization", operator, "Client", "10.0.0.7:1", "X-Forwarded-For", "1.2.3.4", "User-Agent", "curl").Code)
	require.Equal(t, "robot", i.order.By)
	require.Equal(t, "robot", logs.All()[0].ContextMap()["by"])
	require.Equal(t, "10.0.0.7:1", logs.All()[0].ContextMap()["client"])
	// Who asks must send what no form of a page can send, and what pages of other sites may not.
	require.Equal(t, 400, act(h, http.MethodPost, "/incidents", `{"reason":"r"}`, "Authorization", operator, "Content-Type", "text/plain").Code)
	require.Equal(t, 403, act(h, http.MethodPost, "/incidents", `{"reason":"r"}`, "Authorization", operator, "Sec-Fetch-Site", "cross-site").Code)
}

func TestHeadersOfTheConfiguration(t *testing.T) {
	settings := &access.Settings{Headers: map[string]string{"Strict-Transport-Security": "max-age=1", "X-Frame-Options": "deny", "Content-Security-Policy": "frame-ancestors 'none'",
		"X-Content-Type-Options": "nosniff"}}
	h := documentedServersBehind(access.New(access.Config{Settings: func() *access.Settings { return settings }}))["proxy"]
	f := func(method, path string, code int) *httptest.ResponseRecorder {
		t.Helper()
		w := do(h, method, path)
		require.Equal(t, code, w.Code)
		for _, name := range []string{"Strict-Transport-Security", "X-Frame-Options", "X-Content-Type-Options"} {
			require.Equal(t, []string{settings.Headers[name]}, w.Header().Values(name), path)
		}
		require.Contains(t, w.Header().Values("Content-Security-Policy"), "frame-ancestors 'none'", path)
		return w
	}
	f(http.MethodGet, "/metrics", 200)
	f(http.MethodGet, "/nothing", 404)
	f(http.MethodPost, "/metrics", 405)
	f(http.MethodGet, "/api/v1/nothing", 404)
	f(http.MethodGet, "/-/healthy", 200)
	// A page keeps its own policy, and the browser both.
	require.Len(t, f(http.MethodGet, "/ui/", 200).Header().Values("Content-Security-Policy"), 2)
	require.Len(t, f(http.MethodGet, "/ui", 303).Header().Values("Content-Security-Policy"), 1)
	settings = &access.Settings{Users: map[string][]byte{"alice": nil}, Headers: settings.Headers}
	require.Equal(t, []string{`Basic realm="fodc", charset="UTF-8"`}, f(http.MethodGet, "/metrics", 401).Header().Values("WWW-Authenticate"))
}

// No cache keeps what is asked for; only the files of the pages may be kept, and are compared each time.
func TestNothingIsCached(t *testing.T) {
	s := readSpec(t)
	for server, h := range documentedServers() {
		for _, path := range append(s.serving(server), "/nothing", "/ui/server.json") {
			w := ask(h, http.MethodGet, onNode(path)+promQuery)
			want := "no-store"
			if strings.HasPrefix(path, "/ui/") && path != "/ui/server.json" && w.Code == http.StatusOK {
				want = "no-cache"
			}
			require.Equal(t, want, w.Header().Get("Cache-Control"), path)
		}
	}
}

func TestRefusalsAreCounted(t *testing.T) {
	p := newFakeProxy()
	p.Access = access.New(access.Config{FindToken: tokensOfTests})
	h := p.Handler()
	do(h, http.MethodGet, "/metrics")
	do(h, http.MethodGet, "/metrics", "Authorization", "Bearer else")
	w := do(h, http.MethodGet, "/metrics/self", "Authorization", reader)
	require.Equal(t, 200, w.Code)
	for _, line := range []string{`{reason="no_credentials"} 1`, `{reason="wrong_token"} 1`, `{reason="only_reads"} 0`} {
		require.Contains(t, w.Body.String(), familyHTTPRefused+line+"\n")
	}
}
