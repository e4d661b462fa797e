package messages

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxUnixSeconds is the end of the year 9999, the last that RFC 3339 can say.
const maxUnixSeconds = 253402300799

// nanoDigits is how many decimals of a second are read.
const nanoDigits = 9

// ErrNoTime is the error of ParseTime for a text in another form.
var ErrNoTime = errors.New("neither RFC 3339 (2006-01-02T15:04:05Z) nor unix seconds")

// ParseTime reads a time as users write it: RFC 3339, or unix seconds with decimals. The result
// is in UTC, and never the zero time.
func ParseTime(text string) (time.Time, error) {
	if t, ok, err := parseUnix(text); ok {
		return t, err
	}
	// A plus sign that was not escaped in the query arrives as a space.
	t, err := time.Parse(time.RFC3339Nano, strings.ReplaceAll(text, " ", "+"))
	if err != nil {
		return t, ErrNoTime
	}
	if t = t.UTC(); t.Unix() < 0 || t.Unix() > maxUnixSeconds {
		return t, fmt.Errorf("not within the years 1970 to 9999")
	}
	return t, nil
}

// parseUnix reads digits with or without decimals; ok is false for other texts. It
// keeps to integers: as a float, a bound could miss the sample it was taken from.
func parseUnix(text string) (t time.Time, ok bool, err error) {
	whole, decimals, dotted := strings.Cut(text, ".")
	if !isDigits(whole) || dotted && !isDigits(decimals) {
		return t, false, nil
	}
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds > maxUnixSeconds {
		return t, true, fmt.Errorf("after the year 9999: seconds are wanted, not milliseconds")
	}
	decimals = (decimals + strings.Repeat("0", nanoDigits))[:nanoDigits]
	nanos, err := strconv.ParseInt(decimals, 10, 64)
	if err != nil {
		return t, true, fmt.Errorf("read its decimals: %w", err)
	}
	return time.Unix(seconds, nanos).UTC(), true, nil
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
