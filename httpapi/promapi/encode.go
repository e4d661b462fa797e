package promapi

import (
	"encoding/json"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
)

// pieceBytes is the size of the pieces in which a response is written.
const pieceBytes = 64 << 10

// encoder writes JSON in pieces, so that a large response is never in memory as a whole.
type encoder struct {
	w   io.Writer
	buf []byte
	// yield is called before a full piece is written.
	yield func()
	// err is the first error of w. Nothing is written after it.
	err error
}

// raw adds JSON as it is.
func (e *encoder) raw(s string) { e.buf = append(e.buf, s...) }

// flushFull writes what there is if it is a piece. It is called often enough that a piece stays
// about as small as its largest string.
func (e *encoder) flushFull() {
	if len(e.buf) >= pieceBytes {
		e.yield()
		e.flush()
	}
}

// flush writes all there is, and returns the first error of writing.
func (e *encoder) flush() error {
	if e.err == nil && len(e.buf) > 0 {
		_, e.err = e.w.Write(e.buf)
	}
	e.buf = e.buf[:0]
	return e.err
}

// value adds any value. What may have many points, series or names has its own encoder, all
// else is left to encoding/json.
func (e *encoder) value(v any) error {
	switch v := v.(type) {
	case promql.Vector:
		list(e, v, e.sample)
	case promql.Matrix:
		list(e, v, e.series)
	case promql.Scalar:
		e.textPoint(v.T, strconv.FormatFloat(v.V, 'f', -1, 64))
	case promql.String:
		e.textPoint(v.T, v.V)
	case []labels.Labels:
		list(e, v, e.labels)
	case []string:
		list(e, v, func(s string) { e.buf = appendText(e.buf, s) })
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		e.buf = append(e.buf, text...)
	}
	return nil
}

// list adds an array; of a nil slice it is an empty one.
func list[T any](e *encoder, values []T, add func(T)) {
	e.raw("[")
	for i, v := range values {
		if i > 0 {
			e.raw(",")
		}
		add(v)
		e.flushFull()
	}
	e.raw("]")
}

func (e *encoder) sample(s promql.Sample) {
	b := appendLabels(append(e.buf, `{"metric":`...), s.Metric)
	if s.H == nil {
		b = appendPoint(append(b, `,"value":`...), promql.FPoint{T: s.T, F: s.F})
		e.buf = append(b, '}')
		return
	}
	e.buf = append(b, `,"histogram":`...)
	e.histogram(promql.HPoint{T: s.T, H: s.H})
	e.raw("}")
}

func (e *encoder) series(s promql.Series) {
	e.raw(`{"metric":`)
	e.labels(s.Metric)
	if len(s.Floats) > 0 {
		e.raw(`,"values":`)
		list(e, s.Floats, e.float)
	}
	if len(s.Histograms) > 0 {
		e.raw(`,"histograms":`)
		list(e, s.Histograms, e.histogram)
	}
	e.raw("}")
}

func (e *encoder) labels(l labels.Labels) { e.buf = appendLabels(e.buf, l) }

func (e *encoder) float(p promql.FPoint) { e.buf = appendPoint(e.buf, p) }

// appendLabels and appendPoint are for what there is most of. The slice is not in a struct there,
// where each append would store it anew.
func appendLabels(b []byte, l labels.Labels) []byte {
	b = append(b, '{')
	first := true
	l.Range(func(l labels.Label) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendString(b, l.Name)
		b = append(b, ':')
		b = appendString(b, l.Value)
	})
	return append(b, '}')
}

func appendPoint(b []byte, p promql.FPoint) []byte {
	b = appendSeconds(append(b, '['), p.T)
	b = appendFloat(append(b, ','), p.F)
	return append(b, ']')
}

func (e *encoder) textPoint(t int64, s string) {
	e.raw("[")
	e.buf = strconv.AppendFloat(e.buf, float64(t)/1000, 'f', -1, 64)
	e.raw(",")
	e.buf = appendText(e.buf, s)
	e.raw("]")
}

func (e *encoder) histogram(p promql.HPoint) {
	e.raw("[")
	e.buf = appendSeconds(e.buf, p.T)
	e.raw(`,{"count":`)
	e.buf = appendFloat(e.buf, p.H.Count)
	e.raw(`,"sum":`)
	e.buf = appendFloat(e.buf, p.H.Sum)
	any := false
	for it := p.H.AllBucketIterator(); it.Next(); {
		b := it.At()
		if b.Count == 0 {
			continue
		}
		if any {
			e.raw(",")
		} else {
			e.raw(`,"buckets":[`)
		}
		any = true
		e.bucket(b)
		e.flushFull()
	}
	if any {
		e.raw("]")
	}
	e.raw("}]")
}

func (e *encoder) bucket(b histogram.Bucket[float64]) {
	// Which bounds belong to the bucket: 0 the upper one, 1 the lower one, 2 none, 3 both.
	bounds := "2"
	switch {
	case b.LowerInclusive && b.UpperInclusive:
		bounds = "3"
	case b.LowerInclusive:
		bounds = "1"
	case b.UpperInclusive:
		bounds = "0"
	}
	e.raw("[")
	e.raw(bounds)
	for _, f := range []float64{b.Lower, b.Upper, b.Count} {
		e.raw(",")
		e.buf = appendFloat(e.buf, f)
	}
	e.raw("]")
}

// appendSeconds appends milliseconds as a number of seconds, with as many digits as it takes.
func appendSeconds(b []byte, ms int64) []byte {
	whole, rest := ms/1000, ms%1000
	if ms < 0 {
		b = append(b, '-')
		whole, rest = -whole, -rest
	}
	b = strconv.AppendInt(b, whole, 10)
	if rest != 0 {
		b = append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
	}
	return b
}

// appendFloat appends a number in quotes, since JSON has no NaN and no infinity.
func appendFloat(b []byte, f float64) []byte {
	format, abs := byte('f'), math.Abs(f)
	if abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	b = append(b, '"')
	b = strconv.AppendFloat(b, f, format, -1, 64)
	return append(b, '"')
}

// appendText appends a string as encoding/json does. Prometheus has all strings like that but those
// of labels.
func appendText(b []byte, s string) []byte {
	if !strings.ContainsAny(s, "<>&\u2028\u2029") {
		return appendString(b, s)
	}
	text, _ := json.Marshal(s) // No string fails.
	return append(b, text...)
}

const hexDigits = "0123456789abcdef"

// isPlain says of each byte that it stands for itself in a string: it is ASCII, and no quote,
// backslash or control character.
var isPlain = func() (plain [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

// appendString appends a string in quotes. Bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		if !isPlain[s[i]] {
			b = appendEscaped(append(b, s[:i]...), s[i:])
			return append(b, '"')
		}
	}
	b = append(b, s...)
	return append(b, '"')
}

func appendEscaped(b []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if isPlain[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if r, size := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		b = append(b, s[from:i]...)
		switch {
		case c >= utf8.RuneSelf:
			b = append(b, `\ufffd`...)
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, `\u00`...)
			b = append(b, hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	return append(b, s[from:]...)
}
