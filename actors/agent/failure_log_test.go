package agent

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFailureLog(t *testing.T) {
	var l failureLog
	start := time.Unix(1000, 0)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }

	_, _, was := l.end(at(0))
	require.False(t, was, "it has not begun")

	require.True(t, l.record("refused", at(0)), "it starts")
	require.False(t, l.record("refused", at(1)), "it lasts")
	require.True(t, l.record("timeout after 10s", at(2)), "its cause changes")
	require.False(t, l.record("timeout after 9s", at(3)), "only a number differs")

	lasted, times, was := l.end(at(5))
	require.True(t, was)
	require.Equal(t, 5*time.Second, lasted)
	require.Equal(t, 4, times)
	_, _, was = l.end(at(6))
	require.False(t, was, "it is over already")
	require.True(t, l.record("timeout after 9s", at(7)), "it starts anew")
}

func TestWithoutNumbers(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		require.Equal(t, want, withoutNumbers(text))
	}
	f("", "")
	f("refused", "refused")
	f("127.0.0.1:40123->[::1]:80", "#.#.#.#:#->[::#]:#")
	f("7", "#")
}

func TestSchedule(t *testing.T) {
	s := schedule{interval: 10 * time.Second, phase: 3 * time.Second}
	at := func(ms int64) time.Time { return time.UnixMilli(1_000_000 + ms) } // 1000 s is 7 s behind a time of the schedule
	snap := func(from, want int64) {
		t.Helper()
		require.Equal(t, want, s.snap(at(from)).UnixMilli()-1_000_000)
	}
	snap(3000, 3000)
	snap(3050, 3000)
	snap(3051, 3051)
	snap(2950, 3000)
	snap(2949, 2949)
	snap(13_049, 13_000)
	require.Equal(t, int64(1_003_000), s.snap(at(3000).Add(time.Microsecond)).UnixMilli())
	require.Equal(t, at(5123), s.snap(at(5123).Add(900*time.Microsecond)), "whole milliseconds")

	next := func(from, want int64) {
		t.Helper()
		require.Equal(t, want, s.next(at(from)).UnixMilli()-1_000_000)
	}
	next(0, 3000)
	next(2949, 3000)
	next(2950, 13_000) // it snaps to 3000
	next(3000, 13_000)
	next(3049, 13_000)
	next(12_000, 13_000)
}

func TestScheduleOfTargets(t *testing.T) {
	a := newSchedule("http://127.0.0.1:2121/metrics", 10*time.Second)
	require.Equal(t, a, newSchedule("http://127.0.0.1:2121/metrics", 10*time.Second), "the same after a restart")
	require.NotEqual(t, a.phase, newSchedule("http://127.0.0.1:2122/metrics", 10*time.Second).phase)
	short := newSchedule("x", time.Nanosecond)
	require.Zero(t, short.phase)

	// Where the tolerance is a tenth of the interval.
	s := schedule{interval: 100 * time.Millisecond}
	require.Equal(t, time.UnixMilli(100), s.snap(time.UnixMilli(110)))
	require.Equal(t, time.UnixMilli(111), s.snap(time.UnixMilli(111)))
}
