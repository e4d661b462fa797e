//go:build e2e && linux

package modes_test

import (
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// maxClicks is how many clicks one of an operator's tasks may take.
const maxClicks = 4

// task is something that an operator wants to know. It begins at the address that people keep.
type task struct {
	name  string
	steps []string // each a click: selector and text, with | between
	// known holds when the page tells it.
	known string
}

var tasks = []task{
	{"which node is unwell, and why", nil, `/data-0: does not answer, its agent does/.test(document.querySelector('.summary').innerText)`},
	{"what changed first in the last incident", []string{".table a.node-incident|"}, `/series\s*of\s*data-0\s*ended together/.test(document.querySelector('.section-changes')?.textContent)`},
	{"compare the writes of two nodes", []string{"nav a|Query", ".examples button|total_written"}, `document.querySelector('.plot canvas') && ['data-0', 'data-1'].every(one => document.querySelector('.legend').innerText.includes(one))`},
	{"where configurations differ", []string{"nav a|Configuration"}, `document.querySelector('.config-table')?.innerText.includes('measure-flush-timeout')`},
	{"hand the incident to a colleague", []string{".table a.node-incident|"}, `document.querySelector('a[download][href*="/bundle"]') && location.hash.startsWith('#/incidents/')`},
}

// run does the task, and prints how many clicks it takes, and how long the pages take.
func (one task) run(b *tab) {
	begin := time.Now()
	for _, step := range one.steps {
		selector, text, _ := strings.Cut(step, "|")
		b.clickText(selector, text)
	}
	b.until(one.known)
	b.t.Logf("%s: %d clicks, %.1f s", one.name, len(one.steps), time.Since(begin).Seconds())
	require.LessOrEqual(b.t, len(one.steps), maxClicks)
	b.shoot("task-" + strings.ReplaceAll(one.name, " ", "-"))
	b.requireGood()
}
