//go:build e2e && linux

package modes_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// maxStops bounds the stops of the Tab key on one page.
const maxStops = 400

// stop is where the focus is.
type stop struct {
	Name    string
	End     bool // nothing has the focus, or what had it before
	Back    bool // it is before the last one in the document
	Visible bool // it is there to be seen
	Shown   bool // and so is the focus
}

// whereFocusIs marks the element that has the focus. Elements may come meanwhile, so places in the document say nothing.
const whereFocusIs = `(() => {
	const at = document.activeElement
	if (!at || at === document.body || at.wasStop) return {End: true}
	const style = getComputedStyle(at), box = at.getBoundingClientRect(), last = window.lastStop
	at.wasStop = true
	window.lastStop = at
	return {Name: nameOfStop(at), Back: Boolean(last?.isConnected && last.compareDocumentPosition(at) & Node.DOCUMENT_POSITION_PRECEDING),
		Visible: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight, Shown: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2}
})()`

const nameOfStop = `window.nameOfStop = one => [one.tagName, one.getAttribute('aria-label') || one.innerText || one.title || one.id].join(' ').slice(0, 80)`

// notReached names all that can be used, and where Tab did not lead. Of the tabs of a list one is a stop, and the arrow keys
// lead to the others.
const notReached = `[...document.querySelectorAll('a[href], button:not([disabled]), input:not([disabled]), select, textarea, summary, [tabindex="0"]')].filter(one => !one.wasStop && one.tabIndex >= 0
	&& one.checkVisibility({visibilityProperty: true}) && one.getBoundingClientRect().width > 0).map(nameOfStop)`

// requireReachable walks through a page with the Tab key: it leads to all that can be used, in the order of the page, shows
// where it is, and never gets stuck.
func (b *tab) requireReachable(has string) {
	b.t.Helper()
	b.untilText(has)
	b.until("!document.querySelector('.loading')")
	b.visitPaused()
	eval[bool](b, nameOfStop+"; true")
	stops := 0
	for ; ; stops++ {
		require.Less(b.t, stops, maxStops, "Tab gets stuck")
		b.press(kb.Tab)
		at := eval[stop](b, whereFocusIs)
		if at.End {
			break
		}
		if at.Back {
			b.t.Errorf("Tab goes back to %q", at.Name)
		}
		if !at.Visible || !at.Shown {
			b.t.Errorf("%q has the focus, and nobody sees it: %+v", at.Name, at)
		}
	}
	require.Empty(b.t, eval[[]string](b, notReached), "Tab does not lead there")
	b.t.Logf("%d stops", stops)
}

// visitPaused has the page stand still, so that nothing comes and goes while it is walked through.
func (b *tab) visitPaused() {
	b.t.Helper()
	if eval[bool](b, "document.body.dataset.live === '1'") {
		b.press("p")
		b.until("document.body.dataset.live === '0'")
		b.until("!document.querySelector('.loading')")
	}
}

// TestE2EBrowserByKeyboard: all that a mouse reaches, keys reach, too.
func TestE2EBrowserByKeyboard(t *testing.T) {
	t.Parallel()
	c := startRecorded(t, "data-0=healthy", "data-1=healthy")
	browser := startBrowser(t)
	for _, p := range pagesOfProxy {
		t.Run(p.name, func(t *testing.T) { openTab(t, browser, c.http(), p.path, desktop).requireReachable(p.has) })
	}
	t.Run("keys", func(t *testing.T) { requireKeys(openTab(t, browser, c.http(), "#/", desktop)) })
}

// lead presses g and another key until the page is the one of that path: on a busy machine the second one may come too late.
func (b *tab) lead(key, hash string) {
	b.t.Helper()
	isThere := fmt.Sprintf("location.hash.split('?')[0] === '%s'", hash)
	for deadline := time.Now().Add(pageTimeout); !eval[bool](b, isThere); {
		require.True(b.t, time.Now().Before(deadline), "g %s does not lead to %s", key, hash)
		b.press("g")
		b.press(key)
	}
}

// requireKeys presses the keys that lead somewhere, or do something.
func requireKeys(b *tab) {
	at := func(hash string) { b.until("location.hash.startsWith('" + hash + "')") }
	b.untilText("Nothing is wrong")
	for _, one := range []struct{ key, hash string }{{"i", "#/incidents"}, {"q", "#/query"}, {"f", "#/config"}, {"t", "#/topology"}, {"a", "#/actors"}, {"c", "#/"}} {
		b.lead(one.key, one.hash)
	}
	b.untilText("Nothing is wrong")
	b.untilText("data-1")
	b.press("/")
	b.until("document.activeElement.matches('[data-filter]')")
	b.press("data-1g i") // Writing, no key leads anywhere.
	at("#/?filter=")
	b.press(kb.Escape)
	b.until("document.activeElement === document.body")
	eval[bool](b, "location.hash = '#/'; true")
	b.untilText("data-0")
	b.press("?")
	b.until("document.querySelector('dialog[open]')")
	b.press(kb.Escape)
	b.until("!document.querySelector('dialog')")
	b.press("j")
	b.until("document.activeElement.matches('tbody tr') && document.activeElement.innerText.includes('data-0')")
	b.press("j")
	b.until("document.activeElement.matches('tbody tr') && document.activeElement.innerText.includes('data-1')")
	b.press("k")
	b.until("document.activeElement.innerText.includes('data-0')")
	b.press("p")
	b.until("document.body.dataset.live === '0'")
	b.press("p")
	b.until("document.body.dataset.live === '1'")
	b.press("d")
	b.until("document.documentElement.dataset.theme === 'dark'")
	b.press("d")
	b.until("document.documentElement.dataset.theme === 'light'")
	b.press(kb.Enter)
	at("#/node/data-0")
	b.until("document.querySelector('.plot canvas')")
	b.visitPaused()
	eval[bool](b, "document.querySelector('.plot').focus() ?? true")
	b.press(kb.ArrowLeft)
	cross := "getComputedStyle(document.querySelector('.plot .u-cursor-x')).transform"
	b.until(cross + " !== 'none'")
	before := eval[string](b, cross)
	b.press(kb.ArrowLeft)
	b.until(cross + " !== '" + before + "'")
	b.requireGood()
}
