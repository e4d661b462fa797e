package mask

import "strings"

// findFlag looks for a flag that begins at the position and whose value is the next word, or the next one of a list.
func findFlag(e *endFinder, i int, found []span, known *knownNames) []span {
	text := e.text
	end := skip(text, skip(text, i, isDash), isNameByte)
	if end-i > maxNameBytes {
		return found
	}
	flag := text[i:end]
	class := known.class(flag, 0)
	if class != secret && class != likely && !isPairFlag(flag) {
		return found
	}
	value, ok := argumentBehind(text, i, end)
	if !ok {
		return found
	}
	if isPairFlag(flag) {
		return findPairAt(e, value, found)
	}
	s := span{value, e.ofValue(value)}
	shown := e.trimmed(s)
	if isNoValue(shown) || len(shown) <= maxWordBytes && afterFlag[shown] || beginsFlag(shown) {
		return found
	}
	if class == secret && !isAbout(flag, shown) || class == likely && !isPlainValue(shown) {
		return append(found, s)
	}
	return found
}

// afterFlag are words that follow a flag in a sentence, and the kinds of values in the help of a program.
var afterFlag = setOf(`a an and are be but by can cannot for from given has have if in is it its may means must name names need needs not of on or
	requires should string strings than that the then to was were when which will with without FILE PATH DIR STRING`)

// beginsFlag reports whether the word is rather another flag than the value of the one before it.
func beginsFlag(word string) bool {
	return len(word) > len("--") && strings.HasPrefix(word, "--") && isAlnum(word[len("--")])
}

// maxListBytes bounds the distance at which the bracket is searched that opens a list.
const maxListBytes = 256

// argumentBehind returns where the argument begins that follows the flag text[i:end]: behind blanks, or as the next one of a list in JSON,
// Go or YAML. ok is false if there is none.
func argumentBehind(text string, i, end int) (at int, ok bool) {
	quotes := skip(text, end, isQuoteOfText)
	at = skip(text, quotes, isBlank)
	isSeparate := at > quotes
	isListed := at < len(text) && text[at] == ','
	if isListed {
		at = skip(text, at+1, isSpace)
		open := strings.LastIndexAny(text[max(0, i-maxListBytes):i], "[]")
		if quotes == end && (open < 0 || text[max(0, i-maxListBytes)+open] != '[') {
			return 0, false // In a sentence, a comma ends the flag.
		}
	} else if next := skip(text, at, isSpace); next > at {
		at, isSeparate = next, true
		if strings.HasPrefix(text[at:], "- ") && strings.HasSuffix(strings.TrimRight(text[max(0, i-maxListBytes):i], `"'`), "- ") {
			at += len("- ") // an item of YAML
		}
	}
	switch {
	case at == len(text), !isListed && !isSeparate:
		return 0, false
	case quotes > end && !isLineEnd(text[quotes]):
		return at, isQuoteOfText(text[at]) // In a sentence, none follows a flag in quotes.
	}
	return at, true
}

func isQuoteOfText(c byte) bool { return c == '"' || c == '\'' || c == '\\' }

// findJoinedPair looks for the flag of curl with its value user:password in one word, as in "-ubob:secret".
func findJoinedPair(e *endFinder, i int, found []span) []span {
	if i > 0 && !isSpace(e.text[i-1]) && !isQuote(e.text[i-1]) || !strings.HasPrefix(e.text[i:], "-u") || i+len("-u") == len(e.text) || !isAlnum(e.text[i+len("-u")]) {
		return found
	}
	return findPairAt(e, i+len("-u"), found)
}
