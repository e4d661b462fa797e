package messages

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseTime(t *testing.T) {
	good := func(text, want string) {
		t.Helper()
		got, err := ParseTime(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got.Format(time.RFC3339Nano))
		require.Equal(t, time.UTC, got.Location())
		require.False(t, got.IsZero())
	}
	good("2024-01-01T12:00:00Z", "2024-01-01T12:00:00Z")
	good("2024-01-01T12:00:00.123456789Z", "2024-01-01T12:00:00.123456789Z")
	good("2024-01-01T12:00:00.5+02:00", "2024-01-01T10:00:00.5Z")
	good("2024-01-01T12:00:00 02:00", "2024-01-01T10:00:00Z")
	good("2024-01-01T12:00:00-02:00", "2024-01-01T14:00:00Z")
	good("0", "1970-01-01T00:00:00Z")
	good("1700000000", "2023-11-14T22:13:20Z")
	good("1700000000.123", "2023-11-14T22:13:20.123Z")
	good("1700000000.1234567899", "2023-11-14T22:13:20.123456789Z")
	good("253402300799", "9999-12-31T23:59:59Z")

	bad := func(text, want string) {
		t.Helper()
		_, err := ParseTime(text)
		require.EqualError(t, err, want, text)
	}
	const neither = "neither RFC 3339 (2006-01-02T15:04:05Z) nor unix seconds"
	for _, text := range []string{"yesterday", "-15m", "-1", "1e9", "0x10", "NaN", "Inf", "1.", ".5", "1.2.3", "1,5", "2024-01-01", "2024-01-01T12:00:00",
		"2024-13-01T12:00:00Z", "١٢٣"} {
		bad(text, neither)
	}
	bad("1700000000123", "after the year 9999: seconds are wanted, not milliseconds")
	bad("253402300800", "after the year 9999: seconds are wanted, not milliseconds")
	bad("99999999999999999999", "after the year 9999: seconds are wanted, not milliseconds")
	bad("0001-01-01T00:00:00Z", "not within the years 1970 to 9999")
	bad("9999-12-31T23:59:59-01:00", "not within the years 1970 to 9999")
}

// Every time that is accepted can be written and read again.
func FuzzParseTime(f *testing.F) {
	for _, seed := range []string{"1700000000.123", "2024-01-01T12:00:00.5+02:00", "0", ".", "1.", "99999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := ParseTime(text)
		if err != nil {
			return
		}
		require.False(t, at.IsZero())
		require.GreaterOrEqual(t, at.Unix(), int64(0))
		again, err := ParseTime(at.Format(time.RFC3339Nano))
		require.NoError(t, err)
		require.True(t, at.Equal(again))
	})
}
