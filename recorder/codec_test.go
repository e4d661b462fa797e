package recorder

import (
	"encoding/binary"
	"math"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder/codec"
)

// packed returns the packed values, with the pad that a reader needs.
func packed(values []float64) []byte {
	var e encoder
	e.encode(values)
	return append(e.Buf, make([]byte, codec.ReadPadding)...)
}

// requireRoundTrip checks that values come back bit by bit, those of fewer scrapes too,
// and returns what they take.
func requireRoundTrip(t require.TestingT, values []float64) (bytes int) {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	data := packed(values)
	for _, scrapes := range []int{len(values), len(values) / 2, 0} {
		got := make([]float64, scrapes)
		decode(got, data, len(values))
		for i, v := range got {
			require.Equal(t, math.Float64bits(values[i]), math.Float64bits(v), "scrape %d of %v", i, values)
		}
	}
	return len(data) - codec.ReadPadding
}

func TestCodec(t *testing.T) {
	f := func(bytes int, values ...float64) {
		t.Helper()
		require.Equal(t, bytes, requireRoundTrip(t, values))
	}
	nan, payload := math.NaN(), math.Float64frombits(0x7ff8dead0000beef)
	negativeZero := math.Copysign(0, -1)
	f(2, 0)
	f(2, 0, 0, 0, 0, 0)
	f(9, math.Pi, math.Pi)
	f(5, 1e6, 1e6, 1e6, 1e6)
	f(2, messages.Gap)
	f(3, messages.Gap, 0, messages.Gap, messages.Gap, 0, messages.Gap, messages.Gap, messages.Gap)
	f(9, nan, nan)
	f(18, payload, nan)
	f(9, negativeZero)
	f(12, negativeZero, 0)
	f(19, math.Inf(1), math.Inf(-1))
	f(19, math.MaxFloat64, -math.MaxFloat64)
	f(10, math.SmallestNonzeroFloat64, messages.Gap)
}

// pattern returns 120 values.
func pattern(f func(i int) float64) []float64 {
	values := make([]float64, defaultChunkScrapes)
	for i := range values {
		values[i] = f(i)
	}
	return values
}

// The encoded size of a column depends on how much its values change.
func TestCodecIsShort(t *testing.T) {
	f := func(name string, most int, value func(i int) float64) {
		t.Run(name, func(t *testing.T) {
			require.LessOrEqual(t, requireRoundTrip(t, pattern(value)), most)
		})
	}
	f("constant", 4, func(int) float64 { return 1024 })
	f("up gauge", 4, func(int) float64 { return 1 })
	f("steady counter", 12, func(i int) float64 { return 1e9 + 10_000*float64(i) })
	f("one step", 28, func(i int) float64 { return float64(i / 60) })
	f("bursts", 40, func(i int) float64 { return float64(i/40) * 826_613 })
	f("counter", 8+120*6/8, func(i int) float64 { return float64(25*i + i*i%25) })
	f("hundredths", 20+120, func(i int) float64 { return float64(31*i+i*i%7) / 100 })
	f("nanoseconds", 12, func(i int) float64 { return float64(1_000_001*i) / 1e9 })
	f("bytes", 16+120*4, func(i int) float64 { return 2e7 + float64(i*i*7919%100_000_000) })
	f("walk", 16+120*51/8, func(i int) float64 { return 20 + math.Sin(float64(i*i)) })
}

func TestToIntegers(t *testing.T) {
	f := func(scale int, values ...float64) {
		t.Helper()
		integers, got := toIntegers(nil, values)
		require.Equal(t, scale, got)
		for i, v := range values {
			require.Equal(t, math.Float64bits(v), math.Float64bits(codec.FromInteger(integers[i], got)))
		}
	}
	f(0, 1, 2, -3, 0)
	f(0, codec.MaxExact-1, 1-codec.MaxExact)
	f(codec.RawBitsScale, codec.MaxExact)
	f(1, 0.5)
	f(2, 0.16, 0.5, 7, -1.25)
	f(9, 4.3645e-05)
	f(codec.RawBitsScale, 1e-10)
	f(codec.RawBitsScale, codec.MaxExact-1, 0.5)
	f(codec.RawBitsScale, 0.5, codec.MaxExact-1)
	f(codec.RawBitsScale, 1, math.NaN())
	f(codec.RawBitsScale, math.Inf(1))
	f(codec.RawBitsScale, 60.369051023999994)
}

func TestWidthCode(t *testing.T) {
	f := func(want widthCode, cost int, numbers ...uint64) {
		t.Helper()
		var l lengthCounts
		for _, n := range numbers {
			l[bits.Len64(n)]++
		}
		w, c := l.bestCode()
		require.Equal(t, want, w)
		require.Equal(t, cost, c)
		var out codec.BitWriter
		for _, n := range numbers {
			w.write(&out, n)
		}
		require.Equal(t, cost, out.Len())
		out.PadByte()
		in := codec.BitReader{Data: append(out.Buf, make([]byte, codec.ReadPadding)...)}
		for _, n := range numbers {
			require.Equal(t, n, w.read(&in))
		}
	}
	f(widthCode{0, 0, 0}, 0, 0, 0, 0)
	f(widthCode{3, 3, 3}, 12, 4, 7, 1, 5)
	f(widthCode{64, 64, 64}, 128, math.MaxUint64, 1<<63)
	f(widthCode{0, 9, 9}, 7+10, 0, 0, 0, 0, 0, 0, 0, 300)
	f(widthCode{0, 64, 64}, 7+65, 0, 0, 0, 0, 0, 0, 0, math.MaxUint64)
	f(widthCode{0, 10, 40}, 8+12+42, 0, 0, 0, 0, 0, 0, 0, 0, 1000, 1<<39)
}

// FuzzCodec packs values of any bits: eight bytes of the input each, or, so that
// likely columns are met as well, small steps and decimals.
func FuzzCodec(f *testing.F) {
	f.Add([]byte{}, byte(0))
	f.Add(binary.LittleEndian.AppendUint64(nil, math.Float64bits(messages.Gap)), byte(0))
	f.Add(binary.LittleEndian.AppendUint64(nil, 0x7ff8dead0000beef), byte(0))
	f.Add([]byte("some steps, up and down"), byte(1))
	f.Add([]byte{1, 2, 3, 255, 255, 7, 0, 0, 0, 128}, byte(2))
	f.Fuzz(func(t *testing.T, input []byte, form byte) {
		var values []float64
		sum := int64(0)
		for len(input) > 0 && len(values) < 1_000 {
			if form == 0 {
				var bits [8]byte
				input = input[copy(bits[:], input):]
				values = append(values, math.Float64frombits(binary.LittleEndian.Uint64(bits[:])))
				continue
			}
			step := int64(int8(input[0]))
			input = input[1:]
			if step == -1 {
				values = append(values, messages.Gap)
				continue
			}
			sum += step << (form % 60)
			values = append(values, float64(sum)/math.Pow10(int(form)%(codec.MaxScale+1)))
		}
		requireRoundTrip(t, values)
	})
}
