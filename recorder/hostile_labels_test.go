package recorder

import (
	"strings"
	"testing"

	"fodc/messages"
)

func TestHostileLabels(t *testing.T) {
	f := outcomes(t, textType)
	f("escapes survive", "a{x=\"q\\\"b\\\\s\\nn,}\"} 1\n",
		`# a untyped ""`, `{x="q\"b\\s\nn,}"} 1`)
	f("unknown escape keeps its backslash", "a{x=\"\\d\"} 1\n",
		`# a untyped ""`, `{x="\\d"} 1`)
	f("UTF-8 names", "# TYPE \"a.b\" gauge\n{\"a.b\",\"c.d\"=\"\u00e9\",z=\"1\"} 1\n",
		`# a.b gauge ""`, `{"c.d"="é",z="1"} 1`)
	f("UTF-8 name anywhere in the braces", "{z=\"1\",\"a.b\"} 1\n",
		`# a.b untyped ""`, `{z="1"} 1`)
	f("quoted name that needs no quotes", "{\"a\",\"b\"=\"1\"} 1\na{b=\"1\"} 2\n",
		`# a untyped ""`, `{b="1"} 1`, `1 duplicate`)
	f("invalid UTF-8 in a value", "a{x=\"\xff\"} 1\nb 2\n",
		`# b untyped ""`, `{} 2`, `1 bad: line 1: invalid UTF-8 label value: "\"\xff\""`)
	f("invalid UTF-8 in a name", "{\"\xff\"} 1\nb 2\n",
		`# b untyped ""`, `{} 2`, `1 rejected: series "{\"\xff\"}": metric name "\xff" is not valid UTF-8`)
	f("same series twice", "a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 2\na{ y = \"2\" , x = \"1\" , } 3\n",
		`# a untyped ""`, `{x="1",y="2"} 1`, `2 duplicate`)
	f("empty value", "b{x=\"\"} 2\nb 3\nb{x=\"1\",y=\"\"} 4\nb{x=\"1\"} 5\n",
		`# b untyped ""`, `{} 2`, `{x="1"} 4`, `2 duplicate`)
	f("one series written in many ways", "b 1\nb{} 2\n{\"b\"} 3\nb {} 4\n{ \"b\" , } 5\nb{x=\"\",} 6\nb\t7\n",
		`# b untyped ""`, `{} 1`, `6 duplicate`)
	f("one text escaped in two ways", "b{x=\"\\d\"} 1\nb{x=\"\\\\d\"} 2\nb{\"x\"=\"\\d\"} 3\n",
		`# b untyped ""`, `{x="\\d"} 1`, `2 duplicate`)
	f("bounds are texts", "b_bucket{le=\"1\"} 1\nb_bucket{le=\"1.0\"} 2\n",
		`# b_bucket untyped ""`, `{le="1"} 1`, `{le="1.0"} 2`)
	f("label name twice", "a{x=\"1\",x=\"2\"} 1\nb 2\n",
		`# b untyped ""`, `{} 2`, `1 rejected: series "a{x=\"1\",x=\"2\"}": label "x" is there twice`)
	f("label name twice, one empty", "a{x=\"\",x=\"2\"} 1\nb 2\n",
		`# b untyped ""`, `{} 2`, `1 rejected: series "a{x=\"\",x=\"2\"}": label "x" is there twice`)
	f("label __name__", "a{__name__=\"b\"} 1\nb 2\n",
		`# b untyped ""`, `{} 2`, `1 rejected: series "a{__name__=\"b\"}": label __name__ is not a label's name on a page`)
	f("empty label name", "a{\"\"=\"b\"} 1\nb 2\n",
		`# b untyped ""`, `{} 2`, `1 rejected: series "a{\"\"=\"b\"}": label name is empty`)
	f("label of a MiB", "a{x=\""+strings.Repeat("y", 1<<20)+"\"} 1\nb 2\n",
		`# b untyped ""`, `{} 2`, `1 rejected: series "a{x=\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy": label "x" of 1048576 bytes...`)
	f("name too long", strings.Repeat("n", messages.MaxNameBytes+1)+" 1\nb 2\n",
		`# b untyped ""`, `{} 2`, `1 rejected: series "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn": metric name of 1025 bytes, ...`)
	f("too many labels", "a{"+manyLabels(messages.MaxSeriesLabels+1)+"} 1\nb 2\n",
		`# b untyped ""`, `{} 2`, `1 rejected: series "a{l0=\"1\",l1=\"1\",l2=\"1\",l3=\"1\",l4=\"1\",l5=\"1\",l6=\"1\",l7=\"1\",l8=\"1\",l9=\"1\",l10=\"1\",l11=\"1\",l12=\"1\",l13=": 1...`)
	f("NUL in a value", "a{x=\"1\x002\"} 1\n",
		`# a untyped ""`, "{x=\"1\x002\"} 1")
	f("NUL in a name", "{\"a\x00b\"} 1\nb 2\n",
		`# b untyped ""`, `{} 2`, `1 bad: line 1: expected label name, got "\"a\x00" ("INVALID") while parsing: "{\"a\x00"`)
	f("no comma between labels", "a{x=\"1\"y=\"2\"} 1\n",
		`# a untyped ""`, `{x="1",y="2"} 1`)
	f("two names", "a{\"b\"} 1\n{\"a\",\"b\"} 2\nc 3\n",
		`# c untyped ""`, `{} 3`, `2 bad: line 1: metric name already set while parsing: "a{\"b\"}"`)
}
