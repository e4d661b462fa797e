package recorder

import (
	"math/bits"

	"fodc/recorder/codec"
)

// widthCode is a prefix code for the numbers of one column. Each number is written in the
// smallest of three widths in bits that it fits, behind the prefix of the width: 0, 10 or 11.
// If all widths are equal, there is no prefix; if middle and high are equal, the prefix is 0
// or 1.
type widthCode struct{ low, middle, high int }

// lengthCounts counts the numbers of a column by their length in bits.
type lengthCounts [codec.WordBits + 1]int

// bestCode returns the code with which the numbers take the fewest bits, and how many bits.
func (l *lengthCounts) bestCode() (best widthCode, cost int) {
	high, all := 0, 0
	for n, count := range l {
		if count > 0 {
			high, all = n, all+count
		}
	}
	best, cost = widthCode{high, high, high}, all*high
	consider := func(w widthCode, c int) {
		if c < cost {
			best, cost = w, c
		}
	}
	inLow := 0
	for low, count := range l[:high] {
		if inLow += count; count == 0 {
			continue
		}
		lowCost := inLow * (low + 1)
		consider(widthCode{low, high, high}, lowCost+(all-inLow)*(high+1))
		inMiddle := 0
		for middle := low + 1; middle < high; middle++ {
			if inMiddle += l[middle]; l[middle] > 0 {
				consider(widthCode{low, middle, high}, lowCost+inMiddle*(middle+2)+(all-inLow-inMiddle)*(high+2))
			}
		}
	}
	return best, cost
}

// widthFieldBits is the size of a width in the header.
const widthFieldBits = 7

func (c widthCode) writeHeader(w *codec.BitWriter) {
	w.WriteBits(uint64(c.low), widthFieldBits)
	w.WriteBits(uint64(c.middle), widthFieldBits)
	w.WriteBits(uint64(c.high), widthFieldBits)
}

func readWidthCode(r *codec.BitReader) widthCode {
	return widthCode{int(r.ReadBits(widthFieldBits)), int(r.ReadBits(widthFieldBits)), int(r.ReadBits(widthFieldBits))}
}

func (c widthCode) write(w *codec.BitWriter, n uint64) {
	length := bits.Len64(n)
	switch {
	case c.low == c.high:
		w.WriteBits(n, c.high)
	case length <= c.low:
		w.WriteBits(0, 1)
		w.WriteBits(n, c.low)
	case c.middle == c.high:
		w.WriteBits(1, 1)
		w.WriteBits(n, c.high)
	case length <= c.middle:
		w.WriteBits(0b01, 2)
		w.WriteBits(n, c.middle)
	default:
		w.WriteBits(0b11, 2)
		w.WriteBits(n, c.high)
	}
}

func (c widthCode) read(r *codec.BitReader) uint64 {
	switch {
	case c.low == c.high:
		return r.ReadBits(c.high)
	case !r.ReadBit():
		return r.ReadBits(c.low)
	case c.middle == c.high || r.ReadBit():
		return r.ReadBits(c.high)
	default:
		return r.ReadBits(c.middle)
	}
}
