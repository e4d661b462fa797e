//go:build e2e && linux

package modes_test

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"
)

// clockScript gives a page a clock that stands still until pass(ms) lets time pass: it does one after the other what is due
// meanwhile, and waits each time until what the page has asked for is here and drawn. So no refresh is cut off by the next one, and
// many take no longer than their work does. asked counts the queries of a range.
const clockScript = `{
	const real = {setTimeout, clearTimeout, clearInterval, fetch}
	const due = new Map()
	let now = Date.now() - %d, last = 0, busy = 0
	window.asked = 0
	Date.now = () => now
	const later = repeats => (does, wait, ...rest) => {
		if (!(wait >= 1000)) return real.setTimeout.call(window, does, wait, ...rest)
		due.set(--last, {at: now + wait, wait: repeats ? wait : 0, does: () => does(...rest)})
		return last
	}
	window.setTimeout = later(false)
	window.setInterval = later(true)
	window.clearTimeout = window.clearInterval = id => { due.delete(id) || real.clearTimeout.call(window, id) }
	const whileBusy = does => async function (...args) {
		busy++
		try { return await does.apply(this, args) } finally { real.setTimeout.call(window, () => { busy-- }) }
	}
	window.fetch = whileBusy((path, ...rest) => {
		if (String(path).includes('query_range')) window.asked++
		return real.fetch.call(window, path, ...rest)
	})
	for (const name of ['json', 'text']) Response.prototype[name] = whileBusy(Response.prototype[name])
	const drawn = () => new Promise(done => requestAnimationFrame(() => real.setTimeout.call(window, done)))
	const still = async () => { do { await drawn(); await drawn() } while (busy > 0) }
	window.pass = async ms => {
		const until = now + ms
		for (;;) {
			const [id, first] = [...due].reduce((a, b) => (b[1].at < a[1].at ? b : a), [0, {at: Infinity}])
			if (first.at > until) break
			now = Math.max(now, first.at)
			first.wait > 0 ? first.at += first.wait : due.delete(id)
			first.does()
			await still()
		}
		now = until
		await still()
		return true
	}
}`

// ownClock returns a script for openWith. The page's clock begins so far behind the real one: of what is to come, nodes have no
// samples.
func ownClock(behind time.Duration) string { return fmt.Sprintf(clockScript, behind.Milliseconds()) }

// letPass lets so many refreshes pass on a page with a clock of its own.
func (b *tab) letPass(refreshes int) {
	b.t.Helper()
	for range refreshes {
		require.True(b.t, eval[bool](b, fmt.Sprintf("window.pass(%d)", refreshTime.Milliseconds())))
	}
}
