package codec

import "encoding/binary"

// BitWriter writes a bit stream: numbers of any width, each with its lowest bit first.
type BitWriter struct {
	Buf []byte
	// The lowest count bits of pending are not in Buf yet.
	pending uint64
	count   int
}

// WordBits is the largest width.
const WordBits = 64

// WriteBits writes v with the given width. The bits of v above the width must be 0.
func (w *BitWriter) WriteBits(v uint64, width int) {
	w.pending |= v << w.count
	if w.count+width < WordBits {
		w.count += width
		return
	}
	w.Buf = binary.LittleEndian.AppendUint64(w.Buf, w.pending)
	w.pending = v >> (WordBits - w.count)
	w.count += width - WordBits
}

// Len returns how many bits Buf will have behind PadByte, without its padding.
func (w *BitWriter) Len() int { return 8*len(w.Buf) + w.count }

// PadByte fills the last byte with zeros, and writes what is pending.
func (w *BitWriter) PadByte() {
	for ; w.count > 0; w.count -= 8 {
		w.Buf = append(w.Buf, byte(w.pending))
		w.pending >>= 8
	}
	w.pending, w.count = 0, 0
}

// BitReader reads a bit stream that a BitWriter wrote. Behind the bits that are read, Data
// must have ReadPadding bytes more.
type BitReader struct {
	Data []byte
	// Offset is that of the next bit.
	Offset int
}

// ReadPadding is how many bytes a read may touch behind the byte of its first bit.
const ReadPadding = 9

// ReadBits reads a number of the given width.
func (r *BitReader) ReadBits(width int) uint64 {
	from := r.Data[r.Offset>>3:]
	skip := r.Offset & 7
	r.Offset += width
	v := binary.LittleEndian.Uint64(from) >> skip
	if skip+width > WordBits {
		v |= uint64(from[8]) << (WordBits - skip)
	}
	return v & (1<<width - 1)
}

// ReadBit reads one bit.
func (r *BitReader) ReadBit() bool { return r.ReadBits(1) != 0 }
