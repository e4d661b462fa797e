package httpapi

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// plainJSON escapes in JSON what controls a terminal, ends a line, turns the direction of writing, or is invisible: texts of agents are in
// it, and people print it with curl. All that can only be within strings, so the meaning stays. A part of a response must not end
// within a character.
func plainJSON(text []byte) []byte {
	var plain []byte
	from := 0
	for i := skipASCII(text, 0); i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if !unicode.IsGraphic(r) {
			if plain == nil {
				plain = slices.Grow(plain, len(text)+len(text)/8)
			}
			plain = appendUnits(append(plain, text[from:i]...), r)
			from = i + size
		}
		i = skipASCII(text, i+size)
	}
	if plain == nil {
		return text
	}
	return append(plain, text[from:]...)
}

// skipASCII returns the next index from i on of a byte that is not plain: what is less than a space is escaped by all encoders,
// or stands between members.
func skipASCII(text []byte, i int) int {
	const high = 0x8080808080808080
	for ; i+8 <= len(text); i += 8 {
		// A carry comes only from a byte that is not plain itself.
		if word := binary.LittleEndian.Uint64(text[i:]); (word|(word+0x0101010101010101))&high != 0 {
			break
		}
	}
	for i < len(text) && text[i] < 0x7f {
		i++
	}
	return i
}

// appendUnits appends a character as \uXXXX, or as two of these.
func appendUnits(to []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return fmt.Appendf(to, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(to, `\u%04x`, r)
}
