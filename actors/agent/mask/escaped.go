package mask

import (
	"strconv"
	"strings"
)

// findEscaped finds what shows where the escapes of JSON stand for what they are, as in a log of many lines within one of JSON: \n ends
// a line, and \u0026 is an ampersand.
func findEscaped(text string, found []span, nesting int, known *knownNames) []span {
	plain, has := withoutEscapes(text)
	if !has {
		return found
	}
	for _, s := range findAll(plain, nesting, known) {
		for s.to > s.from && plain[s.to-1] == ' ' && text[s.to-1] != ' ' {
			s.to-- // That is of the escape behind the secret.
		}
		found = append(found, s)
	}
	return found
}

// withoutEscapes puts what an escape stands for in the place of its last byte, and blanks before it: so each other byte stays where it
// is. Backslashes may be escaped themselves. has is false if there is no such escape.
func withoutEscapes(text string) (plain string, has bool) {
	var b []byte
	for i := 0; ; {
		at := strings.IndexByte(text[i:], '\\')
		if at < 0 {
			return string(b), b != nil
		}
		at += i
		letter := skip(text, at, isEscape)
		i = letter
		c, last := escaped(text, letter)
		if c == 0 {
			continue
		}
		if b == nil {
			b = []byte(text)
		}
		for blank := at; blank < last; blank++ {
			b[blank] = ' '
		}
		b[last] = c
		i = last + 1
	}
}

// escaped returns what the escape stands for whose backslash is before the position, and where its last byte is; 0: nothing that matters.
func escaped(text string, i int) (c byte, last int) {
	const unicode = len("u0026")
	if i == len(text) {
		return 0, i
	}
	switch text[i] {
	case 'n':
		return '\n', i
	case 'r':
		return '\r', i
	case 't':
		return '\t', i
	case 'u':
		if i+unicode > len(text) || text[i+1:i+3] != "00" {
			return 0, i
		}
		if n, err := strconv.ParseUint(text[i+3:i+unicode], 16, 8); err == nil && n < 0x80 {
			return byte(n), i + unicode - 1
		}
	}
	return 0, i
}
