//go:build e2e && linux

package modes_test

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/chromedp/chromedp"
)

// pictures is where screenshots go. Git ignores it.
const pictures = "../dist/pages"

// drawWhole has the browser draw the rows that it leaves out as long as they are outside of the window, and scrolls to the top, where
// the head of the page belongs. undraw takes that back, and what has moved by it.
const (
	drawWhole = `(async () => {
	window.beforePicture = {shifted: window.shifted, top: window.scrollY}
	window.scrollTo(0, 0)
	if (document.querySelector('.event-list, .change')) {
		const all = new CSSStyleSheet()
		all.replaceSync('* { content-visibility: visible !important }')
		document.adoptedStyleSheets = [all]
	}
	await new Promise(done => setTimeout(done, 100))
	return true
})()`
	undraw = `(async () => {
	document.adoptedStyleSheets = []
	window.scrollTo(0, window.beforePicture.top)
	await new Promise(done => setTimeout(done, 100))
	window.shifted = window.beforePicture.shifted
	return true
})()`
)

// shoot keeps a picture of the whole page, for people.
func (b *tab) shoot(name string) {
	b.t.Helper()
	eval[bool](b, drawWhole)
	picture, err := step(b, chromedp.FullScreenshot(100))
	eval[bool](b, undraw)
	if err != nil {
		b.t.Logf("no picture %s: %v", name, err)
		return
	}
	if err := errors.Join(os.MkdirAll(pictures, 0o755), os.WriteFile(filepath.Join(pictures, name+".png"), picture, 0o644)); err != nil {
		b.t.Logf("no picture %s: %v", name, err)
	}
}
