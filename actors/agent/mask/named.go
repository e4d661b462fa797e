package mask

import "strings"

// findNamed finds the values of secrets that have their name before them: password=x,
// "password": "x", <password>x</password>, --password x.
func findNamed(text string, found []span) []span {
	e := &ends{text: text}
	for i := range len(text) {
		switch text[i] {
		case '=', ':', '>':
			found = findAssigned(e, i, found)
		case '-':
			found = findFlag(e, i, found)
		}
	}
	return found
}

// isNameByte tells the bytes of a name in a text.
func isNameByte(c byte) bool { return isAlnum(c) || c == '_' || c == '-' || c == '.' || c >= 0x80 }

// isQuote tells the bytes that may stand between a name and the sign behind it.
func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '\\' || c == ']' }

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// findAssigned takes the sign at the place for the one between a name and its value.
func findAssigned(e *ends, i int, found []span) []span {
	text := e.text
	end := skipBack(text, skipBack(text, i, isBlank), isQuote)
	first := max(0, end-maxNameBytes)
	from := first + skipBack(text[first:end], end-first, isNameByte)
	if from == end {
		return found
	}
	before := byte(0)
	if from > 0 {
		before = text[from-1]
	}
	if text[i] == '>' && before != '<' {
		return found
	}
	name := text[from:end]
	switch classInText(name, before) {
	case secret:
		if s, ok := valueAfter(e, name, i); ok {
			found = append(found, s)
		}
	case likely:
		if text[i] == ':' && !isQuote(text[end]) {
			return found // in prose, a colon follows a word that is no name
		}
		if s, ok := valueAfter(e, name, i); ok && !isPlain(trimValue(text[s.from:s.to])) {
			found = append(found, s)
		}
	}
	return found
}

// classInText is classOf for a name in a text. A word such as "key" or "pass" alone is
// often no name there. before is the byte before the name: that of a URL's parameter is ?
// or &.
func classInText(name string, before byte) class {
	words := wordsOf(name)
	if before == '?' || before == '&' || hasSecret(words) {
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

// valueAfter returns the value behind the sign at the place, behind the rest of a sign
// such as := or =>, and behind blanks and line ends. There is none if it is empty, an on
// or off, a quantity, or the place where a secret lies.
func valueAfter(e *ends, name string, sign int) (s span, ok bool) {
	s.from = skip(e.text, sign+1, func(c byte) bool { return isSpace(c) || c == '=' || c == ':' || c == '>' })
	if s.from == len(e.text) {
		return s, false
	}
	s.to = e.ofValue(s.from)
	switch first := e.text[s.from]; {
	case isHeader(name) && !isQuote(first):
		s.to = max(s.to, e.ofLine(s.from))
		fallthrough
	case isHeader(name):
		if hasScheme(e.text[s.from:min(s.to, s.from+maxNameBytes)]) {
			return s, false // findSchemes
		}
	case e.text[sign] == '>':
		if end := strings.IndexByte(e.text[s.from:], '<'); end >= 0 {
			s.to = s.from + end
		}
	}
	switch value := trimValue(e.text[s.from:s.to]); {
	case value == "", value == "true", value == "false", value == "null", value == Mark:
		return s, false
	default:
		return s, !isPlace(name, value) && !(isMeasure(name) && isPlain(value))
	}
}

// trimValue takes off what is around a value in JSON and in lists.
func trimValue(value string) string { return strings.Trim(value, `"'\,;)}]`) }

// findFlag takes the dash at the place for the begin of a flag whose value is the next
// word.
func findFlag(e *ends, i int, found []span) []span {
	text := e.text
	if i > 0 && isNameByte(text[i-1]) {
		return found
	}
	name := skip(text, i, func(c byte) bool { return c == '-' })
	end := skip(text, name, isNameByte)
	value := skip(text, end, isSpace)
	if value == end || value == len(text) || end-i > maxNameBytes {
		return found
	}
	flag := text[i:end]
	if classInText(flag, 0) == secret && !isPlace(flag, text[value:e.ofWord(value)]) {
		return append(found, span{value, e.ofValue(value)})
	}
	if flag == "-u" || flag == "--user" || flag == "--proxy-user" {
		for _, s := range findPair(text[value:e.ofValue(value)]) {
			found = append(found, span{value + s.from, value + s.to})
		}
	}
	return found
}
