package journal

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// filesOf makes segments of 100 bytes, one a letter: o is open, p pinned, s stuck, x cannot be read,
// e has no scrape, c is none of these. The newest sample of the n-th is n hours old at hour 0.
func filesOf(kinds string) segmentFiles {
	var l segmentFiles
	for i, kind := range kinds {
		f := &segmentFile{bytes: 100, info: SegmentInfo{Number: int64(i + 1), LastNumber: int64(10 * (i + 1)), MaxTime: int64(i+1) * time.Hour.Milliseconds()}}
		f.open, f.stuck, f.info.Pinned = kind == 'o', kind == 's', kind == 'p'
		if kind == 'x' || kind == 'e' {
			f.info.LastNumber, f.info.MaxTime = 0, 0
		}
		l = append(l, f)
	}
	return l
}

func (f *segmentFile) number() int64 {
	if f == nil {
		return 0
	}
	return f.info.Number
}

func TestRetentionRoom(t *testing.T) {
	f := func(files string, limit, more int64, remove int64, fits bool) {
		t.Helper()
		r := retention{bytes: limit}
		got, gotFits := r.room(filesOf(files), more)
		require.Equal(t, remove, got.number())
		require.Equal(t, fits, gotFits)
	}
	f("", 100, 100, 0, true)
	f("", 100, 101, 0, false)
	f("ccco", 500, 100, 0, true)
	f("ccco", 500, 101, 1, false)
	f("psco", 500, 101, 3, false)
	f("xcco", 500, 101, 1, false)
	f("ppso", 500, 101, 0, false)
	f("o", 150, 60, 0, false)
	f("cpo", 300, 101, 0, false) // Removing the first would not do: so it stays.
	f("cpo", 300, 100, 1, false)
	f("cpo", 299, 101, 1, false) // There is too much already.
	f("spo", 300, 50, 0, false)

	many := filesOf("ccco")
	for len(many) <= maxSegments {
		many = append(many, filesOf("c")...)
	}
	r := retention{bytes: 1 << 40}
	remove, fits := r.room(many, 0)
	require.EqualValues(t, 1, remove.number())
	require.False(t, fits, "too many files")
}

func TestRetentionExpires(t *testing.T) {
	f := func(files string, hour int, remove int64) {
		t.Helper()
		r := retention{time: 10 * time.Hour}
		require.Equal(t, remove, r.nextExpired(filesOf(files), time.UnixMilli(0).Add(time.Duration(hour)*time.Hour)).number())
	}
	f("ccco", 11, 0)
	f("ccco", 12, 1)
	f("pcco", 12, 0)
	f("pcco", 13, 2)
	f("o", 100, 0)
	f("eco", 12, 0) // Without a scrape it is as old as the next one.
	f("eco", 13, 1)
	f("xco", 13, 1)
	f("ex", 1000, 0)
	f("cc", 1000, 1)
	f("ce", 1000, 0) // The newest one with a scrape stays.

	r := retention{time: 10 * time.Hour}
	now := time.UnixMilli(0).Add(1000 * time.Hour)
	files := filesOf("cccc")
	require.EqualValues(t, 1, r.nextExpired(files, now).number())
	require.Nil(t, r.nextExpired(files[1:], now.Add(59*time.Second)))
	require.EqualValues(t, 2, r.nextExpired(files[1:], now.Add(time.Minute)).number())
}

func TestRotationIsDue(t *testing.T) {
	r := newRotation(&Config{RetentionBytes: 1 << 30})
	f := func(size int64, at time.Duration, want bool) {
		t.Helper()
		current := &SegmentInfo{LastNumber: 7, Size: size, MinTime: 1000, MaxTime: 1000 + time.Hour.Milliseconds()}
		require.Equal(t, want, r.isDue(current, 1000+at.Milliseconds()))
	}
	f(100, time.Hour, false)
	f(maxSegmentBytes-1, time.Hour, false)
	f(maxSegmentBytes, time.Hour, true)
	f(100, 2*time.Hour-1, false)
	f(100, 2*time.Hour, true)
	f(100, 59*time.Minute, false)
	f(100, 59*time.Minute-time.Millisecond, true)
	require.False(t, r.isDue(&SegmentInfo{Size: 1 << 40}, 0), "without a scrape nothing is gained")
	require.EqualValues(t, 1<<20, newRotation(&Config{RetentionBytes: 16 << 20}).bytes)
	require.Equal(t, maxSegmentTime, newRotation(&Config{MaxSegmentTime: 3 * time.Hour}).time)
	require.Equal(t, time.Minute, newRotation(&Config{MaxSegmentTime: time.Minute}).time)
}

// Times that are far out are none beyond the others.
func TestSelectorOfTimesFarOut(t *testing.T) {
	f := func(at, to int64, want bool) {
		t.Helper()
		require.Equal(t, want, (&selector{to: to}).isPast(at))
	}
	f(1_060_000, 1_000_000, false)
	f(1_060_001, 1_000_000, true)
	f(math.MinInt64, 1_000_000, false)
	f(math.MaxInt64, 1_000_000, true)
	f(math.MaxInt64, math.MinInt64, true)
	f(math.MaxInt64, math.MaxInt64, false)
}

func TestBackoff(t *testing.T) {
	b := backoff{}
	now := time.UnixMilli(0)
	require.False(t, b.holds(now))
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		b.failed(now)
		now = now.Add(want*time.Second - 1)
		require.True(t, b.holds(now))
		now = now.Add(1)
		require.False(t, b.holds(now))
	}
	b.succeeded()
	b.failed(now)
	require.False(t, b.holds(now.Add(time.Second)))
}

func TestFreeSpaceIsEnough(t *testing.T) {
	f := func(min float64, low bool, free uint64, more int64, want bool) {
		t.Helper()
		s := freeSpace{min: min, low: low}
		require.Equal(t, want, s.isEnough(free, 1000, more))
	}
	f(0.05, false, 50, 0, true)
	f(0.05, false, 49, 0, false)
	f(0.05, true, 54, 0, false)
	f(0.05, true, 56, 0, true)
	f(0.05, false, 60, 10, true)
	f(0.05, false, 60, 11, false)
	f(0, false, 0, 0, true)
}
