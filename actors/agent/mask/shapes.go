package mask

import "strings"

// maxRandomBytes bounds the part of a token that is tested for randomness.
const maxRandomBytes = 64

// shapeScan is a search for tokens in a text.
type shapeScan struct {
	text  string
	found []span
	// done is the end of the last token of each charset. A token of the same charset that
	// begins before it ends there, too, and need not be searched again.
	done             map[*charset]int
	jwtEnd, azureEnd int
}

// findShapes finds the tokens of the table, JSON Web Tokens, and tokens that are known by
// their middle.
func findShapes(text string, found []span) []span {
	scan := shapeScan{text: text, found: found}
	for i := 0; i+1 < len(text); i++ {
		if pair := pairOf(text, i); shapesBy.mayBegin(pair) {
			for _, s := range shapesBy.of(pair) {
				scan.shape(s, i)
			}
		}
		if !middleChars[text[i]] {
			continue
		}
		switch {
		case text[i] == 'e' && text[i+1] == 'y':
			scan.jwt(i)
		case text[i] == 'Q' && text[i+1] == '~':
			scan.azure(i)
		case text[i] == ':' && i > 0 && isDigit(text[i-1]):
			scan.telegram(i)
		case text[i] == '.' && i+discordMiddle+1 < len(text) && text[i+discordMiddle+1] == '.':
			scan.discord(i)
		}
	}
	return scan.found
}

// middleChars are those by which a token is known that is not in the table.
var middleChars = charsetOf("eQ:.")

func (c *shapeScan) add(from, to int) { c.found = append(c.found, span{from, to}) }

// shape looks for a token of the kind at the position.
func (c *shapeScan) shape(s *shape, i int) {
	text, rest := c.text, i+len(s.prefix)
	if rest > len(text) || text[i:rest] != s.prefix && !(s.url && strings.EqualFold(text[i:rest], s.prefix)) {
		return
	}
	if s.wordStart && !beginsWord(text, i) || !s.exact && i < c.done[s.rest] {
		return
	}
	isRest := func(b byte) bool { return s.rest[b] }
	limit := len(text)
	switch {
	case s.exact:
		limit = min(limit, rest+s.min+1)
	case s.random:
		limit = min(limit, rest+maxRandomBytes)
	}
	end := skip(text[:limit], rest, isRest)
	if n := end - rest; n < s.min || s.exact && n > s.min || s.random && !looksRandom(text[rest:end]) {
		return
	}
	if !s.exact {
		end = skip(text, end, isRest)
		if c.done == nil {
			c.done = map[*charset]int{}
		}
		c.done[s.rest] = end
	}
	switch {
	case s.url:
		i = rest
	case s.leftPart:
		i = skipBack(text, i, isAlnum)
	}
	c.add(i, end)
}

// beginsWord reports whether there is no letter or digit before the position, or only the
// end of an escape sequence: \n, %3D, \u003d.
func beginsWord(text string, i int) bool {
	if i == 0 || !isAlnum(text[i-1]) {
		return true
	}
	for _, escape := range []struct {
		mark string
		len  int
	}{{`\`, 2}, {"%", 3}, {`\u`, 6}, {`\x`, 4}} {
		if from := i - escape.len; from >= 0 && strings.HasPrefix(text[from:], escape.mark) {
			return true
		}
	}
	return false
}

// minJWTPart is how long the first part of a JSON Web Token is, without "eyJ".
const minJWTPart = 5

// jwt looks for a token of two parts or more, joined by dots. Its signature may be
// missing, or cut off.
func (c *shapeScan) jwt(i int) {
	text := c.text
	if i < c.jwtEnd || !strings.HasPrefix(text[i:], "eyJ") || !beginsWord(text, i) {
		return
	}
	end := skip(text, i, isPathRunByte)
	c.jwtEnd = end
	if end-i < len("eyJ")+minJWTPart || end == len(text) || text[end] != '.' {
		return
	}
	for end < len(text) && text[end] == '.' {
		end = skip(text, end+1, isPathRunByte)
	}
	c.jwtEnd = end
	c.add(i, end)
}

// Client secrets of Azure have a digit and Q~ behind their first three characters, and 31
// more behind that.
const (
	azureBefore  = 4
	minAzureRest = 31
)

func (c *shapeScan) azure(i int) {
	text := c.text
	if i < max(azureBefore, c.azureEnd) || !strings.HasPrefix(text[i:], "Q~") || !isDigit(text[i-1]) {
		return
	}
	isByte := func(b byte) bool { return dottedChars[b] }
	end := skip(text, i+len("Q~"), isByte)
	if end-i < len("Q~")+minAzureRest {
		return
	}
	c.azureEnd = end
	c.add(skipBack(text, i, isByte), end)
}

// Tokens of Telegram are the number of a bot, a colon and 35 characters more.
const (
	minTelegramDigits = 8
	minTelegramRest   = 35
)

func (c *shapeScan) telegram(i int) {
	from := skipBack(c.text, i, isDigit)
	if i-from < minTelegramDigits {
		return
	}
	end := skip(c.text, i+1, isPathRunByte)
	if end-i-1 >= minTelegramRest && looksRandom(c.text[i+1:end]) {
		c.add(from, end)
	}
}

// Tokens of Discord are the number of a bot in Base64, which begins with M, N or O, a time, and a signature, joined by dots.
const (
	minDiscordFirst = 22
	maxDiscordFirst = 32
	discordMiddle   = 6
	minDiscordRest  = 27
)

func (c *shapeScan) discord(i int) {
	middle := i + 1 + discordMiddle
	first := max(0, i-maxDiscordFirst)
	from := first + skipBack(c.text[first:i], i-first, isPathRunByte)
	if from > 0 && c.text[from-1] == '\\' {
		from++ // \n
	}
	if i-from < minDiscordFirst || c.text[from] < 'M' || c.text[from] > 'O' || skipIn(c.text, i+1, wordChars) != middle {
		return
	}
	limit := min(len(c.text), middle+1+maxRandomBytes)
	if end := skipIn(c.text[:limit], middle+1, wordChars); end-middle-1 >= minDiscordRest {
		c.add(from, end)
	}
}
