package recorder

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

// describe is a page with one sample, and TYPE and HELP lines of so many families without one.
func describe(families, helpBytes int) string {
	var b strings.Builder
	b.WriteString("# TYPE a counter\na 1\n")
	for i := range families {
		fmt.Fprintf(&b, "# HELP f%d %s\n# TYPE f%d gauge\n", i, strings.Repeat("h", helpBytes), i)
	}
	return b.String()
}

// TYPE and HELP lines take no memory of recorded samples.
func TestMetadataIsWithinItsShare(t *testing.T) {
	const limit = 400 << 10
	w := NewWindow(Limits{Bytes: limit})
	other := Target{Name: "other"}
	for n := range 50 {
		w.Append(other, Scrape{At: at(n), Page: textPage(t, noisy(n, 50))})
	}
	before := w.Stats()
	for n := range 3 {
		done := scrape(t, w, n, describe(5_000, 100))
		require.Greater(t, done.DroppedMeta, 9_000)
		require.Equal(t, 1, done.Samples)
		require.LessOrEqual(t, w.Stats().Bytes, int64(limit))
	}
	require.Equal(t, before.Evicted, w.Stats().Evicted)
	require.Equal(t, messages.TypeCounter, family(t, drain(w.Snapshot(messages.Selection{Names: []string{"a"}})), "a").Type)
	requireConsistent(t, w)
}

// TYPE and HELP lines over the limit are bad lines.
func TestTooManyMetaLines(t *testing.T) {
	var p Page
	limits := ParseLimits{MetaLines: 3}
	p.Parse([]byte("# TYPE a counter\n# HELP a A.\n# TYPE b counter\n# HELP b B.\na 1\n# TYPE c counter\n"), textType, limits)
	require.NoError(t, p.Err())
	require.Equal(t, 2, p.BadLines())
	require.EqualError(t, p.FirstBad(), "line 4: more than 3 TYPE and HELP lines")
	require.Equal(t, 1, p.Samples())
	require.Len(t, p.lines, 3)
}

// A page cannot change the type and help of a family of the agent's own samples.
func TestPagesDoNotDescribeSamplesOfTheAgent(t *testing.T) {
	w := NewWindow(Limits{})
	up := []Sample{{Name: "up", Type: messages.TypeGauge, Help: "Up.", Value: 1}}
	for n, page := range []string{"", "# TYPE up counter\n# HELP up Lies.\nup{x=\"1\"} 5\n", "# HELP up More lies.\nup{x=\"1\"} 5\nup{x=\"2\"} 5\n"} {
		w.Append(node, Scrape{At: at(n), Samples: up, Page: textPage(t, page)})
		f := family(t, drain(w.Snapshot(messages.Selection{})), "up")
		require.Equal(t, messages.TypeGauge, f.Type)
		require.Equal(t, "Up.", f.Help)
		require.Len(t, f.Series, n+1, "the samples are recorded all the same")
	}
	requireConsistent(t, w)

	late := NewWindow(Limits{})
	scrape(t, late, 0, "# TYPE up counter\nup{x=\"1\"} 5\n")
	late.Append(node, Scrape{At: at(1), Samples: up})
	f := family(t, drain(late.Snapshot(messages.Selection{})), "up")
	require.Equal(t, messages.TypeGauge, f.Type)
}
