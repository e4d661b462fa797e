package mask

import "strings"

// afterPassword are words that follow "password" in prose.
var afterPassword = setOf("authentication changed expired file incorrect invalid missing mismatch prompt rejected required reset unset wrong")

// isPasswordWord reports whether a password may follow the word without a sign between them.
func isPasswordWord(word string) bool {
	switch len(word) {
	case len("by"):
		return strings.EqualFold(word, "by")
	case len("passwd"):
		return strings.EqualFold(word, "passwd")
	case len("password"):
		return strings.EqualFold(word, "password")
	case len("masterauth"):
		return word == "masterauth"
	case len("requirepass"):
		return word == "requirepass"
	}
	return false
}

// findSpoken finds the password behind such a word text[i:end] where it is one: in quotes, as in SQL, behind "login name", as in
// .netrc, or if both are a whole line.
func findSpoken(e *endFinder, i, end int, found []span) []span {
	text := e.text
	from := skip(text, end, isBlank)
	if from == len(text) || isLineEnd(text[from]) {
		return found
	}
	to := e.ofValue(from)
	isBy := end-i == len("by")
	switch first := skip(text, from, func(c byte) bool { return c == '\\' }); {
	case isBy && !followsWord(text, i, "identified") && !isByOfPlugin(text, i):
		return found
	case first < len(text) && (text[first] == '\'' || text[first] == '"') && first+1 < len(text) && !isSpace(text[first+1]):
		return append(found, span{from, to})
	case isBy:
		return found
	case followsPairOf(text, i, "login") || followsPairOf(text, i, "machine") || followsPairOf(text, i, "user"),
		beginsLine(text, i) && endsLine(text, e.ofWord(from)) && !afterPassword[strings.ToLower(text[from:e.ofWord(from)])]:
		return append(found, span{from, e.ofWord(from)})
	}
	return found
}

// isByOfPlugin reports whether the position is that of BY in "IDENTIFIED WITH a_plugin BY".
func isByOfPlugin(text string, i int) bool {
	plugin, _ := wordBefore(text, i)
	return followsWord(text, plugin, "with") && followsPairOf(text, i, "with") && followsPairOf(text, plugin, "identified")
}

// endsLine reports whether only blanks follow in the line.
func endsLine(text string, i int) bool {
	i = skip(text, i, isBlank)
	return i == len(text) || isLineEnd(text[i])
}

// wordBefore returns the word before the blanks before the position, which is not longer than maxNameBytes.
func wordBefore(text string, i int) (from, end int) {
	end = skipBack(text, i, isSpace)
	first := max(0, end-maxNameBytes)
	return first + skipBack(text[first:end], end-first, isNoSpace), end
}

// followsWord reports whether the word precedes the position.
func followsWord(text string, i int, word string) bool {
	from, end := wordBefore(text, i)
	return strings.EqualFold(strings.TrimLeft(text[from:end], `"'(`), word)
}

// followsPairOf reports whether the word precedes the position, with one more word between them.
func followsPairOf(text string, i int, word string) bool {
	from, _ := wordBefore(text, i)
	return followsWord(text, from, word)
}
