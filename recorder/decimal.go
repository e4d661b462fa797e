package recorder

import (
	"math"

	"fodc/messages"
)

// Values become words, whole numbers whose differences are small, in one of two
// ways. The scale of a column says which.
//
// Most values of a page are decimal numbers of few digits: v is the double next to
// n / 10^scale. Then the word is n. The division gives the double back bit by bit,
// because n and the power are exact.
//
// All others, and all of a column with one of them, are taken by their bits, in an
// order in which close numbers have close words (scaleBits).
const (
	maxScale     = 9 // nanoseconds as seconds
	rawBitsScale = 15
	// maxExact is the greatest number below which doubles are exact.
	maxExact = 1 << 53
)

var powersOfTen = [maxScale + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// toIntegers appends the words of the values that are not gaps, and returns their scale.
func toIntegers(dst []int64, values []float64) ([]int64, int) {
	scale := decimalScale(values)
	for _, v := range values {
		switch {
		case messages.IsGap(v):
		case scale == rawBitsScale:
			dst = append(dst, orderedBits(math.Float64bits(v)))
		default:
			n, ok := toDecimal(v, scale)
			if !ok { // It had fewer digits behind the point, and too many with these.
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

// decimalScale returns the lowest scale at which each value fits for itself.
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

// toDecimal returns the word of a value at a scale, and whether it has one.
func toDecimal(v float64, scale int) (word int64, ok bool) {
	n := math.RoundToEven(v * powersOfTen[scale])
	if !(math.Abs(n) < maxExact) {
		return 0, false
	}
	word = int64(n)
	return word, math.Float64bits(fromDecimal(word, scale)) == math.Float64bits(v)
}

func fromDecimal(word int64, scale int) float64 { return float64(word) / powersOfTen[scale] }

// orderedBits is its own inverse: the bits of negative numbers are turned over but for
// the sign, so that words ascend as the numbers do.
func orderedBits(bits uint64) int64 { return int64(bits ^ uint64(int64(bits)>>63)>>1) }

func fromInteger(word int64, scale int) float64 {
	if scale == rawBitsScale {
		return math.Float64frombits(uint64(orderedBits(uint64(word))))
	}
	return fromDecimal(word, scale)
}
