package recorder

import "encoding/binary"

// bitWriter appends numbers of any width, the lowest bit first.
type bitWriter struct {
	buf []byte
	// pending holds the bits that do not fill a word yet, in its lowest count bits.
	pending uint64
	count   int
}

const wordBits = 64

// writeBits appends the lowest bits of v; those above the width must be 0.
func (w *bitWriter) writeBits(v uint64, width int) {
	w.pending |= v << w.count
	if w.count+width < wordBits {
		w.count += width
		return
	}
	w.buf = binary.LittleEndian.AppendUint64(w.buf, w.pending)
	w.pending = v >> (wordBits - w.count)
	w.count += width - wordBits
}

// padByte fills the last byte with zeros.
func (w *bitWriter) padByte() {
	for ; w.count > 0; w.count -= 8 {
		w.buf = append(w.buf, byte(w.pending))
		w.pending >>= 8
	}
	w.pending, w.count = 0, 0
}

// bitReader reads what a bitWriter wrote. Behind the bits that are asked for,
// readPad more bytes must be there.
type bitReader struct {
	data []byte
	// offset is the number of the next bit.
	offset int
}

const readPadding = 9

func (r *bitReader) readBits(width int) uint64 {
	from := r.data[r.offset>>3:]
	skip := r.offset & 7
	r.offset += width
	v := binary.LittleEndian.Uint64(from) >> skip
	if skip+width > wordBits {
		v |= uint64(from[8]) << (wordBits - skip)
	}
	return v & (1<<width - 1)
}

func (r *bitReader) readBit() bool { return r.readBits(1) != 0 }
