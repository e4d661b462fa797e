//go:build e2e && linux

package modes_test

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	devlog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	devpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const (
	// pageTimeout bounds a step in the browser.
	pageTimeout = 30 * time.Second
	// maxShift is the cumulative layout shift that a page may have.
	maxShift = 0.1
	// otherHost is a name that leads to this machine in the browser of the tests, as that of a reverse proxy does.
	otherHost = "fodc.localhost"
)

// tab is a page in a browser. It notes what must not happen.
type tab struct {
	t      *testing.T
	ctx    context.Context
	origin string
	view

	mu    sync.Mutex
	wrong []string // console errors, exceptions, requests to elsewhere
	// allowed are parts of what is wrong that a test expects, such as a proxy that is gone.
	allowed []string
}

// view is how a page is seen.
type view struct {
	width, height int64
	dark          bool
}

var (
	desktop     = view{width: 1440, height: 900}
	desktopDark = view{width: 1440, height: 900, dark: true}
	phone       = view{width: 390, height: 844}
	phoneDark   = view{width: 390, height: 844, dark: true}
)

func (v view) String() string {
	theme := "light"
	if v.dark {
		theme = "dark"
	}
	return fmt.Sprintf("%d-%s", v.width, theme)
}

// startBrowser starts a browser without a window. Its pages are opened with openTab.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	require.NoError(t, err, "the tests of the pages need chromium (Debian: apt-get install chromium)")
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("host-resolver-rules", "MAP "+otherHost+" 127.0.0.1"),
		chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(time.Minute))
	allocator, end := chromedp.NewExecAllocator(t.Context(), flags...)
	browser, close := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		close()
		end()
	})
	require.NoError(t, chromedp.Do(browser))
	return browser
}

// openTab opens a page at an address, whose path begins behind /ui/.
func openTab(t *testing.T, browser context.Context, addr, path string, v view) *tab {
	t.Helper()
	b := newTab(t, browser, "http://"+addr, v)
	b.do(chromedp.Navigate(b.origin + "/ui/" + path))
	return b
}

// newTab opens a tab for the pages of an origin.
func newTab(t *testing.T, browser context.Context, origin string, v view) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(browser)
	t.Cleanup(end)
	b := &tab{t: t, ctx: ctx, origin: origin, view: v}
	require.NoError(t, chromedp.Do(ctx)) // Its life is that of ctx.
	require.NoError(t, chromedp.Listen(ctx, b.watch))
	theme := "light"
	if v.dark {
		theme = "dark"
	}
	call(b, devlog.Enable, cdp.Empty{})
	call(b, network.Enable, network.EnableParams{})
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: v.width, Height: v.height, DeviceScaleFactor: 1, Mobile: v.width < 600})
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}})
	call(b, devpage.AddScriptToEvaluateOnNewDocument, devpage.AddScriptToEvaluateOnNewDocumentParams{Source: watchShift})
	return b
}

// call runs a command of the browser's protocol.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	answer, err := chromedp.Call(ctx, command, params)
	require.NoError(b.t, err)
	return answer
}

// watchShift adds up the layout shifts that no input has caused, and notes when the page changed last.
const watchShift = `window.changedAt = 0; new MutationObserver(() => { window.changedAt = performance.now() }).observe(document, {subtree: true, childList: true, attributes: true, characterData: true})
	window.shifted = 0; window.shifts = []; new PerformanceObserver(list => { for (const one of list.getEntries()) if (!one.hadRecentInput) {
	window.shifted += one.value; window.shifts.push(one.value.toFixed(3) + ' ' + one.sources.map(s => (s.node?.className || s.node?.nodeName || '?') + ' ' + [s.previousRect, s.currentRect].map(r => [r.x, r.y, r.width, r.height].map(Math.round).join()).join(' to ')).join('; ')) } }).observe({type: 'layout-shift', buffered: true})`

