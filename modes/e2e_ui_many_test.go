//go:build e2e && linux

package modes_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// madePage is a page of a made cluster. ready is an expression that holds when it is there.
type madePage struct{ name, path, ready string }

// rowsAreThere holds when rows of nodes are there, with all that is known of them.
const rowsAreThere = `document.querySelector('.table tbody tr:not(.spacer)') && !document.querySelector('.table tbody').textContent.includes('…')`

// madePages are the pages of a made cluster.
func (c *madeCluster) madePages() []madePage {
	node := url.PathEscape(c.nodes[0].id.NodeID)
	last := "#/incidents/" + madeID(len(c.incidents)-1)
	all := []madePage{
		{"cluster", "#/", rowsAreThere},
		{"cluster-sorted", "#/?sort=-memory&role=" + url.QueryEscape(c.nodes[0].id.Role), rowsAreThere},
		{"node", "#/node/" + node, "document.querySelector('.plot canvas')"},
		{"node-events", "#/node/" + node + "?tab=events", "document.querySelector('.events, .empty')"},
		{"node-families", "#/node/" + node + "?tab=families&family=go_goroutines", "document.querySelector('.families .plot canvas')"},
		{"node-configuration", "#/node/" + node + "?tab=configuration", "document.querySelector('.config-table')"},
		{"incidents", "#/incidents", "document.querySelector('.table tbody tr')"},
		{"incident", last, "document.querySelector('.change-line') && document.querySelector('.viewer')"},
		{"query", "#/query?q=go_goroutines&q=process_resident_memory_bytes&view=graph&view=table", "document.querySelector('.plot canvas') && document.querySelector('.panel .table tbody tr')"},
		{"config", "#/config", "document.querySelector('.config-table, .empty')"},
		{"topology", "#/topology", "document.querySelector('.table tbody tr')"},
		{"actors", "#/actors", "document.querySelector('.table tbody tr')"},
	}
	if len(c.nodes) > 1 {
		all = append(all, madePage{"incident-open", "#/incidents/" + madeID(0), "document.querySelector('.change-line')"})
	}
	return all
}

// requireGoodPages opens each page as people may see it, keeps a picture, and requires that all is well with it.
func (c *madeCluster) requireGoodPages(t *testing.T, name string, pages []madePage, views ...view) {
	browser := startBrowser(t)
	for _, p := range pages {
		for _, v := range views {
			t.Run(p.name+"-"+v.String(), func(t *testing.T) {
				b := openTab(t, browser, c.addr, p.path, v)
				b.until(p.ready)
				b.until("!document.querySelector('.loading')")
				b.untilStill()
				b.shoot(name + "-" + p.name + "-" + v.String())
				b.requireGood()
				if p.name == "cluster" {
					b.requireWholeCells("Role", "Clock", "Agent")
				}
				if len(c.nodes) == 100 && v.width == phone.width && (p.name == "cluster" || p.name == "incident-open") {
					b.requireNoBarriers() // What is on the other pages is in the tests of real clusters, too.
				}
			})
		}
	}
}

// requireWholeCells requires that nothing is cut in the columns of the first table. Some agents have not shown who they are, and a clock
// is wrong.
func (b *tab) requireWholeCells(titles ...string) {
	b.t.Helper()
	for _, title := range titles {
		cells := eval[[][]string](b, fmt.Sprintf(`(table => {
			const at = [...table.querySelectorAll('th')].findIndex(one => one.innerText.startsWith(%q))
			const isCut = one => one.clientWidth > 0 && one.scrollWidth > one.clientWidth
			const cells = [...table.querySelectorAll('tbody tr:not(.spacer)')].map(row => row.children[at])
			return [cells.map(one => one.innerText), cells.filter(one => isCut(one) || [...one.querySelectorAll('*')].some(isCut)).map(one => one.innerText)]
		})(document.querySelector('.table'))`, title))
		require.NotEmpty(b.t, cells[0], title)
		require.Empty(b.t, cells[1], "cells of the column %s are cut", title)
		if title == "Agent" && len(cells[0]) > 1 {
			require.Contains(b.t, cells[0], "unverified")
		}
	}
}

