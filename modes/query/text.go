package query

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"fodc/modes/logsink"

	"golang.org/x/text/width"
)

// timeText returns a time in unix milliseconds in RFC 3339, with milliseconds.
func timeText(at int64) string { return time.UnixMilli(at).UTC().Format("2006-01-02T15:04:05.000Z") }

// shortTime is timeText without milliseconds where they are 0.
func shortTime(at int64) string { return time.UnixMilli(at).UTC().Format("2006-01-02T15:04:05.999Z") }

// From and to these exponents of ten a number is written without one.
const (
	minPlainExponent = -5
	maxPlainExponent = 15
	// shortDigits is how many digits a number in a chart has at most, unless it would look like its
	// neighbours. No number needs more than maxDigits.
	shortDigits = 6
	maxDigits   = 17
)

// valueText returns the value of a sample as Prometheus writes it.
func (s sample) valueText() string {
	if s.histogram != "" {
		return s.histogram
	}
	return numberText(s.value)
}

func numberText(v float64) string {
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) && !math.IsInf(a, 0) {
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// shortNumber returns a number with at most so many digits that count.
func shortNumber(v float64, digits int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) || v == 0 {
		return numberText(v)
	}
	text := strconv.FormatFloat(v, 'e', digits-1, 64)
	rounded, err := strconv.ParseFloat(text, 64)
	if err != nil { // It was rounded up to more than the greatest number.
		return text
	}
	if e := math.Abs(rounded); e < math.Pow10(minPlainExponent) || e >= math.Pow10(maxPlainExponent) {
		return strconv.FormatFloat(v, 'g', digits, 64)
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// widthOf returns how many columns of a terminal a printable text takes.
func widthOf(text string) int {
	n := 0
	for _, r := range text {
		switch {
		case r < 0x300: // before the first mark that takes no room
			n++
		case unicode.In(r, unicode.Mn, unicode.Me):
		case isWide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

func isWide(r rune) bool {
	k := width.LookupRune(r).Kind()
	return k == width.EastAsianWide || k == width.EastAsianFullwidth
}

// maxCellWidth bounds a text in a table. The other forms of output have it in full.
const maxCellWidth = 80

// cellText returns a text as it stands in a table: printable, and not too long.
func cellText(text string) string {
	const ellipsis = "…"
	if len(text) > 4*maxCellWidth { // No character has more bytes.
		text = strings.ToValidUTF8(text[:4*maxCellWidth], "") + ellipsis
	}
	text = logsink.Printable(text)
	if widthOf(text) <= maxCellWidth {
		return text
	}
	n := 0
	for i, r := range text {
		if n += widthOf(string(r)); n >= maxCellWidth {
			return text[:i] + ellipsis
		}
	}
	return text
}

// pad returns spaces that make a text as wide as wanted.
func pad(text string, wanted int) string { return strings.Repeat(" ", max(wanted-widthOf(text), 0)) }
