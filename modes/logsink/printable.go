package logsink

import (
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Printable returns the text as one line without control characters. What is not printable is
// escaped, such as \n and \u001b.
func Printable(text string) string {
	if isPrintable(text, false) {
		return text
	}
	return string(appendPrintable(nil, text, false))
}

// isPrintable reports whether all characters are graphic ones as Unicode defines them:
// letters, marks, numbers, punctuation, symbols and spaces. Not printable are control
// characters, line separators, characters that are invisible or change the direction of
// text, and invalid UTF-8. tabs: a tab counts as printable.
func isPrintable[T string | []byte](text T, tabs bool) bool {
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			if !isPrintableASCII(c, tabs) {
				return false
			}
			i++
			continue
		}
		r, size := decode(text[i:])
		if !isPrintableRune(r, size) {
			return false
		}
		i += size
	}
	return true
}

// appendPrintable appends the text, and escapes what is not printable as JSON does, such as \n
// and \u001b. Within a string of JSON the meaning stays the same.
func appendPrintable[T string | []byte](to []byte, text T, tabs bool) []byte {
	to = slices.Grow(to, len(text))
	for i := 0; i < len(text); {
		r, size := decode(text[i:])
		switch {
		case size == 1 && r < utf8.RuneSelf && isPrintableASCII(text[i], tabs), size > 1 && isPrintableRune(r, size):
			to = append(to, text[i:i+size]...)
		default:
			to = appendEscaped(to, r)
		}
		i += size
	}
	return to
}

func decode[T string | []byte](text T) (rune, int) {
	if text[0] < utf8.RuneSelf {
		return rune(text[0]), 1
	}
	return utf8.DecodeRuneInString(string(text[:min(len(text), utf8.UTFMax)]))
}

func isPrintableASCII(c byte, tabs bool) bool { return c >= ' ' && c < 0x7f || tabs && c == '\t' }

// isPrintableRune is for characters of several bytes. Size 1 means invalid UTF-8.
func isPrintableRune(r rune, size int) bool { return size > 1 && strconv.IsGraphic(r) }

func appendEscaped(to []byte, r rune) []byte {
	switch r {
	case '\n':
		return append(to, `\n`...)
	case '\r':
		return append(to, `\r`...)
	case '\t':
		return append(to, `\t`...)
	}
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return appendUnit(appendUnit(to, high), low)
	}
	return appendUnit(to, r)
}

// appendUnit appends \uXXXX.
func appendUnit(to []byte, unit rune) []byte {
	const hex = "0123456789abcdef"
	return append(to, '\\', 'u', hex[unit>>12&0xf], hex[unit>>8&0xf], hex[unit>>4&0xf], hex[unit&0xf])
}
