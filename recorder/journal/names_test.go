package journal

import (
	"strings"
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
		for _, name := range []string{pin, strings.Replace(pin, ".incident", ".pin", 1)} {
			got, byHand, ok := parsePinName(name)
			require.True(t, ok)
			require.Equal(t, number, got)
			require.Equal(t, name != pin, byHand)
		}
	}
	f(1, "00000001.segment", "00000001.incident")
	f(99_999_999, "99999999.segment", "99999999.incident")
	f(100_000_000, "100000000.segment", "100000000.incident")

	bad := func(name string) {
		t.Helper()
		_, ok := parseSegmentName(name)
		require.False(t, ok)
	}
	bad("00000001.pin")
	bad("00000001.incident")
	bad("1.segment")
	bad("000000001.segment")
	bad("00000000.segment")
	bad("-0000001.segment")
	bad("+0000001.segment")
	bad("0000001a.segment")
	bad("00000001.segment.tmp")
	bad("99999999999999999999.segment")
	bad(".segment")

	f(1<<30, "1073741824.segment", "1073741824.incident")
	bad("1073741825.segment")
	bad("9223372036854775807.segment")
}
