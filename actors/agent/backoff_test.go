package agent

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestReturnsAreSpread has many links lose their sessions at one moment and counts how
// many of their attempts fall into any tenth of the interval after the proxy is back.
// A tenth of them is what an even spread has; half of them is what delays that double
// after the loss have when the proxy is back after a second.
func TestReturnsAreSpread(t *testing.T) {
	const (
		links    = 4_000
		interval = 5 * time.Second
		step     = interval / 10
	)
	random := rand.New(rand.NewPCG(1, 2))
	for _, away := range []time.Duration{
		10 * time.Millisecond, time.Second, 3 * time.Second, 30 * time.Second, 30*time.Second + interval/2, time.Hour,
	} {
		var returns []time.Duration
		for range links {
			pace := backoff{interval: interval, random: func(limit time.Duration) time.Duration {
				return time.Duration(random.Int64N(int64(limit) + 1))
			}}
			pace.lost()
			at := pace.failed() // the attempt at once has failed
			for at < away {
				at += pace.failed()
			}
			returns = append(returns, at-away)
		}
		require.LessOrEqual(t, slices.Max(returns), interval)
		for from := time.Duration(0); from <= interval-step; from += step / 4 {
			inside := 0
			for _, r := range returns {
				if r >= from && r < from+step {
					inside++
				}
			}
			share := float64(inside) / links
			require.InDelta(t, 0.1, share, 0.03, "away for %s, from %s on", away, from)
		}
	}
}
