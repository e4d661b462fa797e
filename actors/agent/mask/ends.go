package mask

import "strings"

// ends finds where words, lines and brackets of a text end. It remembers the last answer,
// so that asking from each place of a long line takes no more than reading the line once.
type ends struct {
	text       string
	word, line span
	// brackets has the end of each closed bracket by its begin; nil until it is asked for.
	brackets map[int]int
}

func (e *ends) ofWord(i int) int {
	if i < e.word.from || i >= e.word.to {
		e.word = span{i, skip(e.text, i, isNoSpace)}
	}
	return e.word.to
}

func (e *ends) ofLine(i int) int {
	if i < e.line.from || i >= e.line.to {
		e.line = span{i, len(e.text)}
		if end := strings.IndexAny(e.text[i:], "\r\n"); end >= 0 {
			e.line.to = i + end
		}
	}
	return e.line.to
}

// ofBrackets returns the place behind the bracket that closes the one at the place, or
// else the end of the text.
func (e *ends) ofBrackets(i int) int {
	if e.brackets == nil {
		e.brackets = map[int]int{}
		var open []int
		for at := i; at < len(e.text); at++ {
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

// ofQuotes returns the place behind the next such quotation mark from i on that is not
// escaped, or else the end of the line.
func (e *ends) ofQuotes(i int, mark string) int {
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

// ofValue returns the end of the value at the place: of a quoted one, of a list, of an
// object, or of the word.
func (e *ends) ofValue(i int) int {
	escapes := skip(e.text, i, func(c byte) bool { return c == '\\' })
	if escapes < len(e.text) && (e.text[escapes] == '"' || e.text[escapes] == '\'') {
		return e.ofQuotes(escapes+1, e.text[i:escapes+1])
	}
	if e.text[i] == '{' || e.text[i] == '[' {
		return e.ofBrackets(i)
	}
	return e.ofWord(i)
}
