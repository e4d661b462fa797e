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

// put appends the lowest bits of v; those above the width must be 0.
func (w *bitWriter) put(v uint64, width int) {
	w.pending |= v << w.count
	if w.count+width < wordBits {
		w.count += width
		return
	}
	w.buf = binary.LittleEndian.AppendUint64(w.buf, w.pending)
	w.pending = v >> (wordBits - w.count)
	w.count += width - wordBits
}

// align fills the last byte with zeros.
func (w *bitWriter) align() {
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
	// at is the number of the next bit.
	at int
}

const readPad = 9

func (r *bitReader) get(width int) uint64 {
	from := r.data[r.at>>3:]
	skip := r.at & 7
	r.at += width
	v := binary.LittleEndian.Uint64(from) >> skip
	if skip+width > wordBits {
		v |= uint64(from[8]) << (wordBits - skip)
	}
	return v & (1<<width - 1)
}

func (r *bitReader) flag() bool { return r.get(1) != 0 }
