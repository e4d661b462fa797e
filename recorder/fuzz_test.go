package recorder

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

// FuzzPage records any input: no panic, each sample is accounted for, and what is
// accepted can be written into a page.
func FuzzPage(f *testing.F) {
	for _, body := range []string{
		"# HELP a x\\ny\n# TYPE a counter\na{x=\"1\",y=\"\\\"\"} 1 2\n",
		"{\"a.b\",\"c d\"=\"1\"} NaN\r\n!\n\x00\na 1",
		"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 2\nh_count 1\n# TYPE s summary\ns{quantile=\"1\"} 1\n",
		"# TYPE a counter\n# UNIT a x\na_total 1 1.5 # {id=\"1\"} 1 2\na_created 1 \nb 1\n# EOF\n",
		"a{x=\"1\n2\"} 1\na{x=\"1} 1\nb{y=\"2\"} 2\n \n\t c{} 3\n# \n#\n",
	} {
		f.Add([]byte(body), false)
		f.Add([]byte(body), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, openMetrics bool) {
		contentType := textType
		if openMetrics {
			contentType = openType
		}
		var p Page
		limits := ParseLimits{Samples: 100, BadLines: 100}
		p.Parse(body, contentType, limits)
		require.Equal(t, p.BadLines() > 0, p.FirstBad() != nil)
		require.LessOrEqual(t, p.Samples(), limits.Samples)
		require.LessOrEqual(t, p.BadLines(), limits.BadLines+1)
		lines := bytes.Count(body, []byte("\n")) + 1
		require.LessOrEqual(t, p.BadLines(), lines+1, "no line is counted twice")
		if p.Err() != nil {
			require.Zero(t, p.Samples())
		}
		for _, s := range p.samples {
			require.True(t, bytes.Contains(p.buf, s.raw))
			require.False(t, messages.IsGap(s.value))
		}

		w := NewWindow(Limits{})
		target := Target{Name: "t", Labels: []messages.Label{{Name: "x", Value: "stamped"}}}
		for n := range 2 { // the second time, by the texts that are known
			done := w.Append(target, Scrape{At: at(n), Page: &p})
			require.Equal(t, p.Samples(), done.Samples+done.Dropped.Duplicate+done.Dropped.NotAllowed()+done.Dropped.NoRoom())
			require.Equal(t, done.Dropped.NotAllowed() > 0, done.FirstInvalid != nil)
			requireAccepted(t, drain(w.Snapshot(messages.Selection{})), done.Samples)
		}
		requireConsistent(t, w)
	})
}

func requireAccepted(t *testing.T, blocks []messages.Block, samples int) {
	t.Helper()
	seen := make(map[string]bool)
	for _, b := range blocks {
		for _, f := range b.Families {
			require.NoError(t, messages.CheckMetricName(f.Name))
			require.LessOrEqual(t, len(f.Help), messages.MaxHelpBytes)
			for _, s := range f.Series {
				require.NoError(t, messages.CheckLabelText(s.Labels))
				require.Contains(t, string(s.Labels), `x="stamped"`)
				seen[f.Name+"\xff"+fullName(f, s)] = true
			}
		}
	}
	require.Len(t, seen, samples)
}
