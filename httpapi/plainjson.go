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
		if !isGraphic(r) {
			if plain == nil {
				plain = slices.Grow(plain, len(text)+len(text)/8)
			}
			plain = appendUnits(append(plain, text[from:i]...), r)
			from = i + size
		}
		if i += size; i < len(text) && text[i] < utf8.RuneSelf {
			i = skipASCII(text, i)
		}
	}
	if plain == nil {
		return text
	}
	return append(plain, text[from:]...)
}

// skipASCII returns the next index from i on of a byte that is not plain: what is less than a space is escaped by all encoders,
// or stands between members.
func skipASCII(text []byte, i int) int {
	const high, ones = 0x8080808080808080, 0x0101010101010101
	// A carry comes only from a byte that is not plain itself.
	for ; i+32 <= len(text); i += 32 {
		t := text[i : i+32]
		a, b := binary.LittleEndian.Uint64(t), binary.LittleEndian.Uint64(t[8:])
		c, d := binary.LittleEndian.Uint64(t[16:]), binary.LittleEndian.Uint64(t[24:])
		if (a|b|c|d|(a+ones)|(b+ones)|(c+ones)|(d+ones))&high != 0 {
			break
		}
	}
	for ; i+8 <= len(text); i += 8 {
		if word := binary.LittleEndian.Uint64(text[i:]); (word|(word+ones))&high != 0 {
			break
		}
	}
	for i < len(text) && text[i] < 0x7f {
		i++
	}
	return i
}

// isGraphic is unicode.IsGraphic, which looks into six tables, one after the other.
func isGraphic(r rune) bool {
	if uint32(r) > maxTabled {
		return unicode.IsGraphic(r)
	}
	return graphic[r/64]&(1<<(r%64)) != 0
}

// maxTabled is the last character that graphic knows: most languages are written with those.
const maxTabled = 0xffff

// graphic has a bit for each character. It is made once, at the start.
var graphic = func() (bits [(maxTabled + 1) / 64]uint64) {
	for _, table := range unicode.GraphicRanges {
		for _, span := range table.R16 {
			for r := uint32(span.Lo); r <= uint32(span.Hi); r += uint32(span.Stride) {
				bits[r/64] |= 1 << (r % 64)
			}
		}
	}
	return bits
}()

// appendUnits appends a character as \uXXXX, or as two of these.
func appendUnits(to []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return fmt.Appendf(to, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(to, `\u%04x`, r)
}
