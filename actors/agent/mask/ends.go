package mask

import "strings"

// endFinder finds the ends of words, lines and brackets in a text. It remembers the last
// result, so that many searches in one long line take no more time than one.
type endFinder struct {
	text       string
	word, line span
	// block has the last value of several lines, from its sign.
	block span
	// continued has the last lines that end with a backslash, and the one behind them.
	continued span
	// around is the last punctuation at the end of a value.
	around span
	// brackets maps the position of each closed bracket to its end; nil until it is needed.
	brackets map[int]int
}

func (e *endFinder) ofWord(i int) int {
	if i < e.word.from || i >= e.word.to {
		e.word = span{i, skip(e.text, i, isNoSpace)}
	}
	return e.word.to
}

func (e *endFinder) ofLine(i int) int {
	if i < e.line.from || i >= e.line.to {
		e.line = span{i, len(e.text)}
		if end := strings.IndexAny(e.text[i:], "\r\n"); end >= 0 {
			e.line.to = i + end
		}
	}
	return e.line.to
}

// ofBrackets returns the end of the list or object that begins at the position: behind the
// closing bracket, or at the end of the text.
func (e *endFinder) ofBrackets(i int) int {
	if e.brackets == nil {
		e.brackets = map[int]int{}
		var open []int
		for at := range len(e.text) {
			switch e.text[at] {
			case '{', '[':
				open = append(open, at)
			case '}', ']':
				if last := len(open) - 1; last >= 0 {
					e.brackets[open[last]] = at + 1
					open = open[:last]
				}
			}
		}
	}
	if end, closed := e.brackets[i]; closed {
		return end
	}
	return len(e.text)
}

// ofQuotes returns the position behind the next quotation mark that is not escaped, or the
// end of the line.
func (e *endFinder) ofQuotes(i int, mark string) int {
	for from := i; ; {
		at := strings.Index(e.text[from:], mark)
		if at < 0 {
			return e.ofLine(i)
		}
		at += from
		if escapes := at - skipBack(e.text[i:], at-i, func(c byte) bool { return c == '\\' }) - i; escapes%2 == 0 {
			return at + len(mark)
		}
		from = at + len(mark)
	}
}

// ofValue returns the end of the value at the position: of a quoted text, of a list, of an
// object, or else of the word.
func (e *endFinder) ofValue(i int) int {
	for _, mark := range []string{`"""`, "'''"} {
		if strings.HasPrefix(e.text[i:], mark) {
			if end := strings.Index(e.text[i+len(mark):], mark); end >= 0 {
				return i + len(mark) + end + len(mark)
			}
			return len(e.text)
		}
	}
	escapes := skip(e.text, i, func(c byte) bool { return c == '\\' })
	if escapes < len(e.text) && (e.text[escapes] == '"' || e.text[escapes] == '\'') {
		return e.ofQuotes(escapes+1, e.text[i:escapes+1])
	}
	if end, ok := e.ofLiteral(i); ok {
		return end
	}
	if e.text[i] == '{' || e.text[i] == '[' {
		return e.ofBrackets(i)
	}
	return e.ofWord(i)
}

// maxTypeBytes bounds the type of a value in Go.
const maxTypeBytes = 128

// ofLiteral returns the end of a value of Go that begins with its type, as in []string{"a", "b"}; ok is false if it is none.
func (e *endFinder) ofLiteral(i int) (end int, ok bool) {
	open := skipIn(e.text[:min(len(e.text), i+maxTypeBytes)], i, typeChars)
	if open == i || open == len(e.text) || e.text[open] != '{' {
		return 0, false
	}
	end = e.ofBrackets(open)
	return end, e.text[end-1] == '}'
}

var typeChars = charsetOf(digits + lowers + capital + "_.*&[]/")

// trimmed is trimValue for a value of the text. Many values may end in the same punctuation.
func (e *endFinder) trimmed(s span) string {
	if s.to <= e.around.from || s.to > e.around.to {
		e.around = span{skipBack(e.text, s.to, isAroundValue), skipIn(e.text, s.to, aroundValueChars)}
	}
	to := max(s.from, min(s.to, e.around.from))
	return e.text[skipIn(e.text[:to], s.from, aroundValueChars):to]
}

func isAroundValue(b byte) bool { return aroundValueChars[b] }
