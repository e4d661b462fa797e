//go:build e2e && linux

package modes_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// slowProxy stands before a proxy, and holds back the answers of one path until it is let go.
type slowProxy struct {
	*httptest.Server
	gate chan struct{}
}

func startSlowProxy(t *testing.T, addr, slow string) *slowProxy {
	t.Helper()
	target, err := url.Parse("http://" + addr)
	require.NoError(t, err)
	s := &slowProxy{gate: make(chan struct{})}
	forward := httputil.NewSingleHostReverseProxy(target)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == slow {
			select {
			case <-s.gate:
			case <-r.Context().Done():
				return
			}
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *slowProxy) addr() string { return strings.TrimPrefix(s.URL, "http://") }

// TestE2EBrowserStates: a page says that it loads, that there is nothing, which nodes are missing, and what was wrong.
func TestE2EBrowserStates(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	t.Run("empty", func(t *testing.T) { requireEmptyPages(t, browser) })
	c := startRecorded(t, "data-0=healthy", "data-1=healthy", "liaison-0=healthy")
	t.Run("loading", func(t *testing.T) { requireLoadingPages(t, browser, c.http()) })
	t.Run("error", func(t *testing.T) { requireErrors(t, browser, c.http()) })
	t.Run("partial", func(t *testing.T) { requirePartialPages(t, browser, c) })
}

func requireEmptyPages(t *testing.T, browser context.Context) {
	addr := startProxy(t, "--storage-dir", t.TempDir()).addr("http")
	for _, one := range []struct{ name, path, says string }{
		{"cluster", "#/", "No agent has registered yet"},
		{"incidents", "#/incidents", "Nothing has gone wrong"},
		{"query", "#/query", "Ask about what was recorded"},
		{"no-series", "#/query?q=go_goroutines", "No series in this time"},
		{"config", "#/config", "No node is registered"},
		{"topology", "#/topology", "No agent has asked its database"},
		{"node", "#/node/nobody", "No node of this name is registered"},
		{"incident", "#/incidents/01ARZ3NDEKTSV4RRFFQ69G5FAV", "There is no such incident"},
		{"page", "#/nowhere", "There is no such page"},
	} {
		t.Run(one.name, func(t *testing.T) {
			b := openTab(t, browser, addr, one.path, desktop)
			b.allowed = []string{"status of 404"}
			b.untilText(one.says)
			b.shoot("empty-" + one.name)
			b.requireGood()
			b.requireNoBarriers()
		})
	}
}

func requireLoadingPages(t *testing.T, browser context.Context, addr string) {
	for _, one := range []struct{ name, path, slow, says, then string }{
		{"cluster", "#/", "/cluster", "Loading the nodes", "Nothing is wrong"},
		{"incidents", "#/incidents", "/incidents", "Loading the incidents", "Nothing has gone wrong"},
		{"query", "#/query?q=go_goroutines", "/api/v1/query_range", "Loading the result", "data-0"},
		{"pages", "#/", "/ui/server.json", "Loading the pages", "Nothing is wrong"},
	} {
		t.Run(one.name, func(t *testing.T) {
			slow := startSlowProxy(t, addr, one.slow)
			b := openTab(t, browser, slow.addr(), one.path, desktop)
			b.untilText(one.says)
			b.shoot("loading-" + one.name)
			close(slow.gate)
			b.untilText(one.then)
			b.until("!document.querySelector('.loading')")
			b.requireGood()
		})
	}
}

func requireErrors(t *testing.T, browser context.Context, addr string) {
	b := openTab(t, browser, addr, "#/query?q=sum(&range=5m", desktop)
	b.allowed = []string{"status of 400"}
	b.untilText("The expression cannot be shown")
	b.untilText("parse error")
	require.True(t, eval[bool](b, "document.querySelector('textarea').getAttribute('aria-invalid') === 'true'"))
	b.shoot("error-query")
	b.requireGood()
	b.requireNoBarriers()
}

// requirePartialPages has one of three agents hang, and then end: pages say which, and why, and show the others.
func requirePartialPages(t *testing.T, browser context.Context, c *recordedCluster) {
	query, cluster := openTab(t, browser, c.http(), "#/query?q=go_goroutines&range=5m", desktop), openTab(t, browser, c.http(), "#/", phone)
	query.untilText("liaison-0")
	cluster.untilText("Nothing is wrong")
	c.agents["data-1"].kill(syscall.SIGSTOP)
	query.until("document.querySelector('.partial')?.innerText.includes('data-1')")
	query.shoot("partial-query-hanging")
	cluster.until("document.querySelector('.row-bad')?.innerText.includes('data-1')")
	cluster.until("/data-1: gone for/.test(document.querySelector('.summary').innerText)")
	cluster.shoot("partial-cluster-hanging-390")
	c.agents["data-1"].kill(syscall.SIGKILL)
	query.until("document.querySelector('.partial')?.innerText.includes('data-1')")
	query.shoot("partial-query-gone")
	for _, node := range []string{"data-0", "liaison-0"} {
		require.Contains(t, query.text(".legend"), node)
	}
	cluster.shoot("partial-cluster-gone-390")
	query.requireGood()
	eval[float64](cluster, "window.shifted = 0") // What is wrong has gone to the top: that may move the rest.
	cluster.requireGood()
	query.requireNoBarriers()
	cluster.requireNoBarriers()
	config := openTab(t, browser, c.http(), "#/config", desktop)
	config.untilText("data-1")
	config.shoot("partial-config")
	config.requireGood()
}
