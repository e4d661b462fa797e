package fastframe

import "google.golang.org/protobuf/encoding/protowire"

// field is one field of a message.
type field struct {
	// tag is the number and the type as on the wire, in its shortest form.
	tag uint64
	// bytes is the content of a field of type bytes, a slice of the message.
	bytes []byte
	// bits is the content of a varint, or of 64 fixed bits.
	bits uint64
}

// The types of fields that answers are made of.
const (
	typeVarint  = uint64(protowire.VarintType)
	typeFixed64 = uint64(protowire.Fixed64Type)
	typeBytes   = uint64(protowire.BytesType)
	typeBits    = 3
)

// next cuts the first field off b, which is not empty. ok is false if b is broken.
func next(b []byte) (f field, rest []byte, ok bool) {
	number, kind, n := protowire.ConsumeTag(b)
	if n < 0 || number > protowire.MaxValidNumber {
		return f, nil, false
	}
	b = b[n:]
	f.tag = uint64(number)<<typeBits | uint64(kind)
	switch kind {
	case protowire.VarintType:
		f.bits, n = protowire.ConsumeVarint(b)
	case protowire.Fixed64Type:
		f.bits, n = protowire.ConsumeFixed64(b)
	case protowire.BytesType:
		f.bytes, n = protowire.ConsumeBytes(b)
	default:
		n = protowire.ConsumeFieldValue(number, kind, b)
	}
	if n < 0 {
		return f, nil, false
	}
	return f, b[n:], true
}

// nextText is next with a fast path for fields of type bytes with a number below 16, which are
// the most frequent.
func nextText(b []byte) (f field, rest []byte, ok bool) {
	if len(b) < 2 || b[0]&(1<<typeBits-1) != byte(typeBytes) || b[0] >= more || b[0] < 1<<typeBits {
		return next(b)
	}
	from, end := textBounds(b)
	if end == 0 {
		return next(b)
	}
	return field{tag: uint64(b[0]), bytes: b[from:end:end]}, b[end:], true
}

// more is the bit of a varint's byte which says that another byte follows.
const more = 0x80

// textBounds returns where the content of b's first field lies. The field must be of type bytes
// with a tag of one byte. end is 0 if the field is broken, or longer than 16 KiB.
func textBounds(b []byte) (from, end int) {
	switch {
	case len(b) > 1 && b[1] < more:
		from, end = 2, 2+int(b[1])
	case len(b) > 2 && b[2] < more:
		from, end = 3, 3+int(b[1]&^more)+int(b[2])<<7
	default:
		return 0, 0
	}
	if end > len(b) {
		return 0, 0
	}
	return from, end
}

// each calls f with each field of the message, until f returns false. ok is false
// then, and if the message is broken.
func each(b []byte, f func(field) bool) (ok bool) {
	for len(b) > 0 {
		var one field
		if one, b, ok = nextText(b); !ok || !f(one) {
			return false
		}
	}
	return true
}

// appendText appends a field of bytes.
func appendText(dst []byte, tag uint64, text []byte) []byte {
	return protowire.AppendBytes(protowire.AppendVarint(dst, tag), text)
}

// fieldBounds is textBounds for a field of any length that appendText has made.
func fieldBounds(field string) (from, end int) {
	for from = 1; ; from++ {
		end |= int(field[from]&^more) << (7 * (from - 1))
		if field[from] < more {
			return from + 1, from + 1 + end
		}
	}
}
