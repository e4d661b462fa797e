//go:build e2e && linux

package modes_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// openFront stands before an agent whose incidents are over, and says that they are open, while they are.
type openFront struct {
	*httptest.Server
	open atomic.Bool
}

func startOpenFront(t *testing.T, addr string) *openFront {
	t.Helper()
	target, err := url.Parse("http://" + addr)
	require.NoError(t, err)
	f := &openFront{}
	forward := httputil.NewSingleHostReverseProxy(target)
	state := regexp.MustCompile(`"state": ?"[a-z]+"`)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/incidents" {
			forward.ServeHTTP(w, r)
			return
		}
		_, body, _, err := get(addr, "/incidents")
		switch {
		case err != nil:
			w.WriteHeader(http.StatusBadGateway)
			return
		case !f.open.Load():
			body = "[]"
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(state.ReplaceAllString(body, `"state":"open"`)))
	}))
	t.Cleanup(f.Close)
	return f
}

// TestE2EBrowserWhileTheBannerComes: the banner of open incidents comes and goes while somebody reads the page of an agent's node. That
// moves nothing: it has its place at the top when the next page is opened.
func TestE2EBrowserWhileTheBannerComes(t *testing.T) {
	t.Parallel()
	c := startRecorded(t, "data-0=healthy")
	captured(t, c.http(), "data-0")
	browser := startBrowser(t)
	for _, v := range []view{desktop, phone} {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			front := startOpenFront(t, c.agents["data-0"].addr("agent"))
			b := openTab(t, browser, strings.TrimPrefix(front.URL, "http://"), "", v)
			b.untilText("Resident memory")
			b.until("document.querySelector('.plot canvas')")
			b.untilStill()
			front.open.Store(true)
			b.until("document.querySelector('a.banner-loud')?.innerText.includes('1 incident is open')")
			b.untilText("Last incident:")
			b.untilStill()
			t.Logf("%s: moved by %.3f: %v", v, eval[float64](b, "window.shifted"), eval[[]string](b, "window.shifts"))
			b.shoot("banner-late-" + v.String())
			b.requireGood()
			b.requireNoBarriers()
			b.clickText("nav a", "Query")
			b.untilText("Ask about what was recorded")
			b.shoot("banner-next-" + v.String())
			require.True(t, eval[bool](b, "document.querySelector('a.banner-loud').getBoundingClientRect().top < 200"))
			b.requireGood()
			front.open.Store(false)
			b.untilText("No incident is open any more")
			b.requireGood()
		})
	}
}
