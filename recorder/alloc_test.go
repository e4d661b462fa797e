package recorder

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An unchanged page allocates nothing a sample: the parser itself, and now and then
// a segment.
func TestSteadyStateAllocations(t *testing.T) {
	body := largePage(t)
	var p Page
	const rows = 20
	w := NewWindow(Limits{rows: rows})
	n := 0
	once := func() {
		n++
		p.Parse(body, textType, ParseLimits{})
		w.Append(node, Scrape{At: at(n), Page: &p, Readings: []Reading{{Name: "fodc_node_up", Value: 1}}})
	}
	for range rows + 1 { // The first segment grows.
		once()
	}
	allocs := testing.AllocsPerRun(2*rows, once)
	require.Greater(t, p.Samples(), 3_000)
	require.Less(t, allocs, 20.0)
}

// Hostile pages take time in proportion to their size: eight times the page takes
// nowhere near sixty-four times as long.
func TestBadLinesAreLinear(t *testing.T) {
	f := func(name, contentType, line string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			took := func(lines int) time.Duration {
				var p Page
				body := bytes.Repeat([]byte(line), lines)
				best := time.Hour
				for range 3 {
					start := time.Now()
					p.Parse(body, contentType, ParseLimits{BadLines: 1 << 30})
					best = min(best, time.Since(start))
				}
				return best
			}
			const lines = 500
			require.Less(t, took(8*lines), 30*took(lines)+time.Millisecond)
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
