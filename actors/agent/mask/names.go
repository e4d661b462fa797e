package mask

import (
	"path"
	"slices"
	"strings"
	"unicode"
)

// class is what a name says of its value.
type class uint8

const (
	unknown  class = iota
	harmless       // the value may look random and is no secret
	likely         // a secret, unless the value is plain
	secret         // a secret, whatever it is
)

// maxNameBytes bounds the part of a name that is looked at: its end.
const maxNameBytes = 512

// classOf returns what the name says of its value. That of a secret counts in any part
// of a dotted name: what stands below "credentials" is one. The other words count in its
// last part.
func classOf(key string) class {
	key = key[max(0, len(key)-maxNameBytes):]
	words := wordsOf(key)
	if len(words) == 1 && words[0] == "key" || hasSecret(words) || slices.ContainsFunc(words, func(w string) bool { return secretWords[w] }) {
		return secret
	}
	return classOfLast(wordsOf(lastPart(key)))
}

// isIn reports whether the set has the word, or that of which it is the plural.
func isIn(set map[string]bool, word string) bool {
	return set[word] || set[strings.TrimSuffix(word, "s")]
}

// hasSecret reports whether the words have one in them that is never harmless.
func hasSecret(words []string) bool {
	joined := strings.ReplaceAll(strings.Join(words, ""), "tokeniz", "")
	return slices.ContainsFunc(secretParts, func(part string) bool { return strings.Contains(joined, part) })
}

// classOfLast returns what the words of the last part of a name say of its value.
func classOfLast(words []string) class {
	has := func(set map[string]bool) bool {
		return slices.ContainsFunc(words, func(w string) bool { return isIn(set, w) })
	}
	switch {
	case len(words) == 0:
		return unknown
	case slices.ContainsFunc(words, func(w string) bool { return likelyWords[w] }) && !has(describing) && !has(measuring):
		return likely
	case slices.Contains(words, "webhook"), words[len(words)-1] == "key":
		return unknown
	case has(digesting), isIn(vouching, words[len(words)-1]):
		return harmless
	default:
		return unknown
	}
}

// lastPart returns the part of a dotted name that says what the value is: the last one
// that is neither a number of a list nor generic.
func lastPart(key string) string {
	for {
		dot := strings.LastIndexByte(key, '.')
		if dot <= 0 {
			return key
		}
		last := key[dot+1:]
		if last != "" && strings.Trim(last, "0123456789") != "" && !isIn(generic, strings.ToLower(last)) {
			return last
		}
		key = key[:dot]
	}
}

// wordsOf splits a name at what is neither letter nor digit, and where a small letter
// is followed by a capital one. The words are in small letters.
func wordsOf(key string) []string {
	var b strings.Builder
	wasLower := false
	for _, r := range key {
		isWord := unicode.IsLetter(r) || unicode.IsDigit(r)
		if !isWord || wasLower && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		if isWord {
			b.WriteRune(unicode.ToLower(r))
		}
		wasLower = unicode.IsLower(r) || unicode.IsDigit(r)
	}
	return strings.Fields(b.String())
}

var (
	placeWords     = setOf("file files path dir directory location")
	pathExtensions = []string{".pem", ".key", ".crt", ".cer", ".yaml", ".yml", ".json", ".txt", ".conf", ".p12", ".pfx", ".jks"}
)

// isPlace reports whether the name says where something is, and the value is such a
// place. Where a secret lies is none.
func isPlace(key, value string) bool {
	words := wordsOf(lastPart(key))
	if len(words) == 0 || !placeWords[words[len(words)-1]] || strings.ContainsAny(value, " \t\r\n=,") {
		return false
	}
	return startsPath(value) || slices.Contains(pathExtensions, path.Ext(value))
}

func startsPath(value string) bool {
	for _, prefix := range []string{"/", "./", "../", "~/"} {
		if strings.HasPrefix(value, prefix) {
			return true
		}
	}
	return false
}

// isMeasure reports whether the name is about how much or how long: "token-ttl".
func isMeasure(key string) bool {
	words := wordsOf(lastPart(key))
	return slices.ContainsFunc(words, func(w string) bool { return measuring[w] })
}

// isPairName reports whether the value of the name may be user:password.
func isPairName(key string) bool {
	return lastPart(key) == "-u" || classOfLast(wordsOf(lastPart(key))) == unknown && slices.ContainsFunc(wordsOf(key), func(w string) bool {
		return isIn(pairing, w)
	})
}
