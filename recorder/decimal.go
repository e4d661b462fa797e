package recorder

import (
	"math"

	"fodc/messages"
)

// Values become integers with small deltas, in one of two ways. The scale of a column says
// which.
//
// Most values of a page are decimal numbers of few digits: v is the double that is closest
// to n / 10^scale. Then the integer is n. The division gives back the same bits, because n
// and the power of ten are exact.
//
// If a column has any other value, the integers are the bits of all its values, in an order
// in which close values have close integers. The scale is rawBitsScale then.
const (
	maxScale     = 9 // nanoseconds as seconds
	rawBitsScale = 15
	// All integers below maxExact are exact as doubles.
	maxExact = 1 << 53
)

var powersOfTen = [maxScale + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// toIntegers appends the integers of the values that are not gaps, and returns their scale.
func toIntegers(dst []int64, values []float64) ([]int64, int) {
	scale := decimalScale(values)
	for _, v := range values {
		switch {
		case messages.IsGap(v):
		case scale == rawBitsScale:
			dst = append(dst, orderedBits(math.Float64bits(v)))
		default:
			n, ok := toDecimal(v, scale)
			if !ok { // It fits a lower scale alone: at this one it is not below maxExact.
				return bitsToIntegers(dst[:0], values), rawBitsScale
			}
			dst = append(dst, n)
		}
	}
	return dst, scale
}

func bitsToIntegers(dst []int64, values []float64) []int64 {
	for _, v := range values {
		if !messages.IsGap(v) {
			dst = append(dst, orderedBits(math.Float64bits(v)))
		}
	}
	return dst
}

// decimalScale returns the lowest scale such that each value fits it or a lower one.
func decimalScale(values []float64) (scale int) {
	var last uint64
	for _, v := range values {
		if b := math.Float64bits(v); b == last || messages.IsGap(v) {
			continue
		} else {
			last = b
		}
		for {
			if _, ok := toDecimal(v, scale); ok {
				break
			}
			if scale++; scale > maxScale {
				return rawBitsScale
			}
		}
	}
	return scale
}

// toDecimal returns the integer of a value at a scale. ok is false if it has none.
func toDecimal(v float64, scale int) (n int64, ok bool) {
	rounded := math.RoundToEven(v * powersOfTen[scale])
	if !(math.Abs(rounded) < maxExact) {
		return 0, false
	}
	n = int64(rounded)
	return n, math.Float64bits(fromDecimal(n, scale)) == math.Float64bits(v)
}

func fromDecimal(n int64, scale int) float64 { return float64(n) / powersOfTen[scale] }

// orderedBits returns the bits of a double as an integer that ascends as doubles do: all bits
// of a negative number but the sign are inverted. It is its own inverse.
func orderedBits(bits uint64) int64 { return int64(bits ^ uint64(int64(bits)>>63)>>1) }

func fromInteger(n int64, scale int) float64 {
	if scale == rawBitsScale {
		return math.Float64frombits(uint64(orderedBits(uint64(n))))
	}
	return fromDecimal(n, scale)
}
