package messages

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSanitizeLabels(t *testing.T) {
	f := func(sanitized int, want string, labels ...Label) {
		t.Helper()
		// In whatever order the labels come.
		for range len(labels) {
			labels = append(labels[1:], labels[0])
			got := slices.Clone(labels)
			require.Equal(t, sanitized, SanitizeLabels(got))
			text := RenderLabels(got)
			require.Equal(t, LabelText(want), text)
			require.NoError(t, CheckLabelText(text))
		}
	}
	f(0, `a="1"`, Label{"a", "1"})
	f(0, `"a.b"="1","größe"="2"`, Label{"a.b", "1"}, Label{"größe", "2"})
	f(1, `_="1"`, Label{"", "1"})
	f(1, `a_b="1"`, Label{"a\x00b", "1"})
	f(1, `a_b="1"`, Label{"a\xffb", "1"})
	f(1, `_9_="1"`, Label{"9\x00", "1"})
	f(1, `exported___name__="x"`, Label{"__name__", "x"})
	f(1, `exported___name__="1",exported___name___="x"`, Label{"__name__", "x"}, Label{"exported___name__", "1"})
	// A valid name stays; of several that become the same, the first by name is first.
	f(1, `a_b="valid",a_b_="bad"`, Label{"a\x00b", "bad"}, Label{"a_b", "valid"})
	f(3, `a_b="1",a_b_="2",a_b__="3"`, Label{"a\xffb", "3"}, Label{"a\x00b", "1"}, Label{"a\xfeb", "2"})

	long := []Label{{strings.Repeat("\x00", MaxNameBytes+1), "1"}}
	require.Zero(t, SanitizeLabels(long))
	many := make([]Label, MaxSeriesLabels+1)
	require.Zero(t, SanitizeLabels(many))
}

func TestSanitizeLabelText(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		got, ok := SanitizeLabelText(LabelText(in))
		require.Equal(t, want != "", ok)
		if ok {
			require.Equal(t, want, string(got))
			require.NoError(t, CheckLabelText(got))
		}
	}
	f(`a-b="1",c="\"\\\n"`, `a_b="1",c="\"\\\n"`)
	f(`9a="1"`, `_9a="1"`)
	f(`z="1",a.b="2",a_b="3"`, `a_b="3",a_b_="2",z="1"`)
	f(`"a.b"="1",a.b="2"`, `"a.b"="1",a_b="2"`)
	f(`__name__="x",a="1"`, `a="1",exported___name__="x"`)
	f("\"a\x00\"=\"1\"", `a_="1"`)
	f(`="1"`, `_="1"`)
	// What is wrong otherwise stays wrong.
	f(``, ``)
	f(`a="1"`, ``)
	f(`b="1",a="2"`, ``)
	f(`a="1",a="2",9="3"`, ``)
	f(`a-b="1`, ``)
	f("a-b=\"\n\"", ``)
	f("a-b=\"\xff\"", ``)
	f(strings.Repeat("-", MaxNameBytes+1)+`="1"`, ``)
	f(`a-b="`+strings.Repeat("x", MaxLabelTextBytes)+`"`, ``)
	f(strings.Repeat(`a="1",`, MaxSeriesLabels)+`a-b="1"`, ``)
}

func TestPlainNamesOfLabelTexts(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		text := LabelText(in)
		require.NoError(t, CheckLabelText(text))
		require.Equal(t, in == want, text.HasLegacyNames())
		require.Equal(t, LabelText(want), text.EscapedNames())
		require.NoError(t, CheckLabelText(text.EscapedNames()))
	}
	f(``, ``)
	f(`a="x,",b="2"`, `a="x,",b="2"`)
	f(`a="1",b="\\,\""`, `a="1",b="\\,\""`)
	f(`"a.b"="1"`, `a_b="1"`)
	f(`"0"="1",a="2","b c"="\n"`, `_0="1",a="2",b_c="\n"`)
	f(`"a-b"="2","a.b"="1",a_b="3"`, `a_b="3",a_b_="2",a_b__="1"`)
	require.Equal(t, "a:b_c", EscapedMetricName("a:b.c"))
	require.Equal(t, "_9", EscapedMetricName("9"))
}

func FuzzSanitizeLabelText(f *testing.F) {
	f.Add(`a-b="1",a_b="2"`)
	f.Add("\"\x00\"=\"\\n\",__name__=\"x\"")
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := SanitizeLabelText(LabelText(text))
		if !ok {
			return
		}
		require.NoError(t, CheckLabelText(got))
		require.Error(t, CheckLabelText(LabelText(text)))
		again, ok := SanitizeLabelText(got)
		require.False(t, ok, "%s is sanitized to %s", got, again)
	})
}
