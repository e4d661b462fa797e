//go:build e2e && linux

package modes_test

import (
	"os"
	"strings"

	"github.com/stretchr/testify/require"
)

// axeFile is axe-core, as make ui-axe fetches it.
const axeFile = "../bin/axe.min.js"

// barrier is something on a page that keeps some people out.
type barrier struct {
	ID, Impact, Help string
	Nodes            []string
}

const findBarriers = `axe.run(document, {resultTypes: ['violations']}).then(found => ({checks: found.passes.length, found: found.violations.filter(one => ['serious', 'critical'].includes(one.impact)).map(one => ({
	id: one.id, impact: one.impact, help: one.help, nodes: one.nodes.slice(0, 4).map(node => node.target.join(' ') + ' ' + node.html.slice(0, 160) + ' ' + node.failureSummary)}))}))`

// leastChecks is how many of axe-core's checks hold on any of the pages: with fewer, it has not looked at the page.
const leastChecks = 10

// requireNoBarriers requires that axe-core finds none of impact serious or critical on the page as it is.
func (b *tab) requireNoBarriers() {
	b.t.Helper()
	axe, err := os.ReadFile(axeFile)
	require.NoError(b.t, err, "make ui-axe fetches it")
	eval[bool](b, string(axe)+"; true")
	answer := eval[struct {
		Checks int
		Found  []barrier
	}](b, findBarriers)
	require.GreaterOrEqual(b.t, answer.Checks, leastChecks)
	for _, one := range answer.Found {
		b.t.Errorf("%s (%s): %s:\n  %s", one.ID, one.Impact, one.Help, strings.Join(one.Nodes, "\n  "))
	}
}
