package journal

import (
	"math"

	"fodc/recorder/codec"
)

// The scale of a series says how its values become integers:
//
//	0 to 9   decimal: the value is n / 10^scale
//	10, 11   units: the value is n * 1024, n * 4096. Sizes in memory are such numbers.
//	15       raw bits: see codec.RawBitsScale
//
// The encoder chooses, the decoder is told: see encodeLiteral.
const (
	scaleKiB  = 10
	scalePage = 11
	kibShift  = 10
	pageShift = 12
	// noScale is the scale of a series before its first value.
	noScale = 0xff
)

// knownScale reports whether a scale is one of the list.
func knownScale(scale uint8) bool { return scale <= scalePage || scale == codec.RawBitsScale }

// toInteger returns the integer of a value at a scale. ok is false if it has none.
func toInteger(v float64, scale uint8) (n int64, ok bool) {
	switch {
	case scale == 0:
		return toWhole(v)
	case scale <= codec.MaxScale:
		return codec.ToDecimal(v, int(scale))
	case scale == codec.RawBitsScale:
		return codec.OrderedBits(math.Float64bits(v)), true
	}
	n, ok = toWhole(v)
	shift := unitShift(scale)
	return n >> shift, ok && n&(1<<shift-1) == 0
}

// toWhole is codec.ToDecimal at scale 0.
func toWhole(v float64) (n int64, ok bool) {
	if !(math.Abs(v) < codec.MaxExact) {
		return 0, false
	}
	n = int64(v)
	return n, math.Float64bits(float64(n)) == math.Float64bits(v)
}

// fromInteger returns the value of an integer at a known scale.
func fromInteger(n int64, scale uint8) float64 {
	switch scale {
	case 0:
		return float64(n)
	case scaleKiB, scalePage:
		return float64(n << unitShift(scale))
	}
	return codec.FromInteger(n, int(scale))
}

func unitShift(scale uint8) int {
	if scale == scalePage {
		return pageShift
	}
	return kibShift
}

// chooseScale returns the scale at which the integer of the value is smallest.
func chooseScale(v float64) uint8 {
	if n, ok := toWhole(v); ok {
		return wholeScale(n)
	}
	for scale := 1; scale <= codec.MaxScale; scale++ {
		if _, ok := codec.ToDecimal(v, scale); ok {
			return uint8(scale)
		}
	}
	return codec.RawBitsScale
}

// wholeScale returns the largest unit of which the number is a multiple.
func wholeScale(n int64) uint8 {
	switch {
	case n == 0 || n&(1<<kibShift-1) != 0:
		return 0
	case n&(1<<pageShift-1) != 0:
		return scaleKiB
	default:
		return scalePage
	}
}
