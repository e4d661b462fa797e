package fastframe

import (
	"math"

	"fodc/messages/wire"

	"google.golang.org/protobuf/encoding/protowire"
)

// form is a sample as Go writes it, but for its value and its time.
type form struct {
	name      string // as a field
	labels    *labels
	described string // as a field, or empty
	kind      wire.MetricType
}

func (s *series) form() form { return form{s.name, s.labels, s.family.described, s.kind} }

// read reads b as a sample of the form. ok is false where it is not one, or is not as Go
// writes it: that is for metric.read to see.
func (f form) read(b []byte) (value float64, at timestamp, ok bool) {
	if len(b) < len(f.name) || string(b[:len(f.name)]) != f.name {
		return 0, at, false
	}
	if b = b[len(f.name):]; !f.labels.begin(b) {
		return 0, at, false
	}
	b = b[len(f.labels.fields):]
	if len(b) > 0 && uint64(b[0]) == tagValue {
		bits, n := protowire.ConsumeFixed64(b[1:])
		if n < 0 {
			return 0, at, false
		}
		value, b = math.Float64frombits(bits), b[1+n:]
	}
	if len(b) < len(f.described) || string(b[:len(f.described)]) != f.described {
		return 0, at, false
	}
	b = b[len(f.described):]
	if len(b) > 0 && uint64(b[0]) == tagTimestamp {
		from, end := textBounds(b)
		if end == 0 || !at.read(b[from:end]) {
			return 0, at, false
		}
		b = b[end:]
	}
	if f.kind == 0 {
		return value, at, len(b) == 0
	}
	return value, at, len(b) == 2 && uint64(b[0]) == tagType && b[1] == byte(f.kind)
}
