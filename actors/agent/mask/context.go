package mask

import (
	"path"
	"regexp"
	"strings"
)

// maxNameDistance is how far behind its name a value may be, as in {"name": "PASSWORD", "value": "x"}.
const maxNameDistance = 256

// isNamedBefore reports whether the name is "value", and the value of "name" shortly before it was the name of a secret. It
// remembers such a name.
func (f *namedFinder) isNamedBefore(name string, sign int) bool {
	if len(name) > len("header") {
		return false // Most have more, or another first letter.
	}
	switch first := name[0] | 0x20; {
	case first == 'v' && strings.EqualFold(name, "value"):
		isNear := f.nameEnd > 0 && sign-f.nameEnd <= maxNameDistance
		f.nameEnd = 0
		return isNear
	case first == 'n' && strings.EqualFold(name, "name"), first == 'k' && strings.EqualFold(name, "key"), first == 'h' && strings.EqualFold(name, "header"):
		from := skip(f.text, sign+1, func(c byte) bool { return isBlank(c) || isQuote(c) })
		end := skip(f.text[:min(len(f.text), from+maxNameBytes)], from, isNameByte)
		f.nameEnd = 0
		if from < end && f.known.class(f.text[from:end], 0) == secret {
			f.nameEnd = end
		}
	}
	return false
}

// isPathBefore reports whether the name is the end of a path in a sentence, as in "open /run/token: no such file".
func isPathBefore(text string, name, sign int) bool {
	if text[sign] != ':' || byteBefore(text, name) != '/' || sign+1 == len(text) || !isSpace(text[sign+1]) {
		return false
	}
	first := max(0, name-maxNameBytes)
	return beginsWithPath(strings.TrimLeft(text[first+skipBack(text[first:name], name-first, isNoSpace):name], `"'([`))
}

// maxPortBytes is how long the number of a line or a port is.
const maxPortBytes = 5

// isPlace reports whether the value is the number of a line or a port, and a colon if need be, with nothing but punctuation behind it.
func isPlace(value string) bool {
	short := min(maxPortBytes, len(value))
	return strings.Trim(strings.TrimRight(value[:short], afterPlace), digits+":") == "" &&
		skip(value, short, func(b byte) bool { return strings.IndexByte(afterPlace, b) >= 0 }) == len(value)
}

// isPlaceOrTag reports whether the value is the number of a line behind the name of a source file, as in "token.go:12", or the version
// of an image, as in "registry/jwt-proxy:1.2.3".
func (f *namedFinder) isPlaceOrTag(name, sign int, value span) bool {
	if f.text[sign] != ':' || value.from != sign+1 || !isDigit(f.text[value.from]) && f.text[value.from] != 'v' {
		return false
	}
	if sourceExtensions[path.Ext(f.text[name:sign])] {
		return isPlace(f.text[value.from:value.to])
	}
	return name > 1 && f.text[name-1] == '/' && isAlnum(f.text[name-2]) && versionTag.MatchString(f.text[value.from:min(value.to, value.from+maxTagBytes)])
}

// maxTagBytes bounds the tag of an image.
const maxTagBytes = 128

// versionTag matches the tag of an image that is a version, with the punctuation or the digest behind it.
var versionTag = regexp.MustCompile(`^v?\d+(?:\.\d+)+(?:-[a-z0-9.]{1,20})?(?:[^\w.+-].*)?$`)

// isWholeLine reports whether the name begins a line, and all that follows its sign is the value, as in YAML and in files of properties:
// "passphrase: correct horse". A command may follow PASSWORD=x, and another name the value.
func (f *namedFinder) isWholeLine(name, sign, value int) bool {
	if first := f.text[value]; isQuote(first) || first == '[' || first == '{' || value >= f.ofLine(sign) || !beginsLine(f.text, name) {
		return false
	}
	rest := f.text[sign+1 : f.ofLine(sign)]
	switch f.text[sign] {
	case ':':
		return isBlank(rest[0]) && !strings.Contains(rest, ": ")
	case '=':
		return (isBlank(rest[0]) || strings.IndexByte(f.text[name:sign], '.') > 0) && !strings.Contains(rest, "=")
	}
	return false
}

// ofWords returns the end of the line at the position, without a comment.
func (e *endFinder) ofWords(i int) int {
	line := e.text[i:e.ofLine(i)]
	if comment := strings.Index(line, " #"); comment >= 0 {
		line = line[:comment]
	}
	return i + len(strings.TrimRight(line, " \t"))
}

const afterPlace = ",;)}]."

// isProse reports whether a word, a colon and what follows are rather part of a sentence than a name with its value: "auth: failed for
// bob". In a dump, no blank follows the colon; in YAML, the name begins a line or follows a bracket, and the value is one word.
func (f *namedFinder) isProse(name, sign int, value span) bool {
	text := f.text
	if value.from == sign+1 {
		return byteBefore(text, name) == '/' || isPlace(text[value.from:value.to])
	}
	end := skip(text, value.to, isBlank)
	switch {
	case f.ofLine(sign) < value.from:
		return true
	case byteBefore(text, skipBack(text, name, isBlank)) == '{':
		return false
	case end < len(text) && !isLineEnd(text[end]) && text[end] != '#':
		return true
	default:
		return !beginsLine(text, name)
	}
}
