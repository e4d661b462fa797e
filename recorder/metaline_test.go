package recorder

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/textparse"
	"github.com/stretchr/testify/require"
)

// Any number of blanks and tabs may stand between words, and types are taken in any letter
// case.
func TestMetaLines(t *testing.T) {
	f := outcomes(t, textType)
	f("blanks", "# HELP c Blanks between the words of a line.\n# TYPE   c   counter\nc 3\n#\tTYPE\td\tgauge\nd 1\n",
		`# c counter "Blanks between the words of a line."`, `{} 3`, `# d gauge ""`, `{} 1`)
	f("blanks before and behind", " \t#  TYPE a \t gauge \t\na 1\n  # TYPE b gauge\nb 1\n# TYPE c gauge \nc 1",
		`# a gauge ""`, `{} 1`, `# b gauge ""`, `{} 1`, `# c gauge ""`, `{} 1`)
	f("no blank behind the #", "#TYPE a gauge\n#HELP a b  c\na 1\n",
		`# a gauge "b  c"`, `{} 1`)
	f("blanks around a help", "# HELP a \t  b  c \t\na 1\n  #  HELP \t b   d\\\\e\\n\\\"\nb 1\n#HELP c \\\\d\\n\\\"\nc 1\n",
		`# a untyped "b  c"`, `{} 1`, `# b untyped "d\\e\n\\\""`, `{} 1`, `# c untyped "\\d\n\\\""`, `{} 1`)
	f("no help", "# HELP a\n# HELP b \n#HELP c\n#HELP d \na 1\nb 1\nc 1\nd 1\n",
		`# a untyped ""`, `{} 1`, `# b untyped ""`, `{} 1`, `# c untyped ""`, `{} 1`, `# d untyped ""`, `{} 1`)
	f("letter case", "# TYPE a Gauge\na 1\n# TYPE b COUNTER\nb 1\n# TYPE h Histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n# TYPE s sUMMARY\ns_sum 1\ns_count 1\n",
		`# a gauge ""`, `{} 1`, `# b counter ""`, `{} 1`, `# h histogram ""`, `_bucket{le="+Inf"} 1`, `_sum{} 1`, `_count{} 1`,
		`# s summary ""`, `_sum{} 1`, `_count{} 1`)
	f("untyped and unknown", "# TYPE a untyped\na 1\n# TYPE b unknown\nb 1\n# TYPE c UNTYPED\nc 1\n",
		`# a untyped ""`, `{} 1`, `# b untyped ""`, `{} 1`, `# c untyped ""`, `{} 1`)
	f("names in quotes", "# TYPE \"a.b\"  gauge\n# HELP  \"a.b\" x\n{\"a.b\"} 1\n#TYPE \"c\" gauge\nc 1\n# TYPE  \"d\\\"e\" Gauge\n{\"d\\\"e\"} 1\n",
		`# a.b gauge "x"`, `{} 1`, `# c gauge ""`, `{} 1`, `# d"e gauge ""`, `{} 1`)
	f("CR LF", "# TYPE  a  Gauge\r\na 1\r\n",
		`# a gauge ""`, `{} 1`)
	f("the last line", "a 1\n# TYPE  a  gauge",
		`# a gauge ""`, `{} 1`)
	f("the first of two counts", "# TYPE a  Gauge\n# TYPE a counter\na 1\n",
		`# a gauge ""`, `{} 1`)
	f("comments that look like it", "#TYPEa gauge\n# type a gauge\n# # TYPE a gauge\n#TYPE\n# TYPES a gauge\n#HELPa b\n## HELP a b\na 1\n",
		`# a untyped ""`, `{} 1`)
	f("a unit is a comment", "# UNIT  a  seconds\na 1\n",
		`# a untyped ""`, `{} 1`)
	const want = `1 bad: line 1: `
	bad := func(line, why string) {
		t.Helper()
		f(line, line+"\na 1\n", `# a untyped ""`, `{} 1`, want+why)
	}
	bad("# TYPE a", `invalid metric type ""`)
	bad("# TYPE  a  ", `invalid metric type ""`)
	bad("# TYPE a gauge counter", `invalid metric type "gauge counter"`)
	bad("# TYPE a  gauge x", `invalid metric type " gauge x"`)
	bad("# TYPE a info", `invalid metric type "info"`)
	bad("# TYPE a gäuge", `invalid metric type "gäuge"`)
	bad("# TYPE \"a\"gauge", `invalid metric type "auge"`)
	bad("# TYPE a.b  gauge", `invalid metric type "b  gauge"`)
	bad("# HELP  a  \xff", `help text " \xff" is not a valid utf8 string`)
	bad("# TYPE  9  gauge", `expected metric name after TYPE, got "9" ("INVALID") while parsing: "# TYPE  9"`)
}

