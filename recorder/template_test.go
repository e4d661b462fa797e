package recorder

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// requireSamePage checks that a page equals a fresh one that has parsed the same body.
func requireSamePage(t require.TestingT, p *Page, body []byte, contentType string, limits ParseLimits) {
	var fresh Page
	fresh.Parse(body, contentType, limits)
	require.Equal(t, len(fresh.samples), len(p.samples))
	for i, s := range fresh.samples {
		require.Equal(t, string(s.raw), string(p.samples[i].raw))
		require.Equal(t, math.Float64bits(s.value), math.Float64bits(p.samples[i].value), "%s", s.raw)
	}
	require.Equal(t, fmt.Sprint(fresh.lines), fmt.Sprint(p.lines))
	require.Equal(t, fresh.BadLines(), p.BadLines())
	require.Equal(t, fresh.FirstBad(), p.FirstBad())
	require.Equal(t, fresh.Err(), p.Err())
	require.Equal(t, fresh.Fallback(), p.Fallback())
}

const templatePage = "# HELP a A.\n# TYPE a gauge\na{x=\"1\"} 1\na{x=\"2\"} 2.5\n\n# a comment\n{\"b.c\"} -1e-07\nd +Inf\n"

// A page that differs in values alone matches the template. Any other difference is noticed,
// and the page is parsed.
func TestTemplate(t *testing.T) {
	f := func(first, second string, again bool) {
		t.Helper()
		var p Page
		p.Parse([]byte(first), textType, ParseLimits{})
		before := p.template
		p.Parse([]byte(second), textType, ParseLimits{})
		require.Equal(t, again, before == p.template)
		requireSamePage(t, &p, []byte(second), textType, ParseLimits{})
	}
	swap := func(old, new string) string {
		t.Helper()
		require.Contains(t, templatePage, old)
		return strings.Replace(templatePage, old, new, 1)
	}
	f(templatePage, templatePage, true)
	f(templatePage, swap("2.5", "123456789012345"), true)
	f(templatePage, swap("2.5", "1234567890123456"), true)
	f(templatePage, swap("2.5", "99999999999999999999"), true)
	f(templatePage, swap("2.5", "-0"), true)
	f(templatePage, swap("2.5", "NaN"), true)
	f(templatePage, swap("+Inf", "-Inf"), true)
	f(templatePage, swap("+Inf", "7"), true)
	f("a 1", "a 2", true)
	f("a 1", "a 2\n", false)
	f("a 1\n", "a 2", false)
	f(templatePage, swap("2.5", "1e999"), false)
	f(templatePage, swap("2.5", "1_0"), false)
	f(templatePage, swap("2.5", "0x1p4"), false)
	f(templatePage, swap("2.5", "Inf"), false)
	f(templatePage, swap("2.5", "nan"), false)
	f(templatePage, swap("2.5", "NaN 5"), false)
	f(templatePage, swap("2.5", ""), false)
	f(templatePage, swap("2.5", "--1"), false)
	f(templatePage, swap("2.5", "2.5 "), false)
	f(templatePage, swap("2.5", "2.5 1700000000000"), false)
	f(templatePage, swap("2.5", "2.5\r"), false)
	f(templatePage, swap("2.5", strings.Repeat("1", maxPlainValue+1)), false)
	f(templatePage, swap("x=\"2\"", "x=\"3\""), false)
	f(templatePage, swap("gauge", "counter"), false)
	f(templatePage, swap("comment", "remark"), false)
	f(templatePage, swap("d +Inf\n", ""), false)
	f(templatePage, templatePage+"e 1\n", false)
	f(templatePage, "", false)
	f("", templatePage, false)
	f("a 1 1700000000000\n", "a 2 1700000000000\n", false)
	f("a  1\n", "a  2\n", false)
	f("a 1\n!\n", "a 2\n!\n", false)
}

