package recorder

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An unchanged page allocates nothing a sample: the parser itself, and now and then
// a new head.
func TestSteadyStateAllocations(t *testing.T) {
	body := largePage(t)
	var p Page
	const scrapes = 20
	w := NewWindow(Limits{chunkScrapes: scrapes})
	n := 0
	once := func() {
		n++
		p.Parse(body, textType, ParseLimits{})
		w.Append(node, Scrape{At: at(n), Page: &p, Samples: []Sample{{Name: "fodc_node_up", Value: 1}}})
	}
	for range scrapes + 1 { // The first head grows.
		once()
	}
	allocs := testing.AllocsPerRun(2*scrapes, once)
	require.Greater(t, p.Samples(), 3_000)
	require.Less(t, allocs, 20.0)
}

// Hostile pages take time in proportion to their size: a line of a page eight times
// as long should cost about the same, so growth should be near 1; were the work
// quadratic it would be near 8.
func BenchmarkBadLines(b *testing.B) {
	f := func(name, contentType, line string) {
		b.Run(name, func(b *testing.B) {
			const lines = 500
			small, large := bytes.Repeat([]byte(line), lines), bytes.Repeat([]byte(line), 8*lines)
			var p Page
			took := func(body []byte) time.Duration {
				start := time.Now()
				p.Parse(body, contentType, ParseLimits{BadLines: 1 << 30})
				return time.Since(start)
			}
			var onSmall, onLarge time.Duration
			for b.Loop() {
				onSmall += took(small)
				onLarge += took(large)
			}
			b.ReportMetric(onLarge.Seconds()/onSmall.Seconds()/8, "growth")
		})
	}
	f("garbage", textType, "<p>\n")
	f("open quote", textType, "a{b=\"\n")
	f("open quote in a name", textType, "{\"a\n")
	f("open quote in a TYPE", textType, "# TYPE \"a\n")
	f("escaped quotes", textType, "a{b=\"\\\"\n")
	f("NUL", textType, "\x00\n")
	f("long lines", textType, "a{b=\""+strings.Repeat("x", 200)+"\n")
	f("good and bad", textType, "a 1\n!\n")
	f("blanks behind values", openType, "a 1 \n")
	f("blank lines", openType, "a 1\n\n")
	f("open quote in OpenMetrics", openType, "{\"a\n")
}
