//go:build e2e && linux

package modes_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fodc/messages"
)

// hostiles are texts that a node may say of itself to harm whoever looks at it: to run a script, to hide what stands around
// it, to make the page too wide or too slow. Each is a text, and is to be shown as one.
var hostiles = []string{
	`<script>window.hacked = 1</script>`,
	`<img src=x onerror="window.hacked = 1">`,
	`"><svg onload=window.hacked=1><style>*{display:none}</style>`,
	`' onmouseover='window.hacked=1' autofocus onfocus='window.hacked=1`,
	`javascript:window.hacked=1`,
	`${window.hacked=1} {{constructor.constructor('window.hacked=1')()}} </textarea></title><iframe srcdoc="<script>parent.hacked=1</script>">`,
	"two\nlines\r\nand \"quotes\", 'more', `these`, a tab\t and \\ %s %00 &lt;b&gt; ?a=b#c/../..",
	"\u202egnihton si siht\u202c and \u2066\u202e on and on",
	"מסד נתונים <b>\u05d0</b> قاعدة البيانات 12:34",
	"bell \a escape \x1b[31m null \x00 delete \x7f next \u0085 line \u2028 and \ufeff\u200b\u200d",
	strings.Repeat("long", 2500),
	strings.Repeat("مرحبا", 2000),
	"👩‍👩‍👧‍👦🏳️‍🌈" + strings.Repeat("🔥", 300),
	"Z" + strings.Repeat("\u0335\u0321\u0353", 400) + "algo",
	"__proto__",
	strings.Repeat("a b ", 2500),
}

// hostile returns the n-th of them, again and again.
func hostile(n int) string { return hostiles[n%len(hostiles)] }

// cut cuts a text to so many bytes, between characters.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// startHostile serves a cluster whose nodes are as many as there are hostile texts, and more.
func startHostile(t *testing.T) *madeCluster {
	c := &madeCluster{began: time.Now().Add(-26 * time.Hour), hostile: true}
	for n := range 2 * len(hostiles) {
		id := hostile(n)
		if n >= len(hostiles) {
			id = fmt.Sprintf("%d %s", n, id)
		}
		id = cut(id, messages.MaxTextBytes)
		// No role of a registered agent has such texts: see messages.Registration. A bundle of somebody else may.
		c.nodes = append(c.nodes, madeNode{id: messages.Identity{NodeID: id, Role: hostile(n / 4), PodName: hostile(n + 1), Labels: map[string]string{hostile(n + 2): hostile(n + 3), "zone": hostile(n)}},
			gone: n%9 == 5, degraded: n%7 == 3, partial: n%11 == 4, size: 0.5})
	}
	c.makeIncidents()
	c.serve(t)
	return c
}

// hostileFamilies are families with hostile names, help texts and labels.
func hostileFamilies(n int) []madeSeries {
	var all []madeSeries
	for k := range 4 {
		help, value := hostile(n+k), hostile(n+k+1)
		labels := string(messages.RenderLabels([]messages.Label{{Name: "path", Value: value}, {Name: cut(hostile(n+k), 500), Value: "x"}}))
		all = append(all, madeSeries{cut(hostile(k), 1000), labels, help, messages.TypeGauge, gauge(7)})
	}
	return append(all, madeSeries{"banyandb_hostile_total", string(messages.RenderLabels([]messages.Label{{Name: "group", Value: hostile(n)}})), hostile(n + 5), messages.TypeCounter, counter(3)})
}
