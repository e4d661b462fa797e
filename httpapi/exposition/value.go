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
		i := uint32(abs)
		if float64(i) == abs {
			return appendWhole(appendSign(b, v), i)
		}
		if i = uint32(abs*fractions + 0.5); float64(i)/fractions == abs {
			return appendFraction(appendWhole(appendSign(b, v), i/fractions), i%fractions)
		}
	case abs < exactLimit:
		if i := int64(abs); float64(i) == abs {
			return appendExponent(appendSign(b, v), uint64(i))
		}
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

// digits are the texts of the numbers below a thousand, with zeros in front.
var digits = func() (of [1000][3]byte) {
	for i := range of {
		of[i] = [3]byte{byte('0' + i/100), byte('0' + i/10%10), byte('0' + i%10)}
	}
	return of
}()

func appendSign(b []byte, v float64) []byte {
	if math.Signbit(v) {
		return append(b, '-')
	}
	return b
}

// appendWhole appends a number below shortLimit.
func appendWhole(b []byte, i uint32) []byte {
	first := i
	if i >= 1000 {
		first = i / 1000
	}
	switch d := &digits[first]; {
	case first >= 100:
		b = append(b, d[0], d[1], d[2])
	case first >= 10:
		b = append(b, d[1], d[2])
	default:
		b = append(b, d[2])
	}
	if i >= 1000 {
		d := &digits[i%1000]
		b = append(b, d[0], d[1], d[2])
	}
	return b
}

// appendFraction appends parts of a whole, of which there are some.
func appendFraction(b []byte, i uint32) []byte {
	switch d := &digits[i]; {
	case d[2] != '0':
		return append(b, '.', d[0], d[1], d[2])
	case d[1] != '0':
		return append(b, '.', d[0], d[1])
	default:
		return append(b, '.', d[0])
	}
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
