package mask

import (
	"math"
	"slices"
	"strings"
)

// maxValueLines bounds the lines of a value of which the end does not come.
const maxValueLines = 200

// maxBlockMark bounds the mark of a block of YAML, as in "name: |-".
const maxBlockMark = 8

// maxQuotedLines bounds the lines of a value in quotes of which the end does not come: a line of a log may be cut within them.
const maxQuotedLines = 20

// openValue is the value of a secret's name that goes on in the next lines: below the name, as YAML has it, or within brackets.
type openValue struct {
	// left is how many more lines there may be.
	left int
	// depth is how many brackets are open. If there are none, the lines of the value have more blanks before them than indent.
	depth, indent int
	// mark is behind the end of the value if it is known: quotation marks, or that of an element of XML.
	mark string
	// rest is what follows the value in its last line, from the mark on.
	rest string
	// goesOn says that each line of the value but the last one ends with a backslash.
	goesOn bool
	// isWord says that the next line begins with the value if it is not below the name.
	isWord bool
}

// openValueIn returns the value that is open at the end of the line, in which these spans were found.
func openValueIn(line string, found []span, known *knownNames) openValue {
	if depth := openBrackets(line, found); depth > 0 {
		return openValue{left: maxValueLines, depth: depth}
	}
	if v := begunValue(line, found); v.isOpen() {
		return v
	}
	head := strings.TrimRight(withoutComment(line), " \t\r")
	mark := head[skipBack(head, len(head), isQuoteOfText):]
	head = strings.TrimRight(head[:len(head)-len(mark)], " \t")
	end := len(head)
	if end == 0 {
		return openValue{}
	}
	sign, isBlock := end-1, false
	if !isSign(line[sign]) || line[sign] == '>' && !isOpeningTag(line[:end]) {
		if sign, isBlock = signOfBlock(line[:end]); !isBlock {
			return openValue{}
		}
	}
	from, to := nameBefore(line, sign)
	if from == to || known.class(line[from:to], byteBefore(line, from)) != secret {
		return openValue{}
	}
	switch {
	case line[sign] == '>' && !isBlock:
		return openValue{left: maxValueLines, mark: "</"}
	case mark == `"""` || mark == "'''":
		return openValue{left: maxValueLines, mark: mark}
	case mark != "" && mark != `\`:
		return openValue{}
	}
	v := openValue{left: maxValueLines, indent: columnOf(line, from), isWord: !isBlock}
	if !beginsLine(line, from) {
		v.left, v.indent = 1, math.MaxInt // Only a word may follow.
	}
	return v
}

// begunValue returns the value that has begun in a line that is its name, and goes on in the next one: within quotation marks, or behind
// a backslash.
func begunValue(line string, found []span) openValue {
	line = strings.TrimRight(line, " \t\r")
	for _, s := range found {
		sign := skipBack(line, min(s.from, len(line)), isBlank) - 1
		if s.to < len(line) || sign < 0 || !isSign(line[sign]) {
			continue
		}
		if name, to := nameBefore(line, sign); name == to || !beginsLine(line, name) {
			continue
		}
		value := line[s.from:]
		for _, mark := range []string{`"""`, "'''", `"`, "'"} {
			if rest, is := strings.CutPrefix(value, mark); is && len(mark) > 1 && !strings.Contains(rest, mark) {
				return openValue{left: maxValueLines, mark: mark}
			} else if _, closed := endOfMark(rest, mark); is && len(mark) == 1 && !closed {
				return openValue{left: maxQuotedLines, mark: mark}
			} else if is {
				return openValue{}
			}
		}
		if strings.HasSuffix(value, `\`) {
			return openValue{left: maxValueLines, goesOn: true}
		}
	}
	return openValue{}
}

// endOfMark returns the position behind the mark, before which there is no backslash; closed is false if it is not in the text.
func endOfMark(text, mark string) (end int, closed bool) {
	e := endFinder{text: text}
	end = e.ofQuotes(0, mark)
	return end, end >= len(mark) && strings.HasSuffix(text[:end], mark)
}

// withoutComment returns the line without a comment at its end.
func withoutComment(line string) string {
	if comment := strings.LastIndex(line, " #"); comment >= 0 {
		return line[:comment]
	}
	return line
}

// isOpeningTag reports whether the line is nothing but the begin of an element of XML.
func isOpeningTag(line string) bool {
	name, is := strings.CutPrefix(strings.TrimLeft(line, " \t"), "<")
	return is && skip(name, 0, isNameByte) == len(name)-1
}

func isSign(c byte) bool { return c == ':' || c == '=' || c == '>' }

// signOfBlock returns the colon before the mark of a block of YAML at the end of the line, as in "name: |-".
func signOfBlock(line string) (sign int, ok bool) {
	mark := skipBack(line, len(line), isBlockMark)
	if mark == len(line) || mark == 0 || !strings.ContainsAny(line[mark:], "|>") || !isBlank(line[mark-1]) {
		return 0, false
	}
	sign = skipBack(line, mark, isBlank) - 1
	if tag := skipBack(line, sign+1, isNoSpace); tag > 0 && (line[tag] == '!' || line[tag] == '&') {
		sign = skipBack(line, tag, isBlank) - 1
	}
	return sign, sign >= 0 && line[sign] == ':'
}

func isBlockMark(c byte) bool { return c == '|' || c == '>' || c == '-' || c == '+' || isDigit(c) }

func (v *openValue) isOpen() bool { return v.left > 0 }

// takes reports whether the whole line is part of the value. If not, the value has ended, with the first word of the line if isWord.
func (v *openValue) takes(line string) bool {
	v.left--
	isEmpty := strings.TrimSpace(line) == ""
	switch {
	case v.mark != "":
		if end, closed := endOfMark(line, v.mark); closed {
			v.left, v.rest = 0, line[end-len(v.mark):]
		}
		return true
	case v.goesOn:
		if !strings.HasSuffix(line, `\`) {
			v.left = 0
		}
		return true
	case isEmpty:
		return true
	case v.depth > 0:
		if v.depth += bracketsOf(line); v.depth <= 0 {
			v.left = 0
		}
		return true
	case isBelow(line, v.indent):
		v.isWord = false
		return true
	}
	v.left = 0
	return false
}

// bracketsOf returns how many more brackets are opened than closed in the text.
func bracketsOf(text string) (n int) {
	for i := range len(text) {
		switch text[i] {
		case '[', '{':
			n++
		case ']', '}':
			n--
		}
	}
	return n
}

// openBrackets returns how many brackets are open at the end of the line in the values that begin with one and have no end, 0 if there
// are none. Each part of the line is read once.
func openBrackets(line string, found []span) (open int) {
	var begins []int
	for _, s := range found {
		if s.from < s.to && s.to == len(line) && (line[s.from] == '[' || line[s.from] == '{') {
			begins = append(begins, s.from)
		}
	}
	slices.Sort(begins)
	depth, end := 0, len(line)
	for _, from := range slices.Backward(begins) {
		depth += bracketsOf(line[from:end])
		open, end = max(open, depth), from
	}
	return open
}

// indentOf returns how many blanks the line begins with.
func indentOf(line string) int { return skip(line, 0, isBlank) }

// columnOf returns how many bytes there are before a name that begins its line. A quotation mark and the dash of an item are not part
// of the name.
func columnOf(text string, name int) int {
	name = skipBack(text, name, isQuote)
	return name - skipBack(text, name, isBeforeName)
}

// isBelow reports whether the line belongs to the value of a name with so many blanks before it: it has more of them, or is an
// item of a list.
func isBelow(line string, indent int) bool {
	own := indentOf(line)
	return own > indent || own == indent && strings.HasPrefix(line[own:], "- ")
}

// beginsLine reports whether there are only blanks, quotes and the dash of an item before the position in its line.
func beginsLine(text string, i int) bool {
	i = skipBack(text, i, isBeforeName)
	return i == 0 || text[i-1] == '\n' || text[i-1] == '\r'
}

func isBeforeName(c byte) bool { return isBlank(c) || c == '-' || c == '"' || c == '\'' }

// ofBlock returns the end of the value that begins below its name, or behind the mark of a block in the line of its name. ok is
// false if there is no such value.
func (e *endFinder) ofBlock(name, sign, from int) (end int, ok bool) {
	line := e.ofLine(sign)
	if from < line && !isBeforeBlock(e.text[from:line]) || !beginsLine(e.text, name) {
		return 0, false
	}
	if sign < e.block.to && sign >= e.block.from {
		return e.block.to, true
	}
	indent := columnOf(e.text, name)
	end = line
	for next := line; ; next = e.ofLine(next) {
		next = skip(e.text, next, isLineEnd)
		if next == len(e.text) {
			break
		}
		text := e.text[next:e.ofLine(next)]
		if isEmpty := strings.TrimSpace(text) == ""; !isEmpty && !isBelow(text, indent) {
			break
		} else if !isEmpty {
			end = next + len(text)
		}
	}
	if end > line {
		e.block = span{sign, end}
	}
	return end, end > line
}

// isBeforeBlock reports whether nothing of the value is in the line of its name: no more than a tag, an anchor, the mark of a block, a
// comment, or the backslash behind which it goes on.
func isBeforeBlock(head string) bool {
	if len(head) > maxHeadBytes {
		return false
	}
	for head != "" && (head[0] == '!' || head[0] == '&') {
		_, head, _ = strings.Cut(head, " ")
		head = strings.TrimLeft(head, " \t")
	}
	head = strings.TrimSpace(withoutComment(" " + head))
	return head == `\` || len(head) <= maxBlockMark && skip(head, 0, isBlockMark) == len(head)
}

// maxHeadBytes bounds what may be in the line of a name whose value is below.
const maxHeadBytes = 128

// ofContinued returns the end of a value that ends its line at the position, and goes on in the next one if there is a backslash before that.
func (e *endFinder) ofContinued(i int) int {
	if i >= e.continued.from && i < e.continued.to {
		return e.continued.to
	}
	e.continued.from = i
	for i > 0 && e.text[i-1] == '\\' && i < len(e.text) && isLineEnd(e.text[i]) {
		next := skip(e.text, i, isLineEnd)
		if next == len(e.text) {
			break
		}
		i = e.ofLine(next)
	}
	e.continued.to = i
	return i
}

func isLineEnd(c byte) bool { return c == '\r' || c == '\n' }