// A template is used only for pages with the same content type and limits.
func TestTemplateIsOfItsContentTypeAndLimits(t *testing.T) {
	body := []byte("# TYPE a counter\na_total 1\n# EOF\n")
	var p Page
	p.Parse(body, openType, ParseLimits{})
	before := p.template
	f := func(contentType string, limits ParseLimits) {
		t.Helper()
		p.Parse(body, contentType, limits)
		require.NotSame(t, before, p.template)
		before = p.template
		requireSamePage(t, &p, body, contentType, limits)
	}
	f(textType, ParseLimits{})
	f("", ParseLimits{})
	f(openType, ParseLimits{})
	f(openType, ParseLimits{Samples: 1})
	p.Parse([]byte("# TYPE a counter\na_total 2\n# EOF\n"), openType, ParseLimits{Samples: 1})
	require.Same(t, before, p.template)
	require.Equal(t, 2.0, p.samples[0].value)
}

// FuzzTemplate parses a page after another one, and then with another value: the result is that
// of a new Page.
func FuzzTemplate(f *testing.F) {
	f.Add([]byte(templatePage), []byte(templatePage), []byte("7"), uint(1), false)
	f.Add([]byte("a 1\nb 2\n# EOF\n"), []byte("a 1 \n# EOF\n"), []byte("NaN"), uint(0), true)
	f.Add([]byte("a{b=\"1\n"), []byte("a 1"), []byte("1 # {} 1"), uint(2), true)
	f.Fuzz(func(t *testing.T, first, second, value []byte, at uint, openMetrics bool) {
		contentType := textType
		if openMetrics {
			contentType = openType
		}
		limits := ParseLimits{Samples: 100, BadLines: 100}
		lines := bytes.SplitAfter(first, []byte("\n"))
		i := int(at % uint(len(lines)))
		if space := bytes.LastIndexByte(lines[i], ' '); space >= 0 {
			lines[i] = append(append(bytes.Clone(lines[i][:space+1]), value...), '\n')
		}
		var p Page
		for _, body := range [][]byte{first, bytes.Join(lines, nil), first, second} {
			p.Parse(body, contentType, limits)
			requireSamePage(t, &p, body, contentType, limits)
		}
	})
}

// A window that always gets the same Page, parsed anew, holds the same as one that gets a new
// Page each time: with series that come, go and come back, metadata that changes, scrapes that
// fail, and eviction.
func TestReusedPageIsRecordedAsNewOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Limits{Bytes: 24 << 10, Series: 40, chunkScrapes: 4}
		again, fresh := NewWindow(l), NewWindow(l)
		var p Page
		body := drawBody(t)
		for n := range rapid.IntRange(1, 40).Draw(t, "scrapes") {
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				body = drawBody(t)
			case 1:
				require.Equal(t, fail(fresh, n), fail(again, n))
				continue
			}
			text := body(t)
			p.Parse(text, textType, ParseLimits{})
			s := Scrape{At: at(n), Page: &p}
			did := again.Append(node, s)
			s.Page = &Page{}
			s.Page.Parse(text, textType, ParseLimits{})
			require.Equal(t, fresh.Append(node, s), did)
			require.Equal(t, latest(fresh), latest(again))
			requireConsistent(t, again)
		}
		require.Equal(t, fresh.Stats().Samples, again.Stats().Samples)
	})
}

// A page that matches the template after its series were evicted makes new series.
func TestTemplateAfterEviction(t *testing.T) {
	w := NewWindow(Limits{Bytes: 64 << 10})
	p, other := textPage(t, templatePage), textPage(t, gauges(0, 50))
	w.Append(node, Scrape{At: at(0), Page: p})
	fail(w, 1)
	for n := 2; len(w.targets[node.Name].series.entries) > 0; n++ {
		require.Less(t, n, 10_000)
		w.Append(Target{Name: "other"}, Scrape{At: at(n), Page: other})
	}
	done := w.Append(node, Scrape{At: at(10_000), Page: p})
	require.Equal(t, AppendResult{Samples: 4, NewSeries: 4}, done)
	requireConsistent(t, w)
}

// drawBody returns a page whose values are drawn each time.
func drawBody(t *rapid.T) func(*rapid.T) []byte {
	kind := rapid.SampledFrom([]string{"gauge", "counter"}).Draw(t, "kind")
	series := rapid.SliceOfN(rapid.IntRange(0, 30), 1, 20).Draw(t, "series")
	return func(t *rapid.T) []byte {
		b := fmt.Appendf(nil, "# TYPE a %s\n", kind)
		for _, i := range series {
			b = fmt.Appendf(b, "a{i=\"%d\"} %d\n", i, rapid.IntRange(0, 99).Draw(t, "value"))
		}
		return b
	}
}
