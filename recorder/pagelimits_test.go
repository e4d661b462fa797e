package recorder

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Of two limits the smaller one counts, and the error names its setting.
func TestLimitsOfPrometheus(t *testing.T) {
	f := func(body string, limits ParseLimits, want string) {
		t.Helper()
		var p Page
		p.Parse([]byte(body), textType, limits)
		if want == "" {
			require.NoError(t, p.Err())
			return
		}
		require.EqualError(t, p.Err(), want)
		require.Zero(t, p.Samples())
	}
	three := "a 1\nb{x=\"1\",y=\"2\"} 2\nc 3\n"
	f(three, ParseLimits{SampleLimit: 3}, "")
	f(three, ParseLimits{SampleLimit: 2}, "page with too many samples: more than 2, at most 2 are allowed (sample_limit)")
	f(three, ParseLimits{SampleLimit: 2, Samples: 1}, "page with too many samples: more than 1, at most 1 are allowed (--max-page-samples)")
	f(three, ParseLimits{SampleLimit: 5, Samples: 2}, "page with too many samples: more than 2, at most 2 are allowed (--max-page-samples)")
	f(three, ParseLimits{LabelLimit: 3}, "")
	f(three, ParseLimits{LabelLimit: 2}, "page with too many labels: a sample of \"b\" has 3 with its name, at most 2 are allowed (label_limit)")
	f("a{x=\"\"} 1\n", ParseLimits{LabelLimit: 1}, "")
}

// A limit that is set later holds for a page that differs in values alone.
func TestANewLimitHoldsForTheSamePage(t *testing.T) {
	var p Page
	body := []byte("a{x=\"1\"} 1\n")
	p.Parse(body, textType, ParseLimits{})
	require.NoError(t, p.Err())
	p.Parse(body, textType, ParseLimits{LabelLimit: 1})
	require.ErrorIs(t, p.Err(), ErrTooManyLabels)
	p.Parse(body, textType, ParseLimits{})
	require.NoError(t, p.Err())
	p.Parse(body, textType, ParseLimits{SampleLimit: 1})
	require.NoError(t, p.Err())
	p.Parse([]byte("a{x=\"1\"} 1\nb 2\n"), textType, ParseLimits{SampleLimit: 1})
	require.ErrorIs(t, p.Err(), ErrTooManySamples)
}
