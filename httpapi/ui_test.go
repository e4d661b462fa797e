package httpapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"fodc/httpapi/ui"

	"github.com/stretchr/testify/require"
)

// accepting does a GET as a client that accepts these types.
func accepting(t *testing.T, h http.Handler, path, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestBrowsersAreLedToThePages(t *testing.T) {
	h := newFakeProxy().handler
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
	w := accepting(t, h, "/", browser)
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Equal(t, "./ui/", w.Header().Get("Location"), "relative: a reverse proxy may have cut off a prefix")
	require.Contains(t, w.Header().Values("Vary"), "Accept")
	for _, program := range []string{"*/*", "", "application/json", "text/html;q=0"} {
		w := accepting(t, h, "/", program)
		require.Equal(t, http.StatusOK, w.Code, program)
		require.Contains(t, w.Body.String(), "./metrics", program)
	}
	require.Equal(t, "./ui/", do(h, http.MethodGet, "/ui").Header().Get("Location"))
}

func TestPagesAreServed(t *testing.T) {
	p := newFakeProxy()
	p.Incidents = newFakeIncidents().Incidents
	h := p.Handler()
	w := do(h, http.MethodGet, "/ui/")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, ui.ContentSecurityPolicy, w.Header().Get("Content-Security-Policy"))
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Equal(t, w.Body.String(), do(h, http.MethodGet, "/ui/index.html").Body.String())
	require.Equal(t, "text/javascript; charset=utf-8", do(h, http.MethodGet, "/ui/shared/html.js").Header().Get("Content-Type"))
	require.Equal(t, http.StatusNotFound, do(h, http.MethodGet, "/ui/nothing.js").Code)
	require.Equal(t, http.StatusMethodNotAllowed, do(h, http.MethodPost, "/ui/").Code)
	var s serverView
	require.NoError(t, json.Unmarshal(do(h, http.MethodGet, "/ui/server.json").Body.Bytes(), &s))
	require.Equal(t, programProxy, s.Program)
	require.Contains(t, s.Routes, routeView{"/cluster", readMethods, "the nodes and their agents"})
	require.Contains(t, do(h, http.MethodGet, "/ui/server.json").Body.String(), `"path":"/incidents"`)
}
