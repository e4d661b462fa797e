package mask

import "strings"

// Lines masks the lines of a text one by one, as they come. A secret of several lines is one, too: a private key.
// The zero value is ready.
type Lines struct {
	// left is how many more lines the private key may have that has begun; 0: none has.
	left  int
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
		if end := strings.Index(line, pemEnd); end >= 0 {
			l.left = 0
			return Mark + Text(line[endOfBlock(line, end):])
		}
		l.left--
		return Mark
	}
	if strings.Contains(line, pemBegin) { // Most have none, and this is the faster search.
		last := line[strings.LastIndex(line, pemBegin):]
		if isPrivate(last, pemBegin) && !strings.Contains(last, pemEnd) {
			l.left = maxKeyLines
		}
	}
	if isKeyLine(line) {
		return Mark
	}
	return replace(line, findAll(line, maxNesting, &l.known))
}

// isKeyLine reports whether a line is nothing but Base64, as those of a key are.
func isKeyLine(line string) bool {
	line = strings.TrimSpace(line)
	return len(line) >= minKeyLine && skip(line, 0, func(c byte) bool { return isAlnum(c) || c == '+' || c == '/' || c == '=' }) == len(line)
}