// OpenMetrics allows one blank; lines with more are read all the same.
func TestOpenMetaLines(t *testing.T) {
	f := outcomes(t, openType)
	f("blanks and letter case", "# TYPE  a  Counter\n# HELP\ta  \tb\\\"c\n# UNIT a_seconds  seconds\na_total 1\n# TYPE b GaugeHistogram\nb_gsum 1\n# TYPE c untyped\nc 1\n# EOF\n",
		`# a_total counter "b\"c"`, `{} 1`, `# b_gsum gauge ""`, `{} 1`, `# c untyped ""`, `{} 1`)
	f("behind a line that leads the parser astray", "a 1 \n# TYPE  b  gauge\nb 1\n# EOF\n",
		`# a untyped ""`, `{} 1`, `# b gauge ""`, `{} 1`)
	f("a unit of another name", "# UNIT  a  seconds\na 1\n# EOF\n",
		`# a untyped ""`, `{} 1`, `1 bad: line 1: expected metric name after UNIT, got " " ("INVALID") while parsing: "# UNIT  "`)
}

// A page with such lines is a template like others.
func TestMetaLinesInTemplate(t *testing.T) {
	page := "#\tTYPE  a  Gauge \n#HELP a  b\na 1\n"
	var p Page
	p.Parse([]byte(page), textType, ParseLimits{})
	require.NoError(t, p.FirstBad())
	before := p.template
	again := strings.Replace(page, " 1", " 2", 1)
	p.Parse([]byte(again), textType, ParseLimits{})
	require.Same(t, before, p.template)
	requireSamePage(t, &p, []byte(again), textType, ParseLimits{})
}

// The limit on TYPE and HELP lines counts those that the page parser refuses, too.
func TestMetaLinesAreBounded(t *testing.T) {
	var body strings.Builder
	for i := range 5 {
		fmt.Fprintf(&body, "# TYPE  a%d  Gauge\n", i)
	}
	body.WriteString("a 1\n")
	var p Page
	p.Parse([]byte(body.String()), textType, ParseLimits{MetaLines: 3})
	require.Len(t, p.lines, 3)
	require.Equal(t, 2, p.BadLines())
	require.EqualError(t, p.FirstBad(), "line 4: more than 3 TYPE and HELP lines")
}

// FuzzTakeMeta compares takeMeta with the page parser: a line that both accept has the same
// name, type and help.
func FuzzTakeMeta(f *testing.F) {
	for _, line := range []string{"# TYPE a gauge", "# HELP a b \\n\\\\c\\\"", "# HELP \"a.b\" x", "# TYPE \"a\\\"b\" counter",
		"#\tTYPE\ta\tUntyped", "# UNIT a_seconds seconds", "#HELP a", "# HELP a  b "} {
		f.Add([]byte(line), false)
		f.Add([]byte(line), true)
	}
	f.Fuzz(func(t *testing.T, line []byte, openMetrics bool) {
		line = append(bytes.Clone(line), '\n')
		p := Page{format: pageFormat{openMetrics: openMetrics}, buf: line, limits: ParseLimits{}.withDefaults()}
		parser := textparse.NewPromParser(bytes.Clone(line), nil, false)
		if openMetrics {
			parser = textparse.NewOpenMetricsParser(line, nil)
		}
		if !p.takeMeta(line) || len(p.lines) == 0 {
			return
		}
		got := p.lines[0]
		require.True(t, bytes.Contains(line, got.name))
		require.LessOrEqual(t, p.offset(got.name), len(line))
		switch entry, err := parser.Next(); {
		case err != nil:
		case entry == textparse.EntryType:
			name, kind := parser.Type()
			require.Equal(t, string(name), string(got.name))
			require.Equal(t, kind, got.kind)
		case entry == textparse.EntryHelp:
			name, help := parser.Help()
			require.Equal(t, string(name), string(got.name))
			require.Equal(t, string(trimBlanks(help)), string(trimBlanks(got.help)))
			require.Empty(t, got.kind)
		}
	})
}
