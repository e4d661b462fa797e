package recorder

import (
	"fmt"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var vectorNames = []string{"a", "b", "c", "d"}

// drawPage is a page of few families, whose series, types and helps come and go.
func drawPage(t *rapid.T) string {
	var b strings.Builder
	for _, name := range vectorNames {
		if rapid.IntRange(0, 5).Draw(t, "absent") == 0 {
			continue
		}
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, rapid.SampledFrom([]string{"help", "help", "help", "other"}).Draw(t, "help"),
			name, rapid.SampledFrom([]string{"gauge", "gauge", "gauge", "counter"}).Draw(t, "type"))
		for i := range 4 {
			if rapid.IntRange(0, 5).Draw(t, "gone") > 0 {
				fmt.Fprintf(&b, "%s{n=\"%d\"} %d\n", name, i, rapid.IntRange(0, 99).Draw(t, "value"))
			}
		}
	}
	return b.String()
}

// whole puts the families of blocks together that were cut apart.
func whole(t require.TestingT, blocks []messages.Block) (all []messages.Family) {
	for _, b := range blocks {
		require.Len(t, b.Times, 1)
		for _, f := range b.Families {
			if n := len(all); n > 0 && all[n-1].Name == f.Name {
				all[n-1].Series = append(all[n-1].Series, f.Series...)
				continue
			}
			all = append(all, f)
		}
	}
	return all
}

func inBatches(s *Snapshot, budget int) (blocks []messages.Block) {
	for batch := unshared(s.Next(budget)); batch != nil; batch = unshared(s.Next(budget)) {
		blocks = append(blocks, batch...)
	}
	return blocks
}

// Whatever pages come, all of the latest values are those of all names, which are put
// together anew each time; and a snapshot stays as it is.
func TestVectorIsTheNewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := NewWindow(Limits{chunkScrapes: 5, Bytes: rapid.SampledFrom([]int64{20_000, 1 << 20}).Draw(t, "limit")})
		text := drawPage(t)
		var kept *Snapshot
		var before []messages.Family
		for n := range 12 {
			if rapid.Bool().Draw(t, "change") {
				text = drawPage(t)
			}
			var p Page
			p.Parse([]byte(text), "text/plain", ParseLimits{})
			w.Append(node, Scrape{At: at(n), Page: &p})
			if kept != nil {
				require.Equal(t, before, whole(t, drain(kept)))
			}
			budget := rapid.SampledFrom([]int{1, 100, 200, 64 << 10}).Draw(t, "budget")
			before = whole(t, inBatches(w.Snapshot(messages.Selection{Names: vectorNames}), budget))
			require.Equal(t, before, whole(t, inBatches(w.Snapshot(messages.Selection{}), budget)))
			kept = w.Snapshot(messages.Selection{})
		}
	})
}

// As long as a target has the same series, its answers share them, within a limit that
// counts as memory of the window.
func TestVectorIsShared(t *testing.T) {
	w := NewWindow(Limits{})
	latest := func(n int, text string) messages.Family {
		t.Helper()
		var p Page
		p.Parse([]byte(text), "text/plain", ParseLimits{})
		w.Append(node, Scrape{At: at(n), Page: &p})
		return family(t, w.Snapshot(messages.Selection{}).Next(64<<10), "a")
	}
	bytes := func() int64 { return w.bytes() }
	f := func(shared bool, one, two messages.Family) {
		t.Helper()
		require.Equal(t, shared, &one.Series[0] == &two.Series[0])
	}
	const page = "# HELP a help\n# TYPE a gauge\na{n=\"1\"} 1\na{n=\"2\"} 2\n"
	one := latest(1, page)
	require.Equal(t, []float64{1, 2}, one.Values)
	before := bytes()
	w.sorted[0].vector = nil
	require.Less(t, bytes(), before)
	two := latest(2, page)
	three := latest(3, strings.Replace(page, "} 2", "} 3", 1))
	f(true, two, three)
	require.Equal(t, []float64{1, 2}, two.Values)
	require.Equal(t, []float64{1, 3}, three.Values)
	four := latest(4, strings.Replace(page, "help", "other", 1))
	f(false, three, four)
	require.Equal(t, "help", three.Help)
	require.Equal(t, "other", four.Help)
	five := latest(5, strings.NewReplacer("help", "other", "n=\"2\"", "n=\"3\"").Replace(page))
	f(false, four, five)
	require.EqualValues(t, `n="2"`, four.Series[1].Labels)
	require.EqualValues(t, `n="3"`, five.Series[1].Labels)
}

func TestVectorIsKeptWithinItsLimit(t *testing.T) {
	const series = 100
	w := NewWindow(Limits{Bytes: vectorShare * series * vectorSeriesBytes})
	var b strings.Builder
	for n := range 2 * series {
		fmt.Fprintf(&b, "a{n=\"%d\"} 1\n", n)
		if n != series/2 && n != 2*series-1 {
			continue
		}
		var p Page
		p.Parse([]byte(b.String()), "text/plain", ParseLimits{})
		w.Append(node, Scrape{At: at(n), Page: &p})
		require.Len(t, latest(w), n+1)
		require.Equal(t, n < series, w.sorted[0].vector != nil)
	}
}
