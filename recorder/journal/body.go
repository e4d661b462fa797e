package journal

import "encoding/binary"

// body reads the fields of a record. After a field that is not there, or too large, bad is
// true and all fields are zero.
type body struct {
	left []byte
	bad  bool
}

func (b *body) fail() {
	b.left, b.bad = nil, true
}

func (b *body) uvarint() uint64 {
	v, n := binary.Uvarint(b.left)
	if n <= 0 {
		b.fail()
		return 0
	}
	b.left = b.left[n:]
	return v
}

func (b *body) varint() int64 {
	v, n := binary.Varint(b.left)
	if n <= 0 {
		b.fail()
		return 0
	}
	b.left = b.left[n:]
	return v
}

// number reads an unsigned number up to most.
func (b *body) number(most int) int {
	v := b.uvarint()
	if v > uint64(most) {
		b.fail()
		return 0
	}
	return int(v)
}

// count reads how many things follow, each of which takes at least so many bytes.
func (b *body) count(most, bytesEach int) int {
	n := b.number(most)
	if n > len(b.left)/bytesEach {
		b.fail()
		return 0
	}
	return n
}

func (b *body) byte() byte {
	if len(b.left) == 0 {
		b.fail()
		return 0
	}
	v := b.left[0]
	b.left = b.left[1:]
	return v
}

// bytes reads a length up to most, and as many bytes. They are valid as long as the record.
func (b *body) bytes(most int) []byte {
	n := b.count(most, 1)
	v := b.left[:n]
	b.left = b.left[n:]
	return v
}

func (b *body) text(most int) string { return string(b.bytes(most)) }

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}
