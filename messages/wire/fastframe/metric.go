package fastframe

import (
	"math"
	"slices"
	"unicode/utf8"

	"fodc/messages"
	"fodc/messages/wire"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// Tags of the fields of a Metric, of an entry of its labels, and of a Timestamp.
const (
	tagName        = 1<<typeBits | typeBytes
	tagLabels      = 2<<typeBits | typeBytes
	tagValue       = 3<<typeBits | typeFixed64
	tagDescription = 4<<typeBits | typeBytes
	tagTimestamp   = 5<<typeBits | typeBytes
	tagType        = 6<<typeBits | typeVarint

	tagKey        = 1<<typeBits | typeBytes
	tagLabelValue = 2<<typeBits | typeBytes

	tagSeconds = 1<<typeBits | typeVarint
	tagNanos   = 2<<typeBits | typeVarint
)

// metric is a Metric as it stands in the frame. Its texts are slices of the frame, and were not
// checked.
type metric struct {
	name, help []byte
	kind       wire.MetricType
	value      float64
	time       timestamp
	// labels are the encoded map entries, in the order of the frame.
	labels [][]byte
}

// timestamp is a Timestamp. An encoded message may hold it in several parts.
type timestamp struct {
	there   bool
	seconds int64
	nanos   int32
}

// read sets m to what b says. It returns false if b is broken.
func (m *metric) read(b []byte) (ok bool) {
	*m = metric{labels: m.labels[:0]}
	for len(b) > 0 {
		var f field
		if f, b, ok = nextText(b); !ok {
			return false
		}
		switch f.tag {
		case tagName:
			// Of several the last one counts, and all must be UTF-8.
			if !utf8.Valid(m.name) {
				return false
			}
			m.name = f.bytes
		case tagLabels:
			m.labels = append(m.labels, f.bytes)
		case tagValue:
			m.value = math.Float64frombits(f.bits)
		case tagDescription:
			if !utf8.Valid(m.help) {
				return false
			}
			m.help = f.bytes
		case tagTimestamp:
			if !m.time.read(f.bytes) {
				return false
			}
		case tagType:
			m.kind = wire.MetricType(int32(f.bits))
		}
	}
	return true
}

// read merges an encoded Timestamp into t, as protobuf merges a field that is there twice.
func (t *timestamp) read(b []byte) (ok bool) {
	t.there = true
	return each(b, func(f field) bool {
		switch f.tag {
		case tagSeconds:
			t.seconds = int64(f.bits)
		case tagNanos:
			t.nanos = int32(f.bits)
		}
		return true
	})
}

func (t *timestamp) frame() *timestamppb.Timestamp {
	return &timestamppb.Timestamp{Seconds: t.seconds, Nanos: t.nanos}
}

// dropEmpty leaves out the labels that have an empty value: they are none. A metric whose
// labels are not as Go writes them, or that has a key twice, stays as it is: such a one is
// for normalize.
func (m *metric) dropEmpty() {
	if len(m.labels) > messages.MaxSeriesLabels || !slices.ContainsFunc(m.labels, endsLikeEmpty) {
		return
	}
	for i, entry := range m.labels {
		key, _, ok := plainEntry(entry)
		if !ok || !utf8.Valid(key) {
			return
		}
		for _, other := range m.labels[:i] {
			if before, _, _ := plainEntry(other); string(before) == string(key) {
				return
			}
		}
	}
	m.labels = slices.DeleteFunc(m.labels, func(entry []byte) bool {
		_, empty, _ := plainEntry(entry)
		return empty
	})
}

// endsLikeEmpty reports whether the entry ends as one does that has an empty value. There
// are others that do.
func endsLikeEmpty(entry []byte) bool {
	n := len(entry)
	return n >= 2 && uint64(entry[n-2]) == tagLabelValue && entry[n-1] == 0
}

// plainEntry returns the key of an entry, and whether its value is empty. ok is false
// unless it is the key and then the value, as Go writes it.
func plainEntry(entry []byte) (key []byte, empty, ok bool) {
	if len(entry) == 0 || uint64(entry[0]) != tagKey {
		return nil, false, false
	}
	from, end := textBounds(entry)
	if end == 0 || end == len(entry) || uint64(entry[end]) != tagLabelValue {
		return nil, false, false
	}
	value := entry[end:]
	valueFrom, valueEnd := textBounds(value)
	return entry[from:end], valueFrom == valueEnd, valueEnd == len(value)
}
