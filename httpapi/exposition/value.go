package exposition

import (
	"math"
	"strconv"
)

const (
	// shortLimit bounds the numbers that are written without an exponent.
	shortLimit = 1e6
	// fractions is how many parts of a whole the numbers that are written quickly are
	// multiples of.
	fractions = 1000
	// exactLimit bounds the whole numbers of 15 digits: no two texts of so few digits are
	// the same float64, so that the one that was found is the shortest one.
	exactLimit = 1e15
)

// appendValue appends the shortest text that reads back as the same bits, as
// strconv.AppendFloat with 'g' does. Most values of most pages are whole numbers, or
// have few digits behind the point, which are cheaper this way.
func appendValue(b []byte, v float64) []byte {
	abs := math.Abs(v)
	switch {
	case abs < shortLimit:
		if i := int64(abs*fractions + 0.5); float64(i)/fractions == abs {
			if math.Signbit(v) {
				b = append(b, '-')
			}
			return appendFraction(b, uint64(i))
		}
	case abs < exactLimit:
		if i := int64(abs); float64(i) == abs {
			if v < 0 {
				b = append(b, '-')
			}
			return appendExponent(b, uint64(i))
		}
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

// appendFraction appends i parts of a whole.
func appendFraction(b []byte, i uint64) []byte {
	b = strconv.AppendUint(b, i/fractions, 10)
	rest := i % fractions
	if rest == 0 {
		return b
	}
	b = append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
	return trimZeros(b)
}

// appendExponent appends a whole number of two digits and more.
func appendExponent(b []byte, i uint64) []byte {
	start := len(b)
	b = strconv.AppendUint(append(b, 0), i, 10)
	exponent := len(b) - start - 2
	b[start], b[start+1] = b[start+1], '.'
	b = trimZeros(b)
	if b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	return append(b, 'e', '+', byte('0'+exponent/10), byte('0'+exponent%10))
}

// trimZeros cuts the zeros at the end, of which not all of b are.
func trimZeros(b []byte) []byte {
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}
