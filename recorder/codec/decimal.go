package codec

import "math"

// Values become integers with small deltas, in one of two ways. A scale says which.
//
// Most values of a page are decimal numbers of few digits: v is the double that is closest
// to n / 10^scale. Then the integer is n. The division gives back the same bits, because n
// and the power of ten are exact.
//
// At RawBitsScale the integer is the bits of the value, in an order in which close values
// have close integers. Every value has one.
const (
	MaxScale     = 9 // nanoseconds as seconds
	RawBitsScale = 15
	// MaxExact is the bound below which all integers are exact as doubles.
	MaxExact = 1 << 53
)

var powersOfTen = [MaxScale + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// ToDecimal returns the integer of a value at a scale up to MaxScale. ok is false if it has
// none.
func ToDecimal(v float64, scale int) (n int64, ok bool) {
	rounded := math.RoundToEven(v * powersOfTen[scale])
	if !(math.Abs(rounded) < MaxExact) {
		return 0, false
	}
	n = int64(rounded)
	return n, math.Float64bits(FromDecimal(n, scale)) == math.Float64bits(v)
}

// FromDecimal returns the value of an integer at a scale up to MaxScale.
func FromDecimal(n int64, scale int) float64 { return float64(n) / powersOfTen[scale] }

// OrderedBits returns the bits of a double as an integer that ascends as doubles do: all bits
// of a negative number but the sign are inverted. It is its own inverse.
func OrderedBits(bits uint64) int64 { return int64(bits ^ uint64(int64(bits)>>63)>>1) }

// FromInteger returns the value of an integer at any scale.
func FromInteger(n int64, scale int) float64 {
	if scale == RawBitsScale {
		return math.Float64frombits(uint64(OrderedBits(uint64(n))))
	}
	return FromDecimal(n, scale)
}
