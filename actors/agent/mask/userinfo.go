package mask

import "strings"

// findUserinfo finds the password of user:password@host, with or without a scheme, and
// a token that stands in the place of the user.
func findUserinfo(text string, found []span) []span {
	for i := 0; ; {
		at := strings.IndexByte(text[i:], '@')
		if at < 0 {
			return found
		}
		at += i
		from, to := skipBack(text, at, isNoSpace), skip(text, at, isNoSpace)
		i = to
		for from < to {
			end := endOfQuoted(text, from, to)
			found = findUserinfoIn(text, from, end, found)
			from = end + 1
		}
	}
}

func isNoSpace(c byte) bool { return !isSpace(c) }

// endOfQuoted returns the place of the first quotation mark in text[from:to] that is
// beside a bracket, comma, colon or equals sign, as those of JSON are; else to. A
// password may have quotation marks.
func endOfQuoted(text string, from, to int) int {
	const beside = ",:={}[]()\\"
	for i := from; i < to; i++ {
		if text[i] != '"' && text[i] != '\'' {
			continue
		}
		if i == from || i+1 == to || strings.IndexByte(beside, text[i-1]) >= 0 || strings.IndexByte(beside, text[i+1]) >= 0 {
			return i
		}
	}
	return to
}

// findUserinfoIn takes text[from:to] for one address or a list of them. A password may
// hold anything, so it ends at the last @; the digest of an image begins with an @, too.
func findUserinfoIn(text string, from, to int, found []span) []span {
	at := lastAt(text[from:to])
	if at < 0 {
		return found
	}
	at += from
	begin, hasScheme := from, false
	if scheme := strings.Index(text[from:at], "://"); scheme >= 0 {
		begin, hasScheme = from+scheme+len("://"), true
	}
	user := text[begin:at]
	switch colon := strings.IndexByte(user, ':'); {
	case strings.HasSuffix(user[:max(colon, 0)], "mailto"):
		return found
	case colon >= 0:
		return append(found, span{begin + colon + 1, at})
	case hasScheme && user != "" && !strings.Contains(user, "/"):
		return append(found, span{begin, at})
	default:
		return found
	}
}

// lastAt returns the place of the last @ that is not followed by a digest, -1 if there is
// none.
func lastAt(text string) int {
	for {
		at := strings.LastIndexByte(text, '@')
		if at < 0 || !strings.HasPrefix(text[at+1:], "sha256:") && !strings.HasPrefix(text[at+1:], "sha512:") {
			return at
		}
		text = text[:at]
	}
}
