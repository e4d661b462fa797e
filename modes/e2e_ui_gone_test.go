//go:build e2e && linux

package modes_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// refused is what a browser logs of a proxy that is not there.
var refused = []string{"net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_RESET", "net::ERR_EMPTY_RESPONSE", "net::ERR_SOCKET_NOT_CONNECTED"}

// banner holds while the page says that nobody answers.
const banner = "document.querySelector('.banner-bad')?.innerText.includes('The proxy does not answer')"

// TestE2EBrowserWhileTheProxyIsGone: what is shown stays, a page that was not open yet waits, and both go on by themselves
// when the proxy is back.
func TestE2EBrowserWhileTheProxyIsGone(t *testing.T) {
	t.Parallel()
	c := startRecorded(t, "data-0=healthy")
	browser := startBrowser(t)
	cluster := openTab(t, browser, c.http(), "#/", desktop)
	list := openTab(t, browser, c.http(), "#/incidents", phone)
	other := openTab(t, browser, c.http(), "#/query?q=go_goroutines&range=5m", desktopDark)
	tabs := []*tab{cluster, list, other}
	cluster.until("document.querySelector('.line-cell')?.innerText.includes('/s')")
	list.untilText("Nothing has gone wrong")
	other.until("document.querySelector('.plot canvas')")
	for _, b := range tabs {
		b.allowed = refused
		require.True(t, eval[bool](b, "window.sameDocument = true"))
	}
	c.proxy.kill(syscall.SIGKILL)
	<-c.proxy.exited
	for _, b := range tabs {
		b.until(banner)
	}
	require.Contains(t, cluster.text(".table"), "data-0")
	require.Contains(t, list.text("main"), "Nothing has gone wrong")
	require.True(t, eval[bool](other, "document.querySelector('.plot canvas') !== null && !document.querySelector('.failed')"))
	cluster.shoot("gone-cluster")
	list.shoot("gone-incidents-390")
	// Pages that were not open before wait.
	cluster.click("a.node-name")
	cluster.untilText("as soon as the proxy answers")
	cluster.shoot("gone-node")
	c.startProxy()
	for _, b := range tabs {
		b.until("!(" + banner + ")")
	}
	cluster.untilText("Resident memory")
	cluster.until("document.querySelector('.plot canvas')")
	cluster.untilText("online for")
	eval[bool](cluster, "history.back() ?? true")
	cluster.until("document.querySelector('.line-cell')?.innerText.includes('/s')")
	cluster.untilText("Nothing is wrong")
	for _, b := range tabs {
		require.True(t, eval[bool](b, "window.sameDocument"), "it was loaded again")
		b.requireGood()
	}
}

// TestE2EBrowserBehindAPrefix: behind a reverse proxy that cuts off a prefix all pages work, and links stay below it.
func TestE2EBrowserBehindAPrefix(t *testing.T) {
	t.Parallel()
	c := startRecorded(t, "data-0=healthy")
	target, err := url.Parse("http://" + c.http())
	require.NoError(t, err)
	front := httptest.NewServer(http.StripPrefix("/fodc", httputil.NewSingleHostReverseProxy(target)))
	t.Cleanup(front.Close)
	browser := startBrowser(t)
	addr := strings.TrimPrefix(front.URL, "http://") + "/fodc" // A request past the prefix is one to elsewhere.
	for _, p := range pagesOfProxy {
		t.Run(p.name, func(t *testing.T) {
			b := openTab(t, browser, addr, p.path, desktop)
			b.untilText(p.has)
			b.until("!document.querySelector('.loading')")
			outside := eval[[]string](b, "[...document.querySelectorAll('[href], [src]')].map(one => one.href || one.src).filter(one => typeof one === 'string' && !one.startsWith(location.origin + '/fodc/'))")
			require.Empty(t, outside, "links that leave the prefix")
			b.requireGood()
		})
	}
	b := openTab(t, browser, addr, "../", desktop) // as somebody types it, without /ui/
	b.untilText("Nothing is wrong")
	require.Contains(t, eval[string](b, "location.href"), "/fodc/ui/")
}
