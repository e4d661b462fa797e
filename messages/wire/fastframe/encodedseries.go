package fastframe

import (
	"math"

	"fodc/messages/wire"

	"google.golang.org/protobuf/encoding/protowire"
)

// encodedSeries is everything of a sample but its value and time, as Go encodes it.
type encodedSeries struct {
	name   string // the encoded field
	labels *labels
	help   string // the encoded field, or empty
	kind   wire.MetricType
}

func (s *series) encoded() encodedSeries {
	return encodedSeries{s.name, s.labels, s.family.helpField, s.kind}
}

// readSample reads b as a sample of the series. ok is false if b is a sample of another one,
// or is not encoded as Go does it: metric.read reads every valid encoding.
func (e encodedSeries) readSample(b []byte) (value float64, at timestamp, ok bool) {
	if len(b) < len(e.name) || string(b[:len(e.name)]) != e.name {
		return 0, at, false
	}
	if b = b[len(e.name):]; !e.labels.isPrefixOf(b) {
		return 0, at, false
	}
	b = b[len(e.labels.fields):]
	if len(b) > 0 && uint64(b[0]) == tagValue {
		bits, n := protowire.ConsumeFixed64(b[1:])
		if n < 0 {
			return 0, at, false
		}
		value, b = math.Float64frombits(bits), b[1+n:]
	}
	if len(b) < len(e.help) || string(b[:len(e.help)]) != e.help {
		return 0, at, false
	}
	b = b[len(e.help):]
	if len(b) > 0 && uint64(b[0]) == tagTimestamp {
		from, end := textBounds(b)
		if end == 0 || !at.read(b[from:end]) {
			return 0, at, false
		}
		b = b[end:]
	}
	if e.kind == 0 {
		return value, at, len(b) == 0
	}
	return value, at, len(b) == 2 && uint64(b[0]) == tagType && b[1] == byte(e.kind)
}
