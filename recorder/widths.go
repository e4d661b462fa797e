package recorder

import "math/bits"

// widths is a code for numbers, made for those of one column: each is written in
// the narrowest of three widths in bits that holds it, behind a prefix that tells
// which: 0, 10 and 11. Where all widths are the same there is no prefix; where the
// upper two are, it is 0 and 1.
type widths struct{ low, middle, high int }

// lengths counts numbers by their length in bits.
type lengths [wordBits + 1]int

// fit returns the widths under which the numbers take the fewest bits, and how many
// these are.
func (l *lengths) fit() (best widths, cost int) {
	high, all := 0, 0
	for n, count := range l {
		if count > 0 {
			high, all = n, all+count
		}
	}
	best, cost = widths{high, high, high}, all*high
	consider := func(w widths, c int) {
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
		consider(widths{low, high, high}, lowCost+(all-inLow)*(high+1))
		inMiddle := 0
		for middle := low + 1; middle < high; middle++ {
			if inMiddle += l[middle]; l[middle] > 0 {
				consider(widths{low, middle, high}, lowCost+inMiddle*(middle+2)+(all-inLow-inMiddle)*(high+2))
			}
		}
	}
	return best, cost
}

// widthBits is what a width takes.
const widthBits = 7

func (c widths) write(w *bitWriter) {
	w.put(uint64(c.low), widthBits)
	w.put(uint64(c.middle), widthBits)
	w.put(uint64(c.high), widthBits)
}

func readWidths(r *bitReader) widths {
	return widths{int(r.get(widthBits)), int(r.get(widthBits)), int(r.get(widthBits))}
}

func (c widths) put(w *bitWriter, n uint64) {
	length := bits.Len64(n)
	switch {
	case c.low == c.high:
		w.put(n, c.high)
	case length <= c.low:
		w.put(0, 1)
		w.put(n, c.low)
	case c.middle == c.high:
		w.put(1, 1)
		w.put(n, c.high)
	case length <= c.middle:
		w.put(0b01, 2)
		w.put(n, c.middle)
	default:
		w.put(0b11, 2)
		w.put(n, c.high)
	}
}

func (c widths) get(r *bitReader) uint64 {
	switch {
	case c.low == c.high:
		return r.get(c.high)
	case !r.flag():
		return r.get(c.low)
	case c.middle == c.high || r.flag():
		return r.get(c.high)
	default:
		return r.get(c.middle)
	}
}
