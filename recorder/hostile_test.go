package recorder

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"weak"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

// outcome parses a page, records it, and tells what became of it: the samples in
// order, then what was skipped and why.
func outcome(contentType, body string) string {
	var p Page
	p.Parse([]byte(body), contentType, ParseLimits{Samples: 50, BadLines: 5})
	w := NewWindow(Limits{})
	done := w.Append(node, Scrape{At: at(0), Page: &p})
	var out []string
	for _, b := range drain(w.Snapshot(messages.Selection{})) {
		for _, f := range b.Families {
			out = append(out, fmt.Sprintf("# %s %s %q", f.Name, f.Type, f.Help))
			for _, s := range f.Series {
				out = append(out, fmt.Sprintf("%s{%s} %g", s.Suffix, s.Labels, s.Values[0]))
			}
		}
	}
	note := func(count int, what string, err error) {
		if err != nil {
			what += ": " + err.Error()
		}
		if count > 0 {
			out = append(out, fmt.Sprintf("%d %s", count, what))
		}
	}
	note(p.BadLines(), "bad", p.FirstBad())
	note(done.Dropped.Duplicate, "duplicate", nil)
	note(done.Dropped.NotAllowed(), "rejected", done.FirstInvalid)
	if p.Err() != nil {
		out = append(out, "unusable: "+p.Err().Error())
	}
	for i, line := range out {
		if len(line) > 150 {
			out[i] = line[:150] + "..."
		}
	}
	return strings.Join(out, "\n")
}

// outcomes returns a function that checks the outcome of a page, line by line.
func outcomes(t *testing.T, contentType string) func(name, body string, want ...string) {
	return func(name, body string, want ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			require.Equal(t, strings.Join(want, "\n"), outcome(contentType, body))
		})
	}
}

func manyLabels(n int) string {
	pairs := make([]string, n)
	for i := range pairs {
		pairs[i] = fmt.Sprintf(`l%d="1"`, i)
	}
	return strings.Join(pairs, ",")
}

func TestContentTypes(t *testing.T) {
	f := func(contentType string, openMetrics, fallback bool) {
		t.Helper()
		var p Page
		p.Parse([]byte("# TYPE a counter\na_total 1\n# EOF\n"), contentType, ParseLimits{})
		require.NoError(t, p.Err())
		require.Equal(t, openMetrics, p.format.openMetrics)
		require.Equal(t, fallback, p.Fallback())
	}
	f("text/plain", false, false)
	f(textType, false, false)
	f("text/plain; version=1.0.0; escaping=allow-utf-8", false, false)
	f(openType, true, false)
	f("Application/OpenMetrics-Text", true, false)
	f("", false, true)
	f("text/html", false, true)
	f("application/vnd.google.protobuf", false, true)
	f("text/plain; =", false, true)
	f(";;;", false, true)
}

func TestPageIsReused(t *testing.T) {
	var p Page
	p.Parse([]byte("a 1\n!\n"), "text/html", ParseLimits{})
	require.Equal(t, 1, p.BadLines())
	require.ErrorContains(t, p.FirstBad(), "line 2")
	p.Parse([]byte("!"), textType, ParseLimits{})
	require.ErrorContains(t, p.Err(), "without a single sample")
	require.Zero(t, p.Samples())
	p.Parse([]byte("a 1\nb 1\n"), textType, ParseLimits{})
	require.NoError(t, p.Err())
	require.NoError(t, p.FirstBad())
	require.False(t, p.Fallback())
	require.Zero(t, p.BadLines())
	require.Equal(t, 2, p.Samples())
}

// A body may be reused, and its spare capacity is not written to.
func TestBodyIsLeftAlone(t *testing.T) {
	body := []byte("a 1\nb 2\nXYZ")[:8]
	var p Page
	p.Parse(body, textType, ParseLimits{})
	require.Equal(t, "a 1\nb 2\nXYZ", string(body[:11]))
	clear(body)
	w := NewWindow(Limits{})
	w.Append(node, Scrape{At: at(0), Page: &p})
	require.Equal(t, []string{"a{} 1", "b{} 2"}, latest(w))
}

// The buffer of one large page is freed when pages are small again.
func TestBufferShrinks(t *testing.T) {
	var p Page
	p.Parse([]byte("a 1\n# "+strings.Repeat("x", 16*keepBytes)), textType, ParseLimits{})
	require.Equal(t, 1, p.Samples())
	p.Parse([]byte("a 1\n"), textType, ParseLimits{})
	require.Less(t, cap(p.buf), 1<<10)
}

