package actors

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestBackoffDelay(t *testing.T) {
	const second = time.Second
	f := func(b Backoff, n int, chance float64, want time.Duration) {
		t.Helper()
		require.Equal(t, want, b.delay(n, chance))
	}
	b := Backoff{Base: 2 * second, Cap: 10 * second}
	f(b, 1, 0, second)
	f(b, 1, 0.5, 1500*time.Millisecond)
	f(b, 2, 0, 2*second)
	f(b, 3, 0, 4*second)
	f(b, 4, 0, 5*second) // 16 s, capped
	f(b, 4, 0.5, 7500*time.Millisecond)
	f(b, 1_000_000, 0, 5*second)
	f(Backoff{Base: time.Minute, Cap: second}, 1, 0, second/2)
	f(Backoff{Cap: second}, 5, 0.9, 0)
	f(Backoff{Base: 1 << 62, Cap: 1<<63 - 1}, 100, 0, (1<<63-1)/2)
}

func TestBackoffDelayIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Backoff{Base: time.Duration(rapid.Int64Range(1, 1<<62).Draw(t, "base"))}
		b.Cap = b.Base + time.Duration(rapid.Int64Range(0, 1<<62-1).Draw(t, "cap over base"))
		n := rapid.IntRange(1, 100).Draw(t, "n")
		chance := rapid.Float64Range(0, 0.999).Draw(t, "chance")
		d := b.delay(n, chance)
		if d < b.Base/2 || d > b.Cap {
			t.Fatalf("%+v.delay(%d, %g) = %d", b, n, chance, d)
		}
		if next := b.delay(n+1, 0); next < b.delay(n, 0) {
			t.Fatalf("%+v: the wait shrinks to %d after failure %d", b, next, n)
		}
	})
}

func TestBackoffForgets(t *testing.T) {
	zero := time.Unix(0, 0)
	b := Backoff{Window: 10 * time.Second}
	f := func(now int, want int, failures ...int) {
		t.Helper()
		var times []time.Time
		for _, s := range failures {
			times = append(times, zero.Add(time.Duration(s)*time.Second))
		}
		require.Len(t, b.within(times, zero.Add(time.Duration(now)*time.Second)), want)
	}
	f(0, 1)
	f(9, 2, 0)
	f(10, 1, 0)
	f(12, 3, 1, 2, 3, 4)
	f(100, 1, 1, 2, 3, 4)
}
