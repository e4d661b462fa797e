package messages

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestRenderLabels(t *testing.T) {
	f := func(want string, labels ...Label) {
		t.Helper()
		got := RenderLabels(labels)
		require.Equal(t, LabelText(want), got)
		require.NoError(t, CheckLabelText(got))
	}
	f(``)
	f(`a="1"`, Label{"a", "1"})
	f(`a="1",b="2"`, Label{"b", "2"}, Label{"a", "1"})
	f(`b="2"`, Label{"a", ""}, Label{"b", "2"}, Label{"c", ""})
	f(``, Label{"a", ""})
	f(`A="1",_="2",a="3",a0="4"`, Label{"a0", "4"}, Label{"a", "3"}, Label{"_", "2"}, Label{"A", "1"})
	f(`a=",}\"\\\n{="`, Label{"a", ",}\"\\\n{="})
	f("a=\"\t\r\x00\"", Label{"a", "\t\r\x00"})
	f(`"a.b"="1"`, Label{"a.b", "1"})
	f(`"a b"="1","a\"\\\n,="="2",aa="3"`, Label{"aa", "3"}, Label{"a\"\\\n,=", "2"}, Label{"a b", "1"})
	f(`"0a"="1","a:b"="2","größe"="ü"`, Label{"größe", "ü"}, Label{"a:b", "2"}, Label{"0a", "1"})
}

func TestAppendLabels(t *testing.T) {
	got := AppendLabels([]byte("x{"), []Label{{"b", "2"}, {"a", "1"}, {"0", ""}})
	require.Equal(t, `x{a="1",b="2"`, string(got))
}

func TestCheckLabelText(t *testing.T) {
	ok := func(text string) {
		t.Helper()
		require.NoError(t, CheckLabelText(LabelText(text)))
	}
	bad := func(text, why string) {
		t.Helper()
		require.ErrorContains(t, CheckLabelText(LabelText(text)), why)
	}
	ok(``)
	ok(`a="1",b="2"`)
	ok(`a="=\",",b="}"`)
	ok(`"a,b"="1"`)
	ok(`"a=\"b"="1"`)
	ok(`le="+Inf",node_id="x"`)

	bad(`a`, "not a label text")
	bad(`=`, "not a label text")
	bad(`a=`, "not a label text")
	bad(`a="`, "not a label text")
	bad(`a="1`, "not a label text")
	bad(`a="1\"`, "not a label text")
	bad(`a=1`, "not a label text")
	bad(`a='1'`, "not a label text")
	bad(`a="1",`, "not a label text")
	bad(`,a="1"`, "not in quotes")
	bad(`a="1" ,b="2"`, "not a label text")
	bad(`a="1", b="2"`, "not in quotes")
	bad(`a ="1"`, "not in quotes")
	bad(`a="1"b="2"`, "not a label text")
	bad(`a="1"} 5`, "not a label text")
	bad("a=\"1\n2\"", "not a label text")
	bad("\"a\n\"=\"1\"", "not a label text")
	bad(`a="\t"`, "not a label text")
	bad(`a="\`, "not a label text")
	bad(`"a`, "not a label text")
	bad(`"a"`, "not a label text")
	bad(`"a."x="1"`, "not a label text")
	bad(`b="1",a="2"`, `label "a" is not in order`)
	bad(`a="1",a="1"`, `label "a" is not in order, or there twice`)
	bad(`a="1",b=""`, `label "b" has an empty value`)
	bad(`""="1"`, "label name is empty")
	bad(`="1"`, "label name is empty")
	bad(`a.b="1"`, `"a.b" is not in quotes`)
	bad(`"a"="1"`, `"a" is in quotes without need`)
	bad(`__name__="x"`, "__name__")
	bad("\"a\x00\"=\"x\"", "NUL")
	bad("a=\"\xff\"", "UTF-8")
	bad("\"\xff\"=\"a\"", "UTF-8")
}

func TestWithoutEmpty(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		require.Equal(t, LabelText(want), LabelText(text).WithoutEmpty())
	}
	f(``, ``)
	f(`a="1"`, `a="1"`)
	f(`a=""`, ``)
	f(`a="",b="2",c=""`, `b="2"`)
	f(`a="1",b="",c="3"`, `a="1",c="3"`)
	f(`"a="="","b=\""="1"`, `"b=\""="1"`)
	f(`a="=",b="2"`, `a="=",b="2"`)
	f(`b="",a="2",b="3"`, `a="2",b="3"`)
	// What cannot be read stays for the check to refuse.
	f(`a="",b`, `a="",b`)
	f(`a="",b="`, `a="",b="`)
}