// No sample or line of a large page keeps its buffer alive, whether the page was good or not.
func TestNothingHoldsOnToALargeBuffer(t *testing.T) {
	limits := ParseLimits{Samples: 100, BadLines: 10}
	comment := func(bytes int) string { return "# " + strings.Repeat("x", bytes) }
	f := func(large string) {
		t.Helper()
		for _, next := range []string{"# TYPE a gauge\na 1\n", "a 1\n" + comment(32*keepBytes)} {
			var p Page
			p.Parse([]byte(large+comment(16*keepBytes)), textType, limits)
			buffer := weak.Make(&p.buf[0])
			p.Parse([]byte(next), textType, limits)
			runtime.GC()
			require.Nil(t, buffer.Value())
			if len(next) < keepBytes {
				require.LessOrEqual(t, cap(p.samples)+cap(p.lines), 10)
			}
			runtime.KeepAlive(&p)
		}
	}
	f(gauges(0, 100))
	f(gauges(0, 101))
	f(gauges(0, 50) + strings.Repeat("!\n", 11))
	f("a 1\n" + describe(50, 1))
	f(describe(50, 1) + strings.Repeat("!\n", 11))
}

// Samples over the limits of labels are rejected, each counted by its limit, and the
// first one is named with what it has and what is allowed.
func TestLabelLimits(t *testing.T) {
	f := func(body string, want AppendResult, why string) {
		t.Helper()
		w := NewWindow(Limits{SampleLabels: 2, LabelBytes: 5})
		done := scrape(t, w, 0, body)
		if why != "" {
			require.EqualError(t, done.FirstInvalid, why)
		}
		done.FirstInvalid = nil
		require.Equal(t, want, done)
		again := scrape(t, w, 1, body)
		require.Equal(t, done.Dropped, again.Dropped, "they are dropped again")
	}
	f(`a{x="12345",y12345="1"} 1`+"\n", AppendResult{Dropped: Dropped{LabelBytes: 1}},
		`series "a{x=\"12345\",y12345=\"1\"}": label name "y12345" of 6 bytes, at most 5 are allowed (--max-label-bytes)`)
	f(`a{x="123456"} 1`+"\nb 1\n", AppendResult{Samples: 1, NewSeries: 1, Dropped: Dropped{LabelBytes: 1}},
		`series "a{x=\"123456\"}": label "x" of 6 bytes, at most 5 are allowed (--max-label-bytes)`)
	f(`a{x="1",y="2",z="3"} 1`+"\n", AppendResult{Dropped: Dropped{LabelCount: 1}},
		`series "a{x=\"1\",y=\"2\",z=\"3\"}": 3 labels, at most 2 are allowed (--max-sample-labels)`)
	f(`a{x="12345",y2345="2"} 1`+"\n", AppendResult{Samples: 1, NewSeries: 1}, "")
	f(`a{x="1",y="2",z123456=""} 1`+"\n", AppendResult{Samples: 1, NewSeries: 1}, "")
	f(`a{x="1",x="2"} 1`+"\n", AppendResult{Dropped: Dropped{Invalid: 1}}, `series "a{x=\"1\",x=\"2\"}": label "x" is there twice`)
}

// The limits do not apply to the target's labels and to samples of the agent.
func TestLabelLimitsAreOfPages(t *testing.T) {
	w := NewWindow(Limits{SampleLabels: 1, LabelBytes: 5})
	long := []messages.Label{{Name: "container_name", Value: "a long name"}}
	done := w.Append(Target{Name: "t", Labels: long}, Scrape{At: at(0), Page: textPage(t, "a{x=\"1\"} 1\n"),
		Samples: []Sample{{Name: "r", Labels: []messages.Label{{Name: "endpoint", Value: "http://node"}}}}})
	require.Equal(t, AppendResult{Samples: 2, NewSeries: 2}, done)
}

// The error of an unusable page has its content type, unless that is a known one.
func TestUnusablePagesTellTheirContentType(t *testing.T) {
	f := func(contentType, want string) {
		t.Helper()
		var p Page
		p.Parse([]byte("!\n"), contentType, ParseLimits{})
		require.ErrorContains(t, p.Err(), want)
	}
	f("text/html; charset=utf-8", `page without a single sample of the content type "text/html; charset=utf-8": line 1: `)
	f("", "page without a single sample, and without a content type: line 1: ")
	f(textType, "page without a single sample: line 1: ")
	f(openType, "page without a single sample: line 1: ")
}
