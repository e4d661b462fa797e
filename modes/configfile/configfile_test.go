package configfile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var keys = map[string]Kind{"text": Text, "bool": Bool, "number": Number, "texts": Texts, "numbers": Numbers, "pairs": Pairs}

func TestSettings(t *testing.T) {
	f := func(content string, want map[string]Setting) {
		t.Helper()
		got, problems := Parse([]byte(content), keys)
		require.Empty(t, problems, content)
		require.Equal(t, want, got, content)
	}
	one := func(line int, texts ...string) Setting {
		s := Setting{Line: line, Values: []Value{}}
		for _, text := range texts {
			s.Values = append(s.Values, Value{text, line})
		}
		return s
	}
	none := map[string]Setting{}
	f("", none)
	f("# nothing\n", none)
	f("---\n...\n", none)
	f("{}", none)
	f("\ufefftext: a\n", map[string]Setting{"text": one(1, "a")})
	f("---\n# a text\ntext: \"a b\"\nbool: true # yes\nnumber: -5\n", map[string]Setting{"text": one(3, "a b"), "bool": one(4, "true"), "number": one(5, "-5")})
	// A text is as it is written, whatever YAML takes it for.
	for text, want := range map[string]string{"1.3": "1.3", "007": "007", "yes": "yes", "off": "off", "true": "true", "1e3": "1e3", "2026-01-02": "2026-01-02", `""`: "", "'a: b'": "a: b", "5%": "5%", ":17900": ":17900", "a:1": "a:1"} {
		f("text: "+text, map[string]Setting{"text": one(1, want)})
	}
	f("texts: [a, \"b c\", 1]\nnumbers: [1, 2]", map[string]Setting{"texts": one(1, "a", "b c", "1"), "numbers": one(2, "1", "2")})
	f("texts: a\nnumbers: 1\npairs: a=b,c=d", map[string]Setting{"texts": one(1, "a"), "numbers": one(2, "1"), "pairs": one(3, "a=b,c=d")})
	f("texts: []", map[string]Setting{"texts": one(1)})
	f("texts:\n- a\n- b\n", map[string]Setting{"texts": {1, []Value{{"a", 2}, {"b", 3}}}})
	f("pairs:\n  a: 1\n  b: \"x=y\"\n", map[string]Setting{"pairs": {1, []Value{{"a=1", 2}, {"b=x=y", 3}}}})
	f("pairs: [a=b, c=d]", map[string]Setting{"pairs": one(1, "a=b", "c=d")})
}