// A valid text has a label with an empty value if, and only if, emptyValue occurs in it.
func TestEmptyValueIsSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text []byte
		var want []Label
		for _, l := range labelSets().Draw(t, "labels") {
			if len(text) > 0 {
				text = append(text, ',')
			}
			if text = AppendLabel(text, l.Name, l.Value); l.Value != "" {
				want = append(want, l)
			}
		}
		got := LabelText(text).WithoutEmpty()
		require.Equal(t, want, got.Labels())
		require.NotContains(t, string(got), emptyValue)
	})
}

func TestLabelLimits(t *testing.T) {
	many := func(n int) LabelText {
		var labels []Label
		for i := range n {
			labels = append(labels, Label{fmt.Sprintf("l%03d", i), "x"})
		}
		return RenderLabels(labels)
	}
	require.NoError(t, CheckLabelText(many(MaxSeriesLabels)))
	require.ErrorContains(t, CheckLabelText(many(MaxSeriesLabels+1)), "more than 128 labels")

	long := func(n int) LabelText { return LabelText(`a="` + strings.Repeat("x", n-len(`a=""`)) + `"`) }
	require.NoError(t, CheckLabelText(long(MaxLabelTextBytes)))
	require.ErrorContains(t, CheckLabelText(long(MaxLabelTextBytes+1)), "labels of 65537 bytes, at most 65536")

	name := strings.Repeat("n", MaxNameBytes)
	require.NoError(t, CheckLabelName(name))
	require.ErrorContains(t, CheckLabelName(name+"n"), "label name of 1025 bytes, at most 1024")
	require.ErrorContains(t, CheckMetricName(name+"n"), "metric name of 1025 bytes")
}

func TestCheckNames(t *testing.T) {
	for _, name := range []string{"a", "__name__x", "a.b", "größe", " ", "a\nb", "0", "a:b"} {
		require.NoError(t, CheckLabelName(name), "%q", name)
		require.NoError(t, CheckMetricName(name), "%q", name)
	}
	for _, name := range []string{"", "\xff", "a\x00"} {
		require.Error(t, CheckLabelName(name), "%q", name)
		require.Error(t, CheckMetricName(name), "%q", name)
	}
	require.Error(t, CheckLabelName("__name__"))
	require.NoError(t, CheckMetricName("__name__"))
}

func TestPlainNames(t *testing.T) {
	f := func(name string, label, metric bool) {
		t.Helper()
		require.Equal(t, label, IsLegacyLabelName(name))
		require.Equal(t, metric, IsLegacyMetricName(name))
	}
	f("", false, false)
	f("a", true, true)
	f("_", true, true)
	f("aZ_09", true, true)
	f("0a", false, false)
	f("a:b", false, true)
	f(":", false, true)
	f("a-b", false, false)
	f("a b", false, false)
	f("ä", false, false)
	f("a\x00", false, false)
}

func TestPlainLabelName(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		require.Equal(t, want, EscapedLabelName(text))
	}
	f("", "_")
	f("zone", "zone")
	f("node_zone", "node_zone")
	f("app.kubernetes.io/name", "app_kubernetes_io_name")
	f("a-b c:d", "a_b_c_d")
	f("c:d", "c_d")
	f("9lives", "_9lives")
	f("a9", "a9")
	f("ü", "__")
	f("a\xff\x00\n", "a___")
}

func TestCut(t *testing.T) {
	f := func(text, name, escaped, first, rest string) {
		t.Helper()
		l, r, err := LabelText(text).Cut()
		require.NoError(t, err)
		require.Equal(t, RawLabel{name, escaped, LabelText(first)}, l)
		require.Equal(t, LabelText(rest), r)
	}
	f(`a="1"`, "a", "1", `a="1"`, ``)
	f(`a="1",b="2",c="3"`, "a", "1", `a="1"`, `b="2",c="3"`)
	f(`a="\",b=\"",c="3"`, "a", `\",b=\"`, `a="\",b=\""`, `c="3"`)
	f(`a="\\",b="2"`, "a", `\\`, `a="\\"`, `b="2"`)
	f(`"a\"=\n"="1",b="2"`, "a\"=\n", "1", `"a\"=\n"="1"`, `b="2"`)
	_, _, err := LabelText("").Cut()
	require.Error(t, err)
}

