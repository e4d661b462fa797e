package mask

import "strings"

// namedFinder is a search for values that follow their names.
type namedFinder struct {
	*endFinder
	known *knownNames
	// nameEnd is the end of the last value of "name" or "key" that is the name of a secret, as in {"name": "PASSWORD", "value": "x"}.
	nameEnd int
}

// signChars are what a value may follow, or a flag begins with.
var signChars = charsetOf("=:>-(")

// findNamed finds values that follow the name of a secret: password=x, "password": "x",
// <password>x</password>, --password x, password("x").
func findNamed(text string, found []span, known *knownNames) []span {
	f := &namedFinder{endFinder: &endFinder{text: text}, known: known}
	var commands commandFinder
	for i := range len(text) {
		if !signChars[text[i]] {
			continue
		}
		switch text[i] {
		case '=', ':', '>':
			found = f.findAssigned(i, found)
		case '-':
			if i == 0 || !isNameByte(text[i-1]) {
				found = findFlag(f.endFinder, i, found, known)
				found = findJoinedPair(f.endFinder, i, found)
				found = commands.find(f.endFinder, i, found)
			}
		case '(':
			if i+1 < len(text) && isQuote(text[i+1]) {
				found = f.findAssigned(i, found)
			}
		}
	}
	return found
}

// isNameByte reports whether a name in a text may have the byte.
func isNameByte(c byte) bool { return isAlnum(c) || c == '_' || c == '-' || c == '.' || c >= 0x80 }

// isOperator reports whether the byte may stand before a sign, as in ?= and ||=.
func isOperator(c byte) bool { return c == '?' || c == '|' || c == '+' }

// isQuote reports whether the byte may stand between a name and the sign behind it.
func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '\\' || c == ']' }

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// nameBefore returns the place of the name before the sign at the position; it is empty if there is none.
func nameBefore(text string, sign int) (from, end int) {
	end = skipBack(text, skipBack(text, skipBack(text, sign, isOperator), isBlank), isQuote)
	first := max(0, end-maxNameBytes)
	return first + skipBack(text[first:end], end-first, isNameByte), end
}

// byteBefore returns the byte before the position, 0 if there is none.
func byteBefore(text string, i int) byte {
	if i == 0 {
		return 0
	}
	return text[i-1]
}

// findAssigned looks for a name before the sign at the position, and a value behind it.
func (f *namedFinder) findAssigned(i int, found []span) []span {
	text := f.text
	from, end := nameBefore(text, i)
	if from == end {
		return found
	}
	before := byteBefore(text, from)
	if text[i] == '>' && before != '<' {
		return found
	}
	name := text[from:end]
	class := f.known.class(name, before)
	if f.isNamedBefore(name, i) {
		class = secret
	}
	switch class {
	case secret:
		if isPathBefore(text, from, i) {
			return found
		}
		if s, ok := f.valueAfter(from, end, i); ok && !f.isPlaceOrTag(from, i, s) {
			if f.isWholeLine(from, i, s.from) {
				s.to = max(s.to, f.ofWords(s.from))
			}
			s.to = f.ofContinued(s.to)
			found = append(found, s)
		}
	case likely:
		s, ok := f.valueAfter(from, end, i)
		if !ok || text[i] == ':' && !isQuote(text[end]) && f.isProse(from, i, s) {
			return found // in prose, a colon follows a word that is no name
		}
		if !isPlainValue(f.trimmed(s)) {
			found = append(found, s)
		}
	case unknown:
		if strings.HasPrefix(text[i+1:], "//") {
			return found // the scheme of a URL
		}
		if isPairFlag(name) {
			return findPairAt(f.endFinder, i+1, found)
		}
		if text[i] == '=' {
			if pair := findPairAt(f.endFinder, i+1, nil); pair != nil && isPairName(name) {
				return append(found, pair...)
			}
		}
		return findRandomAt(text, skip(text, i+1, func(c byte) bool { return isBlank(c) || isQuote(c) }), found)
	}
	return found
}

// findRandomAt looks for a random value at the position.
func findRandomAt(text string, i int, found []span) []span {
	for _, s := range findRandom(text[i:skipIn(text, i, runChars)]) {
		found = append(found, span{i + s.from, skip(text, i+s.to, func(c byte) bool { return c == '=' })})
	}
	return found
}

