package mask

import (
	"path"
	"slices"
	"strings"
	"unicode"
)

// class says how likely a value is a secret, judged by its name.
type class uint8

const (
	unknown  class = iota // the name says nothing
	harmless              // the value may look random and is no secret
	likely                // a secret, unless the value is plain
	secret                // a secret, whatever it is
)

// maxNameBytes bounds the part of a name that is looked at: its end.
const maxNameBytes = 512

// classOf returns the class of a value by its name. A word for a secret counts in any part
// of a dotted name: all below "credentials" is secret. The other words count only in the
// last part.
func classOf(key string) class {
	key = key[max(0, len(key)-maxNameBytes):]
	words := wordsOf(key)
	if len(words) == 1 && words[0] == "key" || hasSecret(words) || slices.ContainsFunc(words, func(w string) bool { return secretWords[w] }) {
		return secret
	}
	return classOfLast(wordsOf(lastPart(key)))
}

// isIn reports whether the set has the word or its singular.
func isIn(set map[string]bool, word string) bool {
	return set[word] || set[strings.TrimSuffix(word, "s")]
}

// isWordOfValue reports whether a word behind "key" says that the value is none: "key-id".
func isWordOfValue(w string) bool { return !isNumber(w) && !genericWords[w] }

// hasSecret reports whether the name contains one of secretParts, or is that of a key of one of keyOwners.
func hasSecret(words []string) bool {
	for i, w := range words {
		if i > 0 && (w == "key" || w == "keys") && keyOwners[words[i-1]] && !slices.ContainsFunc(words[i+1:], isWordOfValue) {
			return true
		}
	}
	joined := strings.ReplaceAll(strings.Join(words, ""), "tokeniz", "")
	return slices.ContainsFunc(secretParts, func(part string) bool { return strings.Contains(joined, part) })
}

// classOfLast returns the class by the words of the last part of a name.
func classOfLast(words []string) class {
	has := func(set map[string]bool) bool {
		return slices.ContainsFunc(words, func(w string) bool { return isIn(set, w) })
	}
	switch {
	case len(words) == 0:
		return unknown
	case slices.ContainsFunc(words, func(w string) bool { return likelyWords[w] }) && !has(attributeWords) && !has(quantityWords):
		return likely
	case slices.Contains(words, "webhook"), words[len(words)-1] == "key":
		return unknown
	case has(digestWords), isIn(harmlessWords, words[len(words)-1]):
		return harmless
	default:
		return unknown
	}
}

// lastPart returns the part of a dotted name that describes the value: the last one that is
// neither the index of a list nor one of genericWords.
func lastPart(key string) string {
	for {
		dot := strings.LastIndexByte(key, '.')
		if dot <= 0 {
			return key
		}
		last := key[dot+1:]
		if last != "" && strings.Trim(last, "0123456789") != "" && !isIn(genericWords, strings.ToLower(last)) {
			return last
		}
		key = key[:dot]
	}
}

// wordsOf returns the words of a name in lower case. It splits where there is neither letter
// nor digit, and before a capital letter that follows a small one.
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
	pathWords      = setOf("file path dir directory folder location")
	pathExtensions = []string{".pem", ".key", ".crt", ".cer", ".yaml", ".yml", ".json", ".txt", ".conf", ".p12", ".pfx", ".jks"}
)

// maxPathBytes bounds a path that is shown under the name of a secret.
const maxPathBytes = 1024

// isPath reports whether the value names a file, and the name says so: where a secret is may be shown. A word counts as the name of a
// file unless it looks like a secret itself.
func isPath(key, value string) bool {
	words := wordsOf(lastPart(key))
	if len(value) > maxPathBytes || len(words) == 0 || strings.ContainsAny(value, " \t\r\n=,") {
		return false
	}
	isFile := slices.Contains(pathExtensions, path.Ext(value))
	switch last := words[len(words)-1]; {
	case isIn(pathWords, last):
		return isFile || beginsWithPath(value) || len(findRandom(value)) == 0 && len(findShapes(value, nil)) == 0
	case last == "key":
		return isFile && len(findRandom(value)) == 0
	}
	return false
}

func beginsWithPath(value string) bool {
	for _, prefix := range []string{"/", "./", "../", "~/"} {
		if strings.HasPrefix(value, prefix) {
			return true
		}
	}
	return false
}

// isQuantityName reports whether the value is a number or duration by its name, as in
// "token-ttl".
func isQuantityName(key string) bool {
	words := wordsOf(lastPart(key))
	return slices.ContainsFunc(words, func(w string) bool { return quantityWords[w] })
}

// maxCountDigits bounds a number under the name of a quantity.
const maxCountDigits = 18

// isAbout reports whether a value under the name of a secret says something about the secret, and is none: where it is, how long it
// holds, of which kind it is, how an object with it is called.
func isAbout(key, value string) bool {
	words := wordsOf(lastPart(key))
	switch {
	case isPath(key, value):
		return true
	case isQuantityName(key) && isPlainValue(value):
		return true
	case len(words) < 2:
		return false // All below "credentials" is secret.
	case isQuantityName(key):
		return isNumber(value) && len(value) <= maxCountDigits
	case kindWords[words[len(words)-1]]:
		return isPlainValue(value)
	case words[len(words)-1] == "name":
		return len(value) <= maxPathBytes && !strings.ContainsAny(value, " \t\r\n=,:") && len(findRandom(value)) == 0 && len(findShapes(value, nil)) == 0
	}
	return false
}

// isPairName reports whether the value of the name may be user:password.
func isPairName(key string) bool {
	return lastPart(key) == "-u" || classOfLast(wordsOf(lastPart(key))) == unknown && slices.ContainsFunc(wordsOf(key), func(w string) bool {
		return isIn(userWords, w)
	})
}