// watch notes what must not happen.
func (b *tab) watch(event any) {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			texts := make([]string, 0, len(e.Args))
			for _, arg := range e.Args {
				texts = append(texts, string(arg.Value)+arg.Description)
			}
			b.note("console: " + strings.Join(texts, " "))
		}
	case *runtime.EventExceptionThrown:
		text := "exception: " + e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		b.note(text)
	case *devlog.EventEntryAdded:
		if e.Entry.Level == devlog.EntryLevelError || e.Entry.Level == devlog.EntryLevelWarning {
			b.note(fmt.Sprintf("log: %s %s", e.Entry.Text, e.Entry.URL))
		}
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err != nil || u.Scheme != "blob" && !strings.HasPrefix(e.Request.URL, b.origin+"/") {
			b.note("request to elsewhere: " + e.Request.URL)
		}
	}
}

func (b *tab) note(wrong string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wrong = append(b.wrong, wrong)
}

// do does steps in the browser, within pageTimeout.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.shoot("failed-" + strings.ReplaceAll(b.t.Name(), "/", "-"))
		b.t.Fatalf("in the browser: %v; wrong: %q", err, b.wrong)
	}
}

// step returns what a step gives.
func step[T any](b *tab, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, pageTimeout)
	defer cancel()
	return chromedp.Run(ctx, action)
}

// eval returns the value of an expression, which may be a promise.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := step(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(b.t, err, expression)
	return value
}

// until waits until an expression holds.
func (b *tab) until(expression string) {
	b.t.Helper()
	b.untilIn(pageTimeout, expression)
}

// untilIn is until with a limit of its own.
func (b *tab) untilIn(limit time.Duration, expression string) {
	b.t.Helper()
	deadline := time.Now().Add(limit)
	for {
		holds, err := step(b, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		if err == nil && holds {
			return
		}
		if time.Now().After(deadline) {
			b.shoot("failed-" + strings.ReplaceAll(b.t.Name(), "/", "-"))
			b.t.Fatalf("not within %s: %s (%v); wrong: %q; the page says: %.600s", limit, expression, err, b.wrong, b.text("body"))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// untilStill waits until the page has not changed for a while: what is drawn late may move what is there, and that is looked for.
func (b *tab) untilStill() {
	b.t.Helper()
	b.until("performance.now() - window.changedAt > 300")
}

// untilText waits until the page has a text.
func (b *tab) untilText(text string) {
	b.t.Helper()
	b.until(fmt.Sprintf("document.body.innerText.includes(%q)", text))
}

// text returns the text of the first element that a selector finds.
func (b *tab) text(selector string) string {
	text, _ := step(b, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector)))
	return text
}

// click clicks the first element that a selector finds.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(selector))
}

// clickText clicks the first element that a selector finds and that has a text, as soon as it is there.
func (b *tab) clickText(selector, text string) {
	b.t.Helper()
	b.until(fmt.Sprintf("(() => { const found = [...document.querySelectorAll(%q)].find(one => one.innerText.includes(%q)); found?.setAttribute('data-clicked', ''); return found })()", selector, text))
	b.click("[data-clicked]")
	eval[bool](b, "document.querySelectorAll('[data-clicked]').forEach(one => one.removeAttribute('data-clicked')) ?? true")
}

// visit goes to a page within the document, as a link does.
func (b *tab) visit(hash string) {
	b.t.Helper()
	eval[string](b, fmt.Sprintf("location.hash = %q", hash))
}

// press presses keys as if nothing were focused.
func (b *tab) press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// requireGood requires that nothing went wrong, that nothing moved by itself, and that nothing is wider than the window.
func (b *tab) requireGood() {
	b.t.Helper()
	shifted := eval[float64](b, "window.shifted")
	require.LessOrEqual(b.t, shifted, maxShift, "the page moved by itself: %v", eval[[]string](b, "window.shifts"))
	require.LessOrEqual(b.t, eval[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"), 0, "the page is wider than its window")
	b.mu.Lock()
	defer b.mu.Unlock()
wrongs:
	for _, wrong := range b.wrong {
		for _, allowed := range b.allowed {
			if strings.Contains(wrong, allowed) {
				continue wrongs
			}
		}
		b.t.Errorf("%s", wrong)
	}
}