// isPairFlag reports whether the value of the flag of a program such as curl is
// user:password.
func isPairFlag(flag string) bool { return flag == "-u" || flag == "--user" || flag == "--proxy-user" }

// findPairAt looks for a value user:password at the position.
func findPairAt(e *endFinder, i int, found []span) []span {
	if i == len(e.text) {
		return found
	}
	for _, s := range findPair(e.text[i:e.ofValue(i)]) {
		if !strings.HasPrefix(e.text[i+s.from:], Mark) {
			found = append(found, span{i + s.from, i + s.to})
		}
	}
	return found
}

// isParameter reports whether the byte stands before the parameter of a URL.
func isParameter(before byte) bool { return before == '?' || before == '&' }

// classInText is classOf for a name in a text. There, a single word such as "key" or "pass"
// is often not a name. before is the byte before the name: ? or & before the parameter of a
// URL.
func classInText(name string, before byte) class {
	words := wordsOf(name)
	if isParameter(before) || hasSecret(words) {
		return classOf(name)
	}
	for _, w := range words {
		switch {
		case !secretWords[w]:
		case w == "pwd", len(words) > 1:
			return secret
		default:
			return likely
		}
	}
	return classOfLast(words)
}

// valueAfter returns the value behind the name text[name:end] and the sign at the position. It skips the rest of a sign
// such as := or =>, blanks and line ends. ok is false if the value is empty, an on
// or off, a quantity, or the path of a file with a secret in it.
func (f *namedFinder) valueAfter(from, end, sign int) (s span, ok bool) {
	name := f.text[from:end]
	s.from = skip(f.text, sign+1, func(c byte) bool { return isSpace(c) || c == '=' || c == ':' || c == '>' })
	if s.from == len(f.text) {
		return s, false
	}
	if isMasked(f.text[s.from:]) {
		return s, false
	}
	s.to = f.ofValue(s.from)
	switch first := f.text[s.from]; {
	case isHeader(name) && !isQuote(first):
		s.to = max(s.to, f.ofLine(s.from))
		fallthrough
	case isHeader(name):
		if hasScheme(f.text[s.from:min(s.to, s.from+maxNameBytes)]) {
			return s, false // findSchemes
		}
	case f.text[sign] == '>':
		if end := strings.IndexByte(f.text[s.from:], '<'); end >= 0 {
			s.to = s.from + end
		}
	case (first == '!' || first == '&') && s.to < len(f.text) && isBlank(f.text[s.to]):
		s.to = f.ofLine(s.from) // a tag or an anchor of YAML
		if to, below := f.ofBlock(from, sign, s.from); below {
			s.to = max(s.to, to)
		}
	case !isQuote(first) && first != '[' && first != '{', first == '\\' && f.ofLine(s.from) == s.from+1:
		if to, below := f.ofBlock(from, sign, s.from); below {
			s.to = max(s.to, to)
		}
	}
	value := f.trimmed(s)
	return s, !isNoValue(value) && !isAbout(name, value)
}

// noValues are what stands behind the name of a secret that is not there, or in a sentence about it.
var noValues = setOf("true false null nil <nil> none (none (empty empty expired incorrect invalid missing required unset")

func isNoValue(value string) bool {
	return value == "" || value == Mark || len(value) <= maxWordBytes && noValues[value]
}

// maxWordBytes bounds a value that is looked up as a word: it may be as long as the text.
const maxWordBytes = 16

// isMasked reports whether the text begins with a value that is masked, and goes on with another name in JSON.
func isMasked(text string) bool {
	rest, is := strings.CutPrefix(text, Mark)
	rest, isNext := strings.CutPrefix(strings.TrimLeft(rest, "}]"), ",")
	return is && isNext && (strings.HasPrefix(rest, `"`) || strings.HasPrefix(rest, `\"`))
}

// trimValue removes the punctuation around a value in JSON and in lists.
func trimValue(value string) string { return strings.Trim(value, aroundValue) }

const aroundValue = `"'\,;)}]`

var aroundValueChars = charsetOf(aroundValue)