// TestE2EBrowserOfMany: each page with one node, and with a hundred of which some are gone or say only a part.
func TestE2EBrowserOfMany(t *testing.T) {
	t.Parallel()
	for _, nodes := range []int{1, 100} {
		t.Run(fmt.Sprint(nodes), func(t *testing.T) {
			c := startMade(t, nodes)
			c.requireGoodPages(t, fmt.Sprintf("of-%d", nodes), c.madePages(), desktop, phoneDark)
		})
	}
}

// TestE2EBrowserOfThousand: the pages that show all nodes, with a thousand.
func TestE2EBrowserOfThousand(t *testing.T) {
	t.Parallel()
	c := startMade(t, 1000)
	var pages []madePage
	for _, p := range c.madePages() {
		switch p.name {
		case "cluster", "incidents", "query", "config", "topology", "actors":
			pages = append(pages, p)
		}
	}
	c.requireGoodPages(t, "of-1000", pages, desktop, phoneDark)
}

// TestE2EBrowserNodeCannotPutMarkup: texts of nodes are shown as texts. They run no script, and neither break nor widen a page.
func TestE2EBrowserNodeCannotPutMarkup(t *testing.T) {
	t.Parallel()
	c := startHostile(t)
	pages := c.madePages()
	hostileQuery := "#/query?q=" + url.QueryEscape(`banyandb_hostile_total`) + "&q=" + url.QueryEscape(`{__name__=~".+",__name__!~"[a-z_]+"}`)
	pages = append(pages, madePage{"query-hostile", hostileQuery, "document.querySelectorAll('.plot canvas').length > 1"},
		madePage{"query-refused", "#/query?q=" + url.QueryEscape(hostile(1)), "document.querySelector('.failed')"})
	for k, text := range hostiles {
		pages = append(pages, madePage{fmt.Sprintf("node-%d", k), "#/node/" + url.PathEscape(cut(text, messages.MaxTextBytes)), "document.querySelector('.who dt')"},
			madePage{fmt.Sprintf("nowhere-%d", k), "#/" + url.PathEscape(text) + "?filter=" + url.QueryEscape(text), "document.querySelector('.empty')"})
	}
	for _, file := range []string{"logs/node.log", "process/status.txt", "config.json", "events.json", "crash/record.json"} {
		pages = append(pages, madePage{"incident-" + strings.ReplaceAll(file, "/", "-"), "#/incidents/" + madeID(3) + "?file=" + url.QueryEscape(file), "document.querySelector('.viewer') && document.querySelector('.change-line')"})
	}
	browser := startBrowser(t)
	for n, p := range pages {
		for m, v := range []view{desktop, phoneDark} {
			if n >= len(c.madePages())+2 && n%2 == m {
				continue // There are many of them: each is seen in one of the two ways.
			}
			t.Run(p.name+"-"+v.String(), func(t *testing.T) {
				b := openTab(t, browser, c.addr, p.path, v)
				if p.name == "query-refused" {
					b.allowed = []string{"400 (Bad Request)"}
				}
				b.until(p.ready)
				b.until("!document.querySelector('.loading')")
				b.untilStill()
				b.requireGood()
				b.unfold()
				b.shoot("hostile-" + p.name + "-" + v.String())
				require.False(t, eval[bool](b, "window.hacked !== undefined"), "a text of a node has run as a script")
				require.Empty(t, eval[[]string](b, foreign), "a text of a node has become elements")
				b.requireGood()
			})
		}
	}
}

// unfold opens what is folded, and lets the pointer go over what tells more then.
func (b *tab) unfold() {
	b.t.Helper()
	eval[bool](b, `(async () => {
		const before = window.shifted
		for (const one of document.querySelectorAll('details')) one.open = true
		for (const one of document.querySelectorAll('.change-button, .family')) if (one.getAttribute('aria-expanded') === 'false') { one.click(); break }
		document.querySelector('.group')?.dispatchEvent(new PointerEvent('pointerenter'))
		await new Promise(done => setTimeout(done, 300))
		window.shifted = before // It was not by itself.
		return true
	})()`)
}

// foreign lists the elements that no page has.
const foreign = `[...document.body.querySelectorAll('script, style, iframe, img, object, embed, b, [onload], [onerror], [onmouseover], [srcdoc], a[href^="javascript:" i]')].map(one => one.outerHTML.slice(0, 200))`
