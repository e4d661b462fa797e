package mask

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// isHeader reports whether the name is that of a header whose whole line is secret.
func isHeader(name string) bool {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization", "cookie", "set-cookie":
		return true
	default:
		return false
	}
}

// schemes are the words that precede credentials in an Authorization header.
var schemes = []string{"basic", "bearer", "token", "apikey", "negotiate", "ntlm", "digest"}

func isScheme(word string) bool {
	for _, s := range schemes {
		if strings.EqualFold(word, s) {
			return true
		}
	}
	return false
}

// hasScheme reports whether the value begins with one, and more follows.
func hasScheme(value string) bool {
	word, rest, found := strings.Cut(strings.TrimLeft(value, `"'\`), " ")
	return found && strings.TrimSpace(rest) != "" && isScheme(word)
}

// afterScheme are words that follow "basic" or "bearer" in prose.
var afterScheme = setOf("auth authentication authorization token tokens scheme access credentials header headers realm user users http https")

// isCredentialByte reports whether credentials behind "Basic" or "Bearer" may have the byte.
func isCredentialByte(c byte) bool {
	return isAlnum(c) || strings.IndexByte("_.~+/=-", c) >= 0
}

// findSchemes finds the credentials behind "Basic" and "Bearer", behind other schemes in an
// Authorization header, and passwords behind a word for one.
func findSchemes(text string, found []span) []span {
	e := &endFinder{text: text}
	for end := 1; end < len(text); end++ {
		if !isBlank(text[end]) || !isAlnum(text[end-1]) {
			continue
		}
		switch i := skipBack(text, end, isAlnum); {
		case isScheme(text[i:end]):
			found = findCredentials(e, i, end, found)
		case isPasswordWord(text[i:end]):
			found = findSpoken(e, i, end, found)
		}
	}
	return found
}

// findCredentials finds the credentials behind the scheme text[i:end].
func findCredentials(e *endFinder, i, end int, found []span) []span {
	text := e.text
	from := skip(text, end, isBlank)
	isOne := strings.EqualFold(text[i:end], "basic") || strings.EqualFold(text[i:end], "bearer")
	switch inHeader := followsHeader(text, i); {
	case inHeader && isOne:
		return append(found, span{from, skip(text, from, isWordByte)})
	case inHeader:
		return append(found, span{from, max(from, e.ofLine(from))})
	case isOne:
		to := skip(text, from, isCredentialByte)
		if word := text[from:to]; word != "" && !afterScheme[strings.ToLower(word)] && !isProse(text[i:end], word) {
			return append(found, span{from, to})
		}
	}
	return found
}

// minBasic is how long the credentials behind "Basic" are if they have only letters.
const minBasic = 16

// isProse reports whether "basic" is an adjective: a short word of letters follows that is
// not user:password in Base64.
func isProse(scheme, word string) bool {
	if !strings.EqualFold(scheme, "basic") || len(word) >= minBasic || strings.Trim(word, lowers+capital+".-") != "" {
		return false
	}
	plain, err := base64.RawStdEncoding.DecodeString(word)
	return err != nil || !bytes.Contains(plain, []byte(":"))
}

// followsHeader reports whether the name of an Authorization header precedes the position.
func followsHeader(text string, i int) bool {
	i = skipBack(text, i, func(c byte) bool { return isBlank(c) || isQuote(c) || c == ':' || c == '=' })
	first := max(0, i-len("proxy-authorization"))
	return isHeader(text[first+skipBack(text[first:i], i-first, isNameByte) : i])
}
