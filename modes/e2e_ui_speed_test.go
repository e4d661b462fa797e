//go:build e2e && linux

package modes_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	devpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// What a step in a browser may take, ten times what is wanted: machines are slow now and then. What it takes is in the log of
// the test.
const (
	maxFirstPaint = 10 * time.Second
	maxResponse   = time.Second
)

// openWith opens a page with a script that runs before all others.
func openWith(t *testing.T, addr, path, script string, v view) *tab {
	t.Helper()
	b := openTab(t, startBrowser(t), addr, "server.json", v)
	b.allowed = []string{"favicon.ico"} // It is no page.
	call(b, devpage.AddScriptToEvaluateOnNewDocument, devpage.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	b.do(chromedp.Navigate(b.origin + "/ui/" + path))
	return b
}

// noteFirst notes when a node is first on the screen, and when its values are, in milliseconds since the navigation.
const noteFirst = `window.first = {}
	const note = (name, there) => { if (!(name in window.first) && there) { window.first[name] = 0; requestAnimationFrame(() => setTimeout(() => { window.first[name] = performance.now() })) } }
	new MutationObserver(() => { note('node', document.querySelector('.cell, .node-name')); note('values', document.querySelector('.spark')) }).observe(document, { childList: true, subtree: true })`

// TestE2EBrowserPaintSoon measures how long it takes until nodes are on the screen.
func TestE2EBrowserPaintSoon(t *testing.T) {
	for _, nodes := range []int{100, 1000} {
		b := openWith(t, startMade(t, nodes).addr, "#/?sort=node", noteFirst, desktop)
		b.until("window.first?.node && window.first?.values")
		first := eval[map[string]float64](b, "window.first")
		t.Logf("%d nodes: the first node after %.0f ms, its values after %.0f ms", nodes, first["node"], first["values"])
		require.Less(t, first["node"], float64(maxFirstPaint.Milliseconds()))
		b.requireGood()
	}
}

// measure returns a script that does something, and how long it takes until after the frame that shows it, in milliseconds.
const measureFrame = `const after = async does => { const begin = performance.now(); does(); await new Promise(done => requestAnimationFrame(() => setTimeout(done))); return performance.now() - begin };`

// TestE2EBrowserStayQuick measures how soon a page of a thousand nodes answers to a click on a column, and to a key in the filter.
func TestE2EBrowserStayQuick(t *testing.T) {
	b := openTab(t, startBrowser(t), startMade(t, 1000).addr, "#/", desktop)
	b.until(rowsAreThere)
	steps := map[string]string{
		"sort":   `for (let round = 0; round < 2; round++) for (const one of document.querySelectorAll('th button')) took.push(await after(() => one.click()))`,
		"filter": `const field = document.querySelector('[data-filter]'); for (const text of ['h', 'ho', 'hot', 'hot-', 'hot-4', 'hot-', 'hot', 'ho', 'h', '']) took.push(await after(() => { field.value = text; field.dispatchEvent(new Event('input', { bubbles: true })) }))`,
		"scroll": `for (let at = 0; at < 30_000; at += 3000) took.push(await after(() => window.scrollTo(0, at)))`,
	}
	for _, name := range []string{"sort", "filter", "scroll"} {
		took := eval[[]float64](b, fmt.Sprintf("(async () => { const took = []; %s %s; return took })()", measureFrame, steps[name]))
		slices.Sort(took)
		t.Logf("%s: median %.0f ms, at most %.0f ms, %d times", name, took[len(took)/2], took[len(took)-1], len(took))
		require.Less(t, took[len(took)/2], float64(maxResponse.Milliseconds()), name)
	}
}
