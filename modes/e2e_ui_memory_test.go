//go:build e2e && linux

package modes_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/runtime"
	"github.com/stretchr/testify/require"
)

const (
	// maxGrowth is by how many bytes the memory of a page may grow within an hour.
	maxGrowth = 20 << 20
	// refreshTime is between two refreshes of a page, hourRefreshes how many of them an hour has.
	refreshTime   = 10 * time.Second
	hourRefreshes = int(time.Hour / refreshTime)
)

// heap returns how many bytes the objects of a page take, without those that nobody can reach.
func (b *tab) heap() float64 {
	b.t.Helper()
	call(b, heapprofiler.CollectGarbage, cdp.Empty{})
	call(b, heapprofiler.CollectGarbage, cdp.Empty{})
	return call(b, runtime.GetHeapUsage, cdp.Empty{}).UsedSize
}

func (b *tab) requireNoGrowth(what string, before, most float64) {
	b.t.Helper()
	after := b.heap()
	b.t.Logf("%s: %.2f MiB before, %.2f MiB after; %d elements", what, before/(1<<20), after/(1<<20), eval[int](b, "document.querySelectorAll('*').length"))
	require.Less(b.t, after-before, most, "%s: the memory of the page grows", what)
}

// goRound goes through all pages so many times.
const goRound = `(async rounds => {
	const paths = ['#/', '#/node/hot-1', '#/node/hot-2?tab=events', '#/node/hot-1?tab=families&family=go_goroutines', '#/node/hot-1?tab=configuration', '#/incidents', '#/incidents/%s', '#/query?q=go_goroutines', '#/config', '#/topology', '#/actors']
	for (let i = 0; i < rounds; i++) for (const path of paths) {
		location.hash = path
		for (let waited = 0; waited < 40; waited++) {
			await new Promise(done => setTimeout(done, 25))
			if (!document.querySelector('.loading')) break
		}
	}
	return document.querySelector('main') !== null
})(%d)`

// TestE2EBrowserKeepNoMemory: whoever goes from page to page two hundred times has no larger a page than before.
func TestE2EBrowserKeepNoMemory(t *testing.T) {
	t.Parallel()
	c := startMade(t, 20)
	b := openTab(t, startBrowser(t), c.addr, "#/", desktop)
	b.until(rowsAreThere)
	visit := func(rounds int) {
		for range rounds {
			require.True(t, eval[bool](b, fmt.Sprintf(goRound, madeID(3), 1)))
		}
	}
	visit(2)
	before := b.heap()
	visit(18)
	b.requireNoGrowth("198 pages", before, maxGrowth)
}

// stayOpen is by how many refreshes a page is looked at, warmUp how many come before: what is made once is there then.
const (
	stayOpen = 60
	warmUp   = 15
)

// TestE2EBrowserStayOpen: a page that is open does not grow with its refreshes, by no more than would be maxGrowth in an hour. Each
// refresh is waited for.
func TestE2EBrowserStayOpen(t *testing.T) {
	t.Parallel()
	c := startMade(t, 100)
	for _, path := range []string{"#/", "#/node/hot-1"} {
		b := openWith(t, c.addr, path, ownClock((stayOpen+warmUp+1)*refreshTime), desktop)
		b.until("document.querySelector('.spark, .plot canvas')")
		b.letPass(warmUp)
		before, asked := b.heap(), eval[int](b, "window.asked")
		begin := time.Now()
		b.letPass(stayOpen)
		asked = eval[int](b, "window.asked") - asked
		require.GreaterOrEqual(t, asked, stayOpen, "the page does not refresh")
		t.Logf("%s: a refresh has %.1f queries of a range, and takes %.0f ms", path, float64(asked)/stayOpen, float64(time.Since(begin).Milliseconds())/stayOpen)
		b.requireNoGrowth(fmt.Sprintf("%s, %d refreshes", path, stayOpen), before, float64(maxGrowth)*stayOpen/float64(hourRefreshes))
		b.requireGood()
	}
}
