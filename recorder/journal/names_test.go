package journal

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNames(t *testing.T) {
	f := func(number int64, segment, pin string) {
		t.Helper()
		require.Equal(t, segment, segmentName(number))
		require.Equal(t, pin, pinName(number))
		got, ok := parseSegmentName(segment)
		require.True(t, ok)
		require.Equal(t, number, got)
		got, ok = parsePinName(pin)
		require.True(t, ok)
		require.Equal(t, number, got)
	}
	f(1, "00000001.segment", "00000001.pin")
	f(99_999_999, "99999999.segment", "99999999.pin")
	f(100_000_000, "100000000.segment", "100000000.pin")

	bad := func(name string) {
		t.Helper()
		_, ok := parseSegmentName(name)
		require.False(t, ok)
	}
	bad("00000001.pin")
	bad("1.segment")
	bad("000000001.segment")
	bad("00000000.segment")
	bad("-0000001.segment")
	bad("+0000001.segment")
	bad("0000001a.segment")
	bad("00000001.segment.tmp")
	bad("99999999999999999999.segment")
	bad(".segment")

	f(1<<30, "1073741824.segment", "1073741824.pin")
	bad("1073741825.segment")
	bad("9223372036854775807.segment")
}
