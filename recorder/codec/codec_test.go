package codec

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBitStream(t *testing.T) {
	var w BitWriter
	length := 0
	for width := range WordBits + 1 {
		w.WriteBits(1<<width-1, width)
		w.WriteBits(0, 1)
		length += width + 1
		require.Equal(t, length, w.Len())
	}
	w.PadByte()
	require.Len(t, w.Buf, (length+7)/8)
	r := BitReader{Data: append(w.Buf, make([]byte, ReadPadding)...)}
	for width := range WordBits + 1 {
		require.Equal(t, uint64(1<<width-1), r.ReadBits(width))
		require.False(t, r.ReadBit())
	}
	require.Equal(t, length, r.Offset)
}

func TestZigzag(t *testing.T) {
	f := func(n int64, want uint64) {
		t.Helper()
		require.Equal(t, want, Zigzag(n))
		require.Equal(t, n, Unzigzag(want))
	}
	f(0, 0)
	f(-1, 1)
	f(1, 2)
	f(-2, 3)
	f(math.MaxInt64, math.MaxUint64-1)
	f(math.MinInt64, math.MaxUint64)
}

func TestDecimal(t *testing.T) {
	f := func(v float64, scale int, want int64, wantOK bool) {
		t.Helper()
		n, ok := ToDecimal(v, scale)
		require.Equal(t, wantOK, ok)
		if ok {
			require.Equal(t, want, n)
			require.Equal(t, math.Float64bits(v), math.Float64bits(FromInteger(n, scale)))
		}
	}
	f(7, 0, 7, true)
	f(-1.25, 2, -125, true)
	f(-1.25, 1, 0, false)
	f(4.3645e-05, 9, 43645, true)
	f(MaxExact-1, 0, MaxExact-1, true)
	f(MaxExact, 0, 0, false)
	f(math.Copysign(0, -1), 0, 0, false)
	f(math.NaN(), 0, 0, false)
	f(math.Inf(1), 3, 0, false)
}

// The integers of ordered bits ascend as the values do.
func TestOrderedBits(t *testing.T) {
	ascending := []float64{math.Inf(-1), -math.MaxFloat64, -1, -math.SmallestNonzeroFloat64, 0, 1e-300, 1, math.Inf(1)}
	for i, v := range ascending {
		n := OrderedBits(math.Float64bits(v))
		require.Equal(t, math.Float64bits(v), math.Float64bits(FromInteger(n, RawBitsScale)))
		if i > 0 {
			require.Greater(t, n, OrderedBits(math.Float64bits(ascending[i-1])))
		}
	}
}
