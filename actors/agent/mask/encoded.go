package mask

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"
)

// minEncoded is how long a text in Base64 is that may hold a secret.
const minEncoded = 16

// findEncoded finds texts in Base64 with a secret in them, and words in percent encoding in
// which decoding reveals more secrets.
func findEncoded(text string, found []span, nesting int, known *knownNames) []span {
	for i := 0; i < len(text); i++ {
		end := skipIn(text, i, runChars)
		if end-i >= minEncoded && holdsSecret(text[i:end], nesting, known) {
			found = append(found, span{i, skip(text, end, func(c byte) bool { return c == '=' })})
		}
		i = end
	}
	for i := 0; ; {
		percent := strings.IndexByte(text[i:], '%')
		if percent < 0 {
			return found
		}
		from := skipBack(text, i+percent, isWordByte)
		i = skip(text, i+percent, isWordByte)
		word := text[from:i]
		plain := unescape(word)
		if plain != word && len(findAll(plain, nesting-1, known)) > len(findAll(word, 0, known)) {
			found = append(found, span{from, i})
		}
	}
}

// unescape decodes percent encoding. It leaves invalid escapes as they are.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if c, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func isWordByte(c byte) bool { return !isSpace(c) && c != '"' && c != '\'' }

// holdsSecret reports whether the run is Base64, of either alphabet, of a text with a secret
// in it.
func holdsSecret(run string, nesting int, known *knownNames) bool {
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(run, "-_") {
		encoding = base64.RawURLEncoding
	}
	if len(run)%4 == 1 {
		run = run[:len(run)-1] // cut off
	}
	plain, err := encoding.DecodeString(run)
	if err != nil || !isText(plain) {
		return false
	}
	return len(findAll(string(plain), nesting-1, known)) > 0
}

func isText(plain []byte) bool {
	for _, c := range plain {
		if c < ' ' && !isSpace(c) {
			return false
		}
	}
	// The last character may be cut off.
	return utf8.Valid(plain) || utf8.Valid(plain[:max(0, len(plain)-utf8.UTFMax+1)])
}
