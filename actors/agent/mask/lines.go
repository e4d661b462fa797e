package mask

import "strings"

// Lines masks the lines of a text one by one, as they come. A secret of several lines is one, too: a private key, a value
// below its name. The zero value is ready.
type Lines struct {
	// left is how many more lines the private key may have that has begun; 0: none has. endOf finds its end.
	left  int
	endOf func(text string, from int) (end int, closed bool)
	value openValue
	// name is the last line if it may be the name of a value in the next line: "name: PASSWORD", "- --password".
	name  string
	known knownNames
}

const (
	// maxKeyLines bounds the lines of a private key of which the end does not come.
	maxKeyLines = 200
	// minKeyLine is from how many characters on a line may be one of a key whose beginning is not there.
	minKeyLine = 40
)

// Line returns a line, which has no line end, without the secrets in it.
func (l *Lines) Line(line string) string {
	if l.left > 0 {
		return l.inKey(line)
	}
	isFirstWord := false
	if l.value.isOpen() {
		takes := l.value.takes(line)
		switch isEmpty := strings.TrimSpace(line) == ""; {
		case takes && isEmpty:
			return line
		case takes:
			return Mark + Text(l.value.rest)
		}
		isFirstWord = l.value.isWord
	}
	l.beginKey(line)
	if isKeyLine(line) {
		return Mark
	}
	found := findAll(line, maxNesting, &l.known)
	if isFirstWord {
		from := indentOf(line)
		found = append(found, span{from, (&endFinder{text: line}).ofValue(from)})
	}
	if l.name != "" && (firstWordIs(line, "value") || isArgument(l.name)) {
		found = append(found, l.below(line)...)
	}
	l.name = ""
	if len(line) <= maxNameDistance && (isArgument(line) || firstWordIs(line, "name") || firstWordIs(line, "key") || firstWordIs(line, "header")) {
		l.name = line
	}
	l.value = openValueIn(line, found, &l.known)
	return replace(line, found)
}

// below returns the spans that are in the line because of the name in the last line.
func (l *Lines) below(line string) (found []span) {
	before := len(l.name) + 1
	for _, s := range findNamed(l.name+"\n"+line, nil, &l.known) {
		if s.from >= before {
			found = append(found, span{s.from - before, s.to - before})
		}
	}
	return found
}

// isArgument reports whether the line is a flag in a list in YAML or JSON, each item of which is a line.
func isArgument(line string) bool {
	line = strings.TrimLeft(line, " \t")
	item, isItem := strings.CutPrefix(line, "- ")
	flag := strings.TrimLeft(item, " \t\"'")
	return (isItem || flag != item) && len(flag) > len("-") && flag[0] == '-' && !strings.ContainsAny(flag, " \t=")
}

// firstWordIs reports whether the line begins with the word, in small letters, behind blanks, quotes and the dash of an item.
func firstWordIs(line, word string) bool {
	i := skip(line, 0, isBeforeName)
	return strings.HasPrefix(line[i:], word) && (i+len(word) == len(line) || !isAlnum(line[i+len(word)]))
}

// inKey returns a line of a private key, which may end in it.
func (l *Lines) inKey(line string) string {
	end, closed := l.endOf(line, 0)
	if !closed {
		l.left--
		return Mark
	}
	l.left = 0
	l.beginKey(line[end:])
	return Mark + Text(line[end:])
}

func (l *Lines) beginKey(line string) {
	if l.endOf = openBlock(line); l.endOf != nil {
		l.left, l.value = maxKeyLines, openValue{}
	}
}

// isKeyLine reports whether a line is nothing but Base64, as those of a key are.
func isKeyLine(line string) bool {
	line = strings.TrimSpace(line)
	return len(line) >= minKeyLine && skip(line, 0, func(c byte) bool { return isAlnum(c) || c == '+' || c == '/' || c == '=' }) == len(line)
}
