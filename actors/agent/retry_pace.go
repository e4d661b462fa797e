package agent

import "time"

// retryBase bounds the first delay of a link that has had no session yet; each further
// bound is twice the one before, up to the reconnect interval.
const retryBase = 250 * time.Millisecond

// retryPace is how long a link waits after an attempt that failed.
//
//	no session yet      chance below 250 ms, 500 ms, 1 s ... the interval; then the interval
//	a session was lost  chance below the interval; then the interval
//
// A session is often lost along with those of all other agents of the proxy, so that
// doubling delays would bring half of them back within one tenth of the interval: each
// tries once between t and 2t after the loss, whatever chance says. Chance over the
// whole interval spreads them evenly, and equal delays from then on keep them so,
// however long the proxy is away.
type retryPace struct {
	interval time.Duration
	random   func(limit time.Duration) time.Duration // uniform in [0, limit]

	bound  time.Duration // of the newest delay; 0 = none yet
	spaced bool          // the links of all agents are spread over the interval
}

// failed returns the delay after a failed attempt.
func (p *retryPace) failed() time.Duration {
	if p.spaced {
		return p.interval
	}
	p.bound = min(max(2*p.bound, retryBase), p.interval)
	p.spaced = p.bound == p.interval
	return p.random(p.bound)
}

// lost takes note that a session was lost: the next delay is chance below the interval.
func (p *retryPace) lost() { p.bound, p.spaced = p.interval, false }

// spread returns the delay before the first attempt after a loss that all agents of the
// proxy have met at the same moment.
func (p *retryPace) spread() time.Duration {
	p.lost()
	return p.failed()
}
