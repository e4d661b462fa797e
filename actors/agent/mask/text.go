package mask

import (
	"cmp"
	"slices"
	"strings"
)

// span is the part text[from:to] of a text.
type span struct{ from, to int }

// maxNesting is how many levels of encoding are decoded.
const maxNesting = 2

// Text masks the secrets in a text that has no name: passwords in URLs, private keys, tokens,
// name=value where the name is that of a secret. In doubt it masks.
func Text(text string) string { return replace(text, findAll(text, maxNesting, nil)) }

// findAll returns the spans of all rules that do not need the name of the text. known may be nil.
func findAll(text string, nesting int, known *knownNames) []span {
	found := findBlocks(text, nil)
	found = findUserinfo(text, found)
	found = findShapes(text, found)
	found = findNamed(text, found, known)
	found = findSchemes(text, found)
	found = findPgpass(text, found)
	found = findEscaped(text, found, nesting, known)
	if nesting > 0 {
		found = findEncoded(text, found, nesting, known)
	}
	return found
}

// replace puts a Mark in the place of each span. Spans that overlap or touch get one.
func replace(text string, found []span) string {
	if len(found) == 0 {
		return text
	}
	slices.SortFunc(found, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var b strings.Builder
	done := 0
	for i := 0; i < len(found); {
		s := found[i]
		for i++; i < len(found) && found[i].from <= s.to; i++ {
			s.to = max(s.to, found[i].to)
		}
		b.WriteString(text[done:s.from])
		b.WriteString(Mark)
		done = s.to
	}
	b.WriteString(text[done:])
	return b.String()
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isLower(c byte) bool { return c >= 'a' && c <= 'z' }
func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isAlnum(c byte) bool { return alnumChars[c] }

// skip returns the first position from i on whose byte does not match.
func skip(text string, i int, is func(byte) bool) int {
	for i < len(text) && is(text[i]) {
		i++
	}
	return i
}

// skipIn is skip for a set of bytes, which is several times faster than a function: whole texts are skipped so.
func skipIn(text string, i int, set *charset) int {
	for i < len(text) && set[text[i]] {
		i++
	}
	return i
}

// skipBack returns the position behind the last byte before i that does not match.
func skipBack(text string, i int, is func(byte) bool) int {
	for i > 0 && is(text[i-1]) {
		i--
	}
	return i
}
