package mask

import "strings"

// findUserinfo finds the password of user:password@host, with or without a scheme, and a token
// in the place of the user.
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

// endOfQuoted returns the position of the first quotation mark in text[from:to] that has a
// bracket, comma, colon or equals sign beside it, as in JSON; else to. Other quotation marks
// may be part of a password.
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

// findUserinfoIn looks for a password in text[from:to], which is one address or a list of
// them. A password may contain an @, so it ends at the last one that is not the begin of an
// image's digest.
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

// lastAt returns the position of the last @ that is not followed by a digest, or -1.
func lastAt(text string) int {
	for {
		at := strings.LastIndexByte(text, '@')
		if at < 0 || !strings.HasPrefix(text[at+1:], "sha256:") && !strings.HasPrefix(text[at+1:], "sha512:") {
			return at
		}
		text = text[:at]
	}
}
