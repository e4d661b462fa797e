package recorder

import (
	"strings"
	"testing"

	"fodc/messages"
)

func TestHostileFamilies(t *testing.T) {
	f := outcomes(t, textType)
	f("truncated TYPE", "a 1\n# TYPE b gau",
		`# a untyped ""`, `{} 1`, `1 bad: line 2: invalid metric type "gau"`)
	f("split family", "# TYPE a counter\na{x=\"1\"} 1\nb 2\na{x=\"2\"} 3\n",
		`# a counter ""`, `{x="1"} 1`, `{x="2"} 3`, `# b untyped ""`, `{} 2`)
	f("two TYPE lines, the first counts", "# TYPE a counter\na 1\n# TYPE a gauge\n",
		`# a counter ""`, `{} 1`)
	f("two HELP lines, the first counts", "# HELP a one\na 1\n# HELP a two\n",
		`# a untyped "one"`, `{} 1`)
	f("TYPE behind the samples", "a_bucket{le=\"1\"} 1\na_sum 2\na_count 3\n# TYPE a histogram\n# HELP a late\n",
		`# a histogram "late"`, `_bucket{le="1"} 1`, `_sum{} 2`, `_count{} 3`)
	f("unknown TYPE", "# TYPE a thing\na 1\n",
		`# a untyped ""`, `{} 1`, `1 bad: line 1: invalid metric type "thing"`)
	f("HELP unescaped", "# HELP a one\\ntwo \\\\ \\q \"\na 1\n",
		`# a untyped "one\ntwo \\ \\q \""`, `{} 1`)
	f("HELP without text, TYPE untyped", "# HELP a\n# TYPE a untyped\na 1\n",
		`# a untyped ""`, `{} 1`)
	f("HELP with invalid UTF-8", "# HELP a \xff\na 1\n",
		`# a untyped ""`, `{} 1`, `1 bad: line 1: help text "\xff" is not a valid utf8 string`)
	f("HELP too long", "# HELP a "+strings.Repeat("x", messages.MaxHelpBytes+1)+"\na 1\n",
		`# a untyped ""`, `{} 1`, `1 bad: line 1: help of 32769 bytes, at most 32768 are allowed`)
	f("gauges that end like histograms", "# TYPE a_count gauge\na_count 1\n# TYPE a_total gauge\na_total 2\n# TYPE a histogram\na_sum 3\n",
		`# a histogram ""`, `_sum{} 3`, `# a_count gauge ""`, `{} 1`, `# a_total gauge ""`, `{} 2`)
	f("histogram without +Inf, bounds as they are", "# TYPE a histogram\na_count 3\na_bucket{le=\"10\"} 2\na_bucket{le=\"2.50\"} 1\na_sum 4\na 5\n",
		`# a histogram ""`, `{} 5`, `_bucket{le="2.50"} 1`, `_bucket{le="10"} 2`, `_sum{} 4`, `_count{} 3`)
	f("histogram in order", "# TYPE a histogram\na_bucket{le=\"+Inf\",x=\"1\"} 2\na_bucket{le=\"1e1\",x=\"1\"} 1\na_sum{x=\"1\"} 4\na_bucket{le=\"9\",x=\"2\"} 1\na_count{x=\"1\"} 2\n",
		`# a histogram ""`, `_bucket{le="1e1",x="1"} 1`, `_bucket{le="+Inf",x="1"} 2`, `_sum{x="1"} 4`, `_count{x="1"} 2`, `_bucket{le="9",x="2"} 1`)
	f("summary in order", "# TYPE a summary\na_count 3\na_sum 4\na{quantile=\"0.99\"} 2\na{quantile=\"0.5\"} 1\na_bucket 1\n",
		`# a summary ""`, `{quantile="0.5"} 1`, `{quantile="0.99"} 2`, `_sum{} 4`, `_count{} 3`, `# a_bucket untyped ""`, `{} 1`)
	f("VictoriaMetrics buckets", "# TYPE a histogram\na_bucket{vmrange=\"1...2\"} 2\na_sum 1\n",
		`# a histogram ""`, `_sum{} 1`, `_bucket{vmrange="1...2"} 2`)
}

func TestHostileOpenMetrics(t *testing.T) {
	f := outcomes(t, openType)
	f("counter", "# TYPE a counter\n# HELP a help\n# UNIT a \na_total{x=\"1\"} 1\na_created{x=\"1\"} 2\n# EOF\n",
		`# a_created gauge "help"`, `{x="1"} 2`, `# a_total counter "help"`, `{x="1"} 1`)
	f("histogram with exemplar and timestamp", "# TYPE a histogram\na_bucket{le=\"1.0\"} 1 1.5 # {id=\"x\"} 0.5 2\na_bucket{le=\"+Inf\"} 2\na_sum 3\na_count 2\na_created 4\n# EOF\n",
		`# a histogram ""`, `_bucket{le="1.0"} 1`, `_bucket{le="+Inf"} 2`, `_sum{} 3`, `_count{} 2`, `# a_created gauge ""`, `{} 4`)
	f("info, stateset, gaugehistogram, unknown", "# TYPE a info\na_info{v=\"1\"} 1\n# TYPE b stateset\nb{b=\"x\"} 1\n# TYPE c gaugehistogram\nc_bucket{le=\"+Inf\"} 1\nc_gsum 2\nc_gcount 1\n# TYPE d unknown\nd 3\n# EOF\n",
		`# a_info gauge ""`, `{v="1"} 1`, `# b gauge ""`, `{b="x"} 1`, `# c_bucket gauge ""`, `{le="+Inf"} 1`, `# c_gcount gauge ""`, `{} 1`, `# c_gsum gauge ""`, `{} 2`, `# d untyped ""`, `{} 3`)
	f("no EOF", "a 1\nb 2\n",
		`# a untyped ""`, `{} 1`, `# b untyped ""`, `{} 2`, `1 bad: line 3: data does not end with # EOF`)
	f("no EOF, truncated", "a 1\nb 2",
		`# a untyped ""`, `{} 1`, `2 bad: line 2: data does not end with # EOF`)
	f("data behind EOF", "a 1\n# EOF\nb 2\n",
		`# a untyped ""`, `{} 1`, `1 bad: line 2: unexpected data after # EOF`)
	f("blanks behind the value", "a 1\nb 2 \nc 3\n# EOF\n",
		`# a untyped ""`, `{} 1`, `# c untyped ""`, `{} 3`, `1 bad: line 2: text behind the value`)
	f("blanks behind the last value", "a 1 \n# EOF\n",
		`1 bad: line 1: text behind the value`, `unusable: page without a single sample: line 1: text behind the value`)
	f("blank line", "a 1\n\nb 2\n# EOF\n",
		`# a untyped ""`, `{} 1`, `# b untyped ""`, `{} 2`, `1 bad: line 2: expected a valid start token, got "\n" ("INVALID") while parsing: "\n"`)
	f("bad line", "a 1\nb\nc 3\n# EOF",
		`# a untyped ""`, `{} 1`, `# c untyped ""`, `{} 3`, `1 bad: line 2: expected value after metric, got "\n" ("INVALID") while parsing: "b\n"`)
	f("empty", "",
		`1 bad: line 1: data does not end with # EOF`, `unusable: page without a single sample: the body is empty`)
	f("CR LF", "a 1\r\n# EOF\r\n",
		`# a untyped ""`, `{} 1`)
}
