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

// dropEmpty removes the labels that have an empty value, as they are no labels. It changes
// nothing if an entry is not encoded as Go does it, or if a key is there twice: then normalize
// removes them.
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

// endsLikeEmpty reports whether the entry ends with the bytes of an empty value. A value may
// happen to end with the same bytes: see plainEntry.
func endsLikeEmpty(entry []byte) bool {
	n := len(entry)
	return n >= 2 && uint64(entry[n-2]) == tagLabelValue && entry[n-1] == 0
}

// plainEntry returns the key of an entry, and whether its value is empty. ok is false if the
// entry is not a key followed by a value, as Go encodes it.
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
