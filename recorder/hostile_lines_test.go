package recorder

import (
	"strings"
	"testing"
)

func TestHostileValues(t *testing.T) {
	f := outcomes(t, textType)
	f("NaN and infinities", "a NaN\nb +Inf\nc -Inf\nd nan\ne inf\n",
		`# a untyped ""`, `{} NaN`, `# b untyped ""`, `{} +Inf`, `# c untyped ""`, `{} -Inf`, `# d untyped ""`, `{} NaN`, `# e untyped ""`, `{} +Inf`)
	f("hex float, underscore", "a 0x1p-2\nb 1_0\nc 1\n",
		`# c untyped ""`, `{} 1`, `2 bad: line 1: unsupported character in float while parsing: "a 0x1p-2"`)
	f("overflow", "a 1e999\nb 1\n",
		`# b untyped ""`, `{} 1`, `1 bad: line 1: strconv.ParseFloat: parsing "1e999": value out of range while parsing: "a 1e999"`)
	f("negative zero, subnormal", "a -0\nb 5e-324\n",
		`# a untyped ""`, `{} -0`, `# b untyped ""`, `{} 5e-324`)
	f("timestamps are dropped", "a 1 1700000000000\nb 2 -5\nc 3 0\n",
		`# a untyped ""`, `{} 1`, `# c untyped ""`, `{} 3`, `1 bad: line 2: expected timestamp or new record, got "-" ("INVALID") while parsing: "b 2 -"`)
	f("exemplar in text", "a_bucket{le=\"1\"} 1 # {trace_id=\"x\"} 0.5\nb 2\n",
		`# b untyped ""`, `{} 2`, `1 bad: line 1: expected timestamp or new record, got "#" ("INVALID") while parsing: "a_bucket{le=\"1\"} 1 #"`)
}

func TestHostileLines(t *testing.T) {
	f := outcomes(t, textType)
	f("CR LF", "# TYPE a counter\r\na{x=\"1\"} 1\r\n\r\nb 2\r\n",
		`# a counter ""`, `{x="1"} 1`, `# b untyped ""`, `{} 2`)
	f("CR in a value stays", "a{x=\"1\r2\"} 1\n",
		`# a untyped ""`, "{x=\"1\r2\"} 1")
	f("CR alone ends no line", "a 1\rb 2\r",
		`1 bad: line 1: strconv.ParseFloat: parsing "1\rb": invalid syntax while parsing: "a 1\rb"`, `unusable: page without a single sample: line 1: strconv.ParseFloat: parsing "1\rb": invalid syntax while parsing: "a 1\rb"`)
	f("CR at the end", "a 1\nb 2\r",
		`# a untyped ""`, `{} 1`, `# b untyped ""`, `{} 2`)
	f("no newline at the end", "a 1\nb 2",
		`# a untyped ""`, `{} 1`, `# b untyped ""`, `{} 2`)
	f("truncated in the labels", "a 1\nb{x=\"1\",y=\"",
		`# a untyped ""`, `{} 1`, `1 bad: line 2: expected label value, got "\"\n" ("INVALID") while parsing: "b{x=\"1\",y=\"\n"`)
	f("truncated before the value", "a 1\nb{x=\"1\"}",
		`# a untyped ""`, `{} 1`, `1 bad: line 2: expected value after metric, got "\n" ("INVALID") while parsing: "b{x=\"1\"}\n"`)
	f("empty", "")
	f("blanks only", "\n \n\t\n")
	f("comments only", "# hello\n#\n#TYPE\n# HELP\n")
	f("blank lines and indentation", "\n\n  a 1\n\t\nb\t2 \n",
		`# a untyped ""`, `{} 1`, `# b untyped ""`, `{} 2`)
	f("raw newline in a value", "a{x=\"1\n2\"} 1\nb 2\n",
		`# b untyped ""`, `{} 2`, `2 bad: line 1: raw newline in a label value or name`)
	f("quote never closed", "a{x=\"1} 1\nb{y=\"2\"} 2\nc 3\n",
		`# b untyped ""`, `{y="2"} 2`, `# c untyped ""`, `{} 3`, `1 bad: line 1: expected label name, got "2" ("INVALID") while parsing: "a{x=\"1} 1\nb{y=\"2"`)
	f("NUL at the start of a line", "a 1\n\x00\nb 2\n",
		`# a untyped ""`, `{} 1`, `# b untyped ""`, `{} 2`, `1 bad: line 2: NUL byte outside of a label value`)
	f("NUL in a comment", "#x\x00y\na 1\n",
		`# a untyped ""`, `{} 1`, `1 bad: line 1: NUL byte outside of a label value`)
	f("garbage between", "a 1\n<<<\nb 2\n{}\n}\nc 3\n= 4\n",
		`# a untyped ""`, `{} 1`, `# b untyped ""`, `{} 2`, `# c untyped ""`, `{} 3`, `4 bad: line 2: expected a valid start token, got "<" ("INVALID") while parsing: "<"`)
}

func TestHostilePagesAsAWhole(t *testing.T) {
	f := outcomes(t, textType)
	f("too many bad lines", "a 1\n!\n!\n!\n!\n!\n!\n",
		`6 bad: line 2: expected a valid start token, got "!" ("INVALID") while parsing: "!"`, `unusable: page with more than 5 bad lines, the first: line 2: expected a valid start token, got "!" ("INVALID") while parsing: "!"`)
	f("too many samples", strings.Repeat("a 1\n", 51),
		`unusable: page with too many samples: more than 50, at most 50 are allowed (--max-page-samples)`)
	f("HTML", "<!DOCTYPE html>\n<html><body>\n<h1>502</h1>\n</body></html>\n",
		`4 bad: line 1: expected a valid start token, got "<" ("INVALID") while parsing: "<"`, `unusable: page without a single sample: the body is HTML`)
	f("binary", "\x1f\x8b\x08\x00\x00\x00\x00\x00",
		`unusable: the body is gzip, but Content-Encoding does not say so`)
}
