package recorder

import (
	"math"
	"strconv"

	"github.com/prometheus/prometheus/model/value"
)

// Most pages differ from the page before in their values alone. The page before is the
// template: the text between its values is compared with the new page byte by byte, and only
// the values are parsed. That is much cheaper than parsing the page. A page with any other
// difference is parsed.

// template identifies what pages have in common that differ in values alone: their metadata,
// and the texts of their samples in order. Pages with the same pointer have the same.
type template struct{ _ byte }

// span is where the value of a sample is on the page: buf[from:to].
type span struct{ from, to int32 }

// maxPlainValue is how many bytes a value may have that parsePlainValue reads.
const maxPlainValue = 32

// setTemplate makes the page the template of the next one: it finds the spans of the values. A
// page with bad lines, or with more than a value behind a series, is no template.
func (p *Page) setTemplate() {
	p.template = &template{}
	p.valueSpans = p.valueSpans[:0]
	if p.err != nil || p.badLines > 0 || len(p.buf) > math.MaxInt32 {
		return
	}
	for i := range p.samples {
		at := p.offset(p.samples[i].raw) + len(p.samples[i].raw)
		if at >= len(p.buf) || p.buf[at] != ' ' {
			p.valueSpans = p.valueSpans[:0]
			return
		}
		v, size, ok := parsePlainValue(p.buf[at+1:])
		if !ok || math.Float64bits(v) != math.Float64bits(p.samples[i].value) {
			p.valueSpans = p.valueSpans[:0]
			return
		}
		p.valueSpans = append(p.valueSpans, span{int32(at + 1), int32(at + 1 + size)})
	}
}

// matchTemplate sets the values of the samples if the body differs from the template in values
// alone. If it returns false, the body must be parsed.
func (p *Page) matchTemplate(body []byte) bool {
	if len(p.valueSpans) == 0 || len(p.valueSpans) != len(p.samples) {
		return false
	}
	from, at := 0, 0
	for i, value := range p.valueSpans {
		n := int(value.from) - from
		if len(body)-at < n || string(body[at:at+n]) != string(p.buf[from:value.from]) {
			return false
		}
		v, size, ok := parsePlainValue(body[at+n:])
		if !ok {
			return false
		}
		p.samples[i].value = v
		from, at = int(value.to), at+n+size
	}
	return string(body[at:]) == string(p.buf[from:])
}

// parsePlainValue reads a decimal number, NaN or an infinity at the end of a line. It accepts
// less than the page parser, and returns the same values.
func parsePlainValue(line []byte) (v float64, size int, ok bool) {
	const maxDigits = 15        // fit a double exactly
	n, digits := int64(0), true // an int may be too short
	for size < len(line) && line[size] != '\n' {
		c := line[size]
		switch {
		case c >= '0' && c <= '9':
			if size < maxDigits {
				n = 10*n + int64(c-'0')
			}
		case c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E':
			digits = false
		default:
			return parseSpecialValue(line)
		}
		if size++; size > maxPlainValue {
			return 0, 0, false
		}
	}
	if size == 0 {
		return 0, 0, false
	}
	if digits && size <= maxDigits {
		return float64(n), size, true
	}
	v, err := strconv.ParseFloat(string(line[:size]), 64)
	return v, size, err == nil
}

func parseSpecialValue(line []byte) (v float64, size int, ok bool) {
	for _, s := range specials {
		n := len(s.text)
		if len(line) >= n && string(line[:n]) == s.text && (len(line) == n || line[n] == '\n') {
			return s.value, n, true
		}
	}
	return 0, 0, false
}

// specials have the bits that the page parser returns.
var specials = []struct {
	text  string
	value float64
}{
	{"NaN", math.Float64frombits(value.NormalNaN)},
	{"+Inf", math.Inf(1)},
	{"-Inf", math.Inf(-1)},
}
