package recorder

import "encoding/binary"

// bitWriter writes a bit stream: numbers of any width, each with its lowest bit first.
type bitWriter struct {
	buf []byte
	// The lowest count bits of pending are not in buf yet.
	pending uint64
	count   int
}

const wordBits = 64

// writeBits writes v with the given width. The bits of v above the width must be 0.
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

// padByte fills the last byte with zeros, and writes what is pending.
func (w *bitWriter) padByte() {
	for ; w.count > 0; w.count -= 8 {
		w.buf = append(w.buf, byte(w.pending))
		w.pending >>= 8
	}
	w.pending, w.count = 0, 0
}

// bitReader reads a bit stream that a bitWriter wrote. Behind the bits that are read, data
// must have readPadding bytes more.
type bitReader struct {
	data []byte
	// offset is that of the next bit.
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
