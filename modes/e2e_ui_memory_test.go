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

// maxGrowth is by how many bytes the memory of a page may grow.
const maxGrowth = 20 << 20

// heap returns how many bytes the objects of a page take, without those that nobody can reach.
func (b *tab) heap() float64 {
	b.t.Helper()
	call(b, heapprofiler.CollectGarbage, cdp.Empty{})
	call(b, heapprofiler.CollectGarbage, cdp.Empty{})
	return call(b, runtime.GetHeapUsage, cdp.Empty{}).UsedSize
}

func (b *tab) requireNoGrowth(what string, before float64) {
	b.t.Helper()
	after := b.heap()
	b.t.Logf("%s: %.1f MiB before, %.1f MiB after; %d elements", what, before/(1<<20), after/(1<<20), eval[int](b, "document.querySelectorAll('*').length"))
	require.Less(b.t, after-before, float64(maxGrowth), "%s: the memory of the page grows", what)
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
	b.requireNoGrowth("198 pages", before)
}

// hasten has the clocks of a page go so fast that an hour takes a minute, and counts what is asked for.
const hasten = `for (const name of ['setTimeout', 'setInterval']) { const real = window[name]; window[name] = (does, wait, ...rest) => real(does, wait >= 1000 ? wait / 60 : wait, ...rest) }
	window.asked = 0; const real = window.fetch; window.fetch = (...args) => { if (String(args[0]).includes('query_range')) window.asked++; return real(...args) }`

// TestE2EBrowserStayOpen: pages that are open for an hour, as many refreshes as that are, do not grow.
func TestE2EBrowserStayOpen(t *testing.T) {
	t.Parallel()
	c := startMade(t, 100)
	for path, refreshes := range map[string]int{"#/": 360, "#/node/hot-1": 360} {
		b := openWith(t, c, path, hasten, desktop)
		asked := func(n int) {
			deadline := time.Now().Add(5 * time.Minute)
			for eval[int](b, "window.asked") < n {
				require.True(t, time.Now().Before(deadline), "not as many refreshes within 5 minutes")
				time.Sleep(200 * time.Millisecond)
			}
		}
		asked(40)
		before := b.heap()
		asked(40 + refreshes)
		b.requireNoGrowth(fmt.Sprintf("%s, %d queries", path, refreshes), before)
		b.requireGood()
	}
}
