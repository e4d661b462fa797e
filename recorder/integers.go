package recorder

import (
	"math"

	"fodc/messages"
	"fodc/recorder/codec"
)

// All values of a column become integers at one scale: the lowest decimal scale that fits
// them all, else codec.RawBitsScale.

// toIntegers appends the integers of the values that are not gaps, and returns their scale.
func toIntegers(dst []int64, values []float64) ([]int64, int) {
	scale := decimalScale(values)
	for _, v := range values {
		switch {
		case messages.IsGap(v):
		case scale == codec.RawBitsScale:
			dst = append(dst, codec.OrderedBits(math.Float64bits(v)))
		default:
			n, ok := codec.ToDecimal(v, scale)
			if !ok { // It fits a lower scale alone: at this one it is not below MaxExact.
				return bitsToIntegers(dst[:0], values), codec.RawBitsScale
			}
			dst = append(dst, n)
		}
	}
	return dst, scale
}

func bitsToIntegers(dst []int64, values []float64) []int64 {
	for _, v := range values {
		if !messages.IsGap(v) {
			dst = append(dst, codec.OrderedBits(math.Float64bits(v)))
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
			if _, ok := codec.ToDecimal(v, scale); ok {
				break
			}
			if scale++; scale > codec.MaxScale {
				return codec.RawBitsScale
			}
		}
	}
	return scale
}
