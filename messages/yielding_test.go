package messages

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestWorkYieldsToPages(t *testing.T) {
	var y Yielding
	begin := time.Unix(1000, 0)
	f := func(at time.Duration, pages bool, want time.Duration) {
		t.Helper()
		until := y.Until(pages, begin.Add(at))
		if want == 0 {
			require.Zero(t, until)
			return
		}
		require.Equal(t, want, until.Sub(begin))
	}
	const ms = time.Millisecond
	f(0, false, 0)
	f(10*ms, true, 10*ms+MaxYield)
	f(20*ms, true, 10*ms+MaxYield)
	f(30*ms, false, 0)
	f(49*ms, true, 0) // It goes on for as long as it has waited.
	f(50*ms, true, 50*ms+MaxYield)
	f(50*ms+MaxYield-1, true, 50*ms+MaxYield)
	f(50*ms+MaxYield, true, 0)
	f(50*ms+2*MaxYield-1, true, 0)
	f(50*ms+2*MaxYield, true, 50*ms+3*MaxYield)
	f(50*ms+2*MaxYield, false, 0) // The page has ended at once.
	f(50*ms+2*MaxYield, true, 50*ms+3*MaxYield)
}

// Whatever pages come when, work that looks often waits for no more than half of the time.
func TestWorkThatYieldsGoesOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var y Yielding
		begin := time.Unix(1000, 0)
		now, waited, inOneGo := begin, time.Duration(0), time.Duration(0)
		for range rapid.IntRange(1, 500).Draw(t, "looks") {
			until := y.Until(rapid.IntRange(0, 9).Draw(t, "pages") > 0, now)
			step := time.Duration(rapid.IntRange(1, 20).Draw(t, "ms")) * time.Millisecond
			if until.IsZero() {
				inOneGo = 0
			} else {
				step = min(step, until.Sub(now))
				require.Positive(t, step)
				waited, inOneGo = waited+step, inOneGo+step
			}
			now = now.Add(step)
			require.LessOrEqual(t, inOneGo, MaxYield)
			require.LessOrEqual(t, waited, now.Sub(begin)/2+MaxYield)
		}
	})
}
