package agent

import "time"

// retryBase bounds the first delay of a link that has had no session yet. The bound doubles
// with each failure, up to the reconnect interval.
const retryBase = 250 * time.Millisecond

// backoff is how long a link waits after an attempt that failed.
//
//	no session yet      random below 250 ms, 500 ms, 1 s ... the interval; then the interval
//	a session was lost  random below the interval; then the interval
//
// When a proxy goes down, all its agents lose their sessions at the same time. With doubling
// delays half of them would come back within a tenth of the interval. A first delay that is
// random over the whole interval spreads them evenly, and equal delays from then on keep
// them spread, however long the proxy is down.
type backoff struct {
	interval time.Duration
	random   func(limit time.Duration) time.Duration // uniform in [0, limit]

	bound  time.Duration // of the newest delay; 0 = none yet
	spaced bool          // the links of all agents are spread over the interval
}

// failed returns the delay after a failed attempt.
func (b *backoff) failed() time.Duration {
	if b.spaced {
		return b.interval
	}
	b.bound = min(max(2*b.bound, retryBase), b.interval)
	b.spaced = b.bound == b.interval
	return b.random(b.bound)
}

// lost records that a session was lost: the next delay is random below the interval.
func (b *backoff) lost() { b.bound, b.spaced = b.interval, false }

// spread returns the delay before the first attempt after all agents of the proxy have lost
// their sessions at the same time.
func (b *backoff) spread() time.Duration {
	b.lost()
	return b.failed()
}