func TestProblems(t *testing.T) {
	f := func(content string, want ...string) {
		t.Helper()
		_, problems := Parse([]byte(content), keys)
		var got []string
		for _, p := range problems {
			value := ""
			if p.Value != nil {
				value = fmt.Sprintf(" %q", *p.Value)
			}
			got = append(got, fmt.Sprintf("%d: %s%s: %s", p.Line, p.Key, value, p.Text))
			require.Equal(t, strings.Contains(p.Text, "is unknown"), p.Unknown)
			require.NotContains(t, p.Text, "hunter")
		}
		require.Equal(t, want, got, content)
	}
	f("text: a\nother: hunter2\n\nthird: 1\n", "2: other: is unknown", "4: third: is unknown")
	f("<<: {text: a}", "1: <<: is unknown")
	f("text: a\nbool: true\ntext: b\n", "3: text: is there twice: it is in line 1, too")
	f("text:\n", `1: text: has no value: remove it, or write "" for an empty text`)
	f("texts: [a, ~]\n", `1: texts: has no value: remove it, or write "" for an empty text`)
	f("text: [hunter2]", "1: text: must be one value, and is a list")
	f("text: {hunter2: hunter2}", "1: text: must be one value, and is a mapping")
	f("texts:\n- {a: b}", "2: texts: must be a list of texts, or one text, and has a mapping")
	f("texts: {a: b}", "1: texts: must be a list of texts, or one text, and is a mapping")
	f("bool: yes\nnumber: 1.5", `1: bool "yes": must be true or false, without quotes`, `2: number "1.5": must be a whole number, without quotes`)
	f("bool: \"true\"\nnumber: \"1\"\nnumbers: [1, x]", `1: bool "true": must be true or false, without quotes`, `2: number "1": must be a whole number, without quotes`,
		`3: numbers "x": must be a list of whole numbers without quotes, or one of them`)
	f("pairs: {a: \"b,c=d\"}", `1: pairs "b,c=d": must have no comma, and a name no =`)
	f("pairs: {a=b: c}", `1: pairs "a=b": must have no comma, and a name no =`)
	f("pairs:\n  a: 1\n  a: 2\n", `3: pairs "a": is there twice: each name is allowed once`)
	f("pairs: {a: [b]}", "1: pairs: must be a mapping of names to texts, or a list of NAME=TEXT, and has a list")
	f("- text: a", "1: : the file must be a mapping, with lines such as KEY: VALUE, and is a list")
	f("hunter2", "1: : the file must be a mapping, with lines such as KEY: VALUE, and is one value")
	f("text: a\n---\ntext: b\n", "2: : the file has a second document: only one is allowed")
	f("? [hunter2]\n: a\n", "1: : a key must be a text")
	f("text: \xff", "1: : the file is not in UTF-8")
	f("text: a\ntexts: [\xe4]", "2: : the file is not in UTF-8")
	f("\xff\xfet\x00:\x00 \x00a\x00", "1: : the file is not in UTF-8")
	f(strings.Repeat("#", MaxBytes+1), "0: : the file has more than 262144 bytes")
	f("texts: ["+strings.Repeat("a,", MaxValues+1)+"]", "1: texts: has more than 1000 values")
	// Passwords that begin like a part of YAML are not shown.
	f("text: *hunter2", "0: : a value begins with *, which is that of an alias: put it in quotes")
	f("text: &hunter2 a", "1: text: must be one value, and has an anchor: put it in quotes if it begins with &")
	f("text: !hunter2 a", "1: text: must be one value, and has a tag: put it in quotes if it begins with !")
	f("texts: !hunter2 [a]", "1: texts: must be a list of texts, or one text, and has a tag: put it in quotes if it begins with !")
	f("pairs: &hunter2 {a: b}", "1: pairs: must be a mapping of names to texts, or a list of NAME=TEXT, and has an anchor: put it in quotes if it begins with &")
	f("&a text: b\ntexts: *a", "1: : a key must be a text, and has an anchor: put it in quotes if it begins with &",
		"2: texts: must be a list of texts, or one text, and is an alias: write the value, in quotes if it begins with *")
}

// Each error of YAML has its line where YAML knows it, and quotes nothing.
func TestSyntax(t *testing.T) {
	for _, content := range []string{"text: \"hunter2", "text: a\n\thunter2: b", "text: hunter2: b", "[hunter2", "text: @hunter2", "text: `hunter2`", "text: %hunter2", "{hunter2", "text: a\n b: !<hunter2",
		"text: !h!hunter2 a", "text: \x01hunter2", "text: \"\\hunter2\"", "text: |hunter2\n a", "text: a\n---\ntext: \"hunter2"} {
		settings, problems := Parse([]byte(content), keys)
		require.Len(t, problems, 1, content)
		require.Empty(t, settings)
		require.NotContains(t, problems[0].Text, "hunter2", content)
		require.Contains(t, problems[0].Text, "the file is not valid YAML: ", content)
	}
}

// Aliases that stand for a great many values are not followed.
func TestBombs(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 20 {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	_, problems := Parse([]byte(b.String()), keys)
	require.Len(t, problems, MaxProblems)
	for _, content := range []string{strings.Repeat("[", MaxBytes), strings.Repeat("{", MaxBytes), strings.Repeat("- ", MaxBytes/2), strings.Repeat("? ", MaxBytes/2), "text: &a [*a]"} {
		_, problems = Parse([]byte(content), keys)
		require.NotEmpty(t, problems)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "text: a\nbool: true\nnumber: 1\n", "texts: [a, b]\nnumbers: [1]\npairs: {a: b}\n", "text: &a b\ntexts: *a", "---\n...\n---\n", "? a\n: b", "text: !!binary aGk=", "text: |\n  a\n  b\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		settings, problems := Parse(content, keys)
		require.LessOrEqual(t, len(problems), MaxProblems)
		for key, s := range settings {
			kind, known := keys[key]
			require.True(t, known)
			require.Positive(t, s.Line)
			require.LessOrEqual(t, len(s.Values), MaxValues)
			if kind == Text || kind == Bool || kind == Number {
				require.Len(t, s.Values, 1)
			}
			for _, v := range s.Values {
				require.GreaterOrEqual(t, v.Line, s.Line)
			}
		}
		for _, p := range problems {
			require.NotEmpty(t, p.Text)
			require.False(t, p.Unknown && p.Key != "" && func() bool { _, known := keys[p.Key]; return known }())
		}
	})
}
