//go:build e2e && linux

package modes_test

import (
	"fmt"
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
	// check, if there is one, looks at what is shown.
	check func(b *tab)
}

var tasks = []task{
	{name: "which node is unwell, and why", known: `/data-0: does not answer, its agent does/.test(document.querySelector('.summary').innerText)`},
	{name: "what changed first in the last incident", steps: []string{".table a.node-incident|"}, known: `/series\s*of\s*data-0\s*ended together/.test(document.querySelector('.section-changes')?.textContent)`},
	compareWrites,
	{name: "where configurations differ", steps: []string{"nav a|Configuration"}, known: `document.querySelector('.config-table')?.innerText.includes('measure-flush-timeout')`},
	{name: "hand the incident to a colleague", steps: []string{".table a.node-incident|"}, known: `document.querySelector('a[download][href*="/bundle"]') && location.hash.startsWith('#/incidents/')`},
}

// compareWrites compares how much two nodes write: the lines are there, and are what the nodes have recorded.
var compareWrites = task{
	name: "compare the writes of two nodes", steps: []string{"nav a|Query", ".examples button|total_written"}, known: `document.querySelector('.plot canvas') && ['data-0', 'data-1'].every(one => document.querySelector('.legend').innerText.includes(one))`,
	check: func(b *tab) { b.requireDrawnRates("data-0", "data-1") },
}

// drawnAndAnswered returns, for each node, how many values its line in the chart has, how many the API of queries answers for the same times,
// how many of them are above zero, and where the two differ. The newest values are left out: samples may have come between the two.
const drawnAndAnswered = `(async () => {
	const { data, series, range } = document.querySelector('.plot').plot
	const url = new URL('../api/v1/query_range', document.baseURI)
	url.search = new URLSearchParams({ query: new URLSearchParams(location.hash.split('?')[1]).get('q'), start: range.from / 1000, end: range.to / 1000, step: range.step })
	const answer = await (await fetch(url)).json()
	const lastFinal = Date.now() / 1000 - %v
	const nodes = {}
	for (const { metric, values } of answer.data.result) {
		const column = series.findIndex(one => one.label === metric.node_id)
		const drawn = new Map(data[0].map((at, i) => [at, data[column]?.[i]]).filter(([at, value]) => at < lastFinal && value !== null))
		const answered = new Map(values.map(([at, text]) => [at, Number(text)]).filter(([at]) => at < lastFinal))
		const all = [...new Set([...drawn.keys(), ...answered.keys()])]
		nodes[metric.node_id] = { drawn: drawn.size, answered: answered.size, above: [...drawn.values()].filter(value => value > 0).length,
			differ: all.filter(at => drawn.get(at) !== answered.get(at)).map(at => at + ': ' + drawn.get(at) + ' is drawn, ' + answered.get(at) + ' is answered') }
	}
	return nodes
})()`

// mayChangeFor is for how long a value may change after its time: that of a scrape and of its way to the proxy.
const mayChangeFor = 20 * time.Second

// requireDrawnRates requires that the lines of nodes are what the API of queries answers. It returns how many of their values are above zero.
func (b *tab) requireDrawnRates(of ...string) (above map[string]int) {
	b.t.Helper()
	nodes := eval[map[string]struct {
		Drawn, Answered, Above int
		Differ                 []string
	}](b, fmt.Sprintf(drawnAndAnswered, mayChangeFor.Seconds()))
	above = map[string]int{}
	for _, node := range of {
		one := nodes[node]
		b.t.Logf("%s: %d values are drawn, %d of them above zero", node, one.Drawn, one.Above)
		require.Empty(b.t, one.Differ, node)
		require.Equal(b.t, one.Answered, one.Drawn, node)
		above[node] = one.Above
	}
	return above
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
	if one.check != nil {
		one.check(b)
	}
	b.shoot("task-" + strings.ReplaceAll(one.name, " ", "-"))
	b.requireGood()
}
