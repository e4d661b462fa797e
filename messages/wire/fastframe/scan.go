package fastframe

import "google.golang.org/protobuf/encoding/protowire"

// field is one field of a message.
type field struct {
	// tag is the number and the type, as on the wire but in its shortest form.
	tag uint64
	// bytes is the content of a field of type bytes, part of the message.
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

// nextShort is next for fields with a number below 16 and less than 128 bytes, which
// are most.
func nextShort(b []byte) (f field, rest []byte, ok bool) {
	const short = 0x80
	if len(b) < 2 || b[0]&(1<<typeBits-1) != byte(typeBytes) || b[0] >= short || b[0] < 1<<typeBits || b[1] >= short {
		return next(b)
	}
	end := 2 + int(b[1])
	if end > len(b) {
		return f, nil, false
	}
	return field{tag: uint64(b[0]), bytes: b[2:end:end]}, b[end:], true
}

// each calls f with each field of the message, until f returns false. ok is false
// then, and if the message is broken.
func each(b []byte, f func(field) bool) (ok bool) {
	for len(b) > 0 {
		var one field
		if one, b, ok = next(b); !ok || !f(one) {
			return false
		}
	}
	return true
}