func TestUnescape(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		require.Equal(t, want, Unescape(text))
	}
	f(``, "")
	f(`abc`, "abc")
	f(`\\\"\n`, "\\\"\n")
	f(`\\n`, `\n`)
	f(`a\`, `a\`)
}

// labelSets draws labels with names that differ.
func labelSets() *rapid.Generator[[]Label] {
	name := rapid.OneOf(
		rapid.StringMatching(`[a-zA-Z_][a-zA-Z0-9_]{0,8}`),
		rapid.StringN(1, 6, -1),
		rapid.SampledFrom([]string{"a.b", `"`, `\`, "\n", ",", "=", "a=", "node_id", " ", "é"}),
	).Filter(func(s string) bool { return CheckLabelName(s) == nil })
	value := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", `"`, `\`, "\n", `\n`, `",x="`, "}", "\x00"}))
	label := rapid.Custom(func(t *rapid.T) Label { return Label{name.Draw(t, "name"), value.Draw(t, "value")} })
	return rapid.SliceOfNDistinct(label, 0, 10, func(l Label) string { return l.Name })
}

func TestLabelTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		labels := labelSets().Draw(t, "labels")
		var want []Label
		for _, l := range labels {
			if l.Value != "" {
				want = append(want, l)
			}
		}
		slices.SortFunc(want, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })

		text := RenderLabels(labels)
		require.NoError(t, CheckLabelText(text))
		require.NotContains(t, string(text), "\n")
		require.Equal(t, want, text.Labels())
	})
}

// What the check accepts is the one text of its labels, so series can be told
// apart by comparing texts.
func requireCanonical(t *testing.T, text LabelText) {
	t.Helper()
	labels := text.Labels()
	require.Equal(t, text, RenderLabels(slices.Clone(labels)))
	require.False(t, strings.Contains(string(text), "\n"))
	require.True(t, utf8.ValidString(string(text)))
	for _, l := range labels {
		require.NoError(t, CheckLabelName(l.Name))
	}
}

func FuzzCheckLabelText(f *testing.F) {
	for _, s := range []string{``, `a="1"`, `a="1",b="\"\\\n"`, `"a.b"="x",c="y"`, `"a\"b"="x"`, `"a"="1"`,
		`a="",b="1"`, `a="1",a="2"`, `a="\`, `"`, `=`, `,`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if CheckLabelText(LabelText(s)) == nil {
			requireCanonical(t, LabelText(s))
		}
	})
}

func FuzzCut(f *testing.F) {
	f.Add(`a="1",b="\"\\\n"`)
	f.Add(`"a.b"="x",`)
	f.Fuzz(func(t *testing.T, s string) {
		for rest := LabelText(s); rest != ""; {
			first, next, err := rest.Cut()
			if err != nil {
				return
			}
			// Nothing is lost between the pair and the rest.
			whole := first.Text
			if next != "" {
				whole += "," + next
			}
			require.Equal(t, rest, whole)
			require.True(t, strings.HasSuffix(string(first.Text), `="`+first.Escaped+`"`))
			rest = next
		}
	})
}

func FuzzRenderLabels(f *testing.F) {
	f.Add("a", "1", "b", "2")
	f.Add("a.b", "\\\"\n", "", "")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		labels := []Label{{name1, value1}, {name2, value2}}
		valid := name1 != name2 && utf8.ValidString(value1) && utf8.ValidString(value2)
		for _, l := range labels {
			valid = valid && CheckLabelName(l.Name) == nil
		}
		text := RenderLabels(slices.Clone(labels))
		if !valid || len(text) > MaxLabelTextBytes {
			return
		}
		require.NoError(t, CheckLabelText(text))
		requireCanonical(t, text)
		require.True(t, IsLegacyLabelName(EscapedLabelName(name1)))
	})
}
