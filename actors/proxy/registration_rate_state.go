package proxy

import (
	"maps"
	"net/netip"
	"time"

	"fodc/messages/connlimit"
)

// Limits of how often peers of one address may register, accepted or not.
const (
	// registrationsPerMinute is the sustained rate of an address. A hundred agents behind one
	// address that all retry every five seconds make 1,200 registrations a minute.
	registrationsPerMinute = 1500
	// minRegistrationBurst is how many registrations an address may make at once. The burst is
	// --max-agents if that is more, since all agents may be behind one address.
	minRegistrationBurst = 300
	// maxRatedAddresses bounds the addresses that have a bucket of their own. All others share
	// one.
	maxRatedAddresses = 4096
	// ratePruneInterval is the shortest time between two searches for full buckets.
	ratePruneInterval = time.Second
)

// registrationRate is a token bucket for each address.
type registrationRate struct {
	burst    float64
	buckets  map[netip.Prefix]*tokenBucket
	shared   *tokenBucket // of the addresses without a bucket of their own
	prunedAt time.Time
}

// tokenBucket has a token for each event that is allowed now.
type tokenBucket struct {
	tokens float64
	at     time.Time // when the tokens were counted
}

func newRegistrationRate(maxAgents int) registrationRate {
	return registrationRate{burst: float64(max(minRegistrationBurst, maxAgents)), buckets: map[netip.Prefix]*tokenBucket{}}
}

// take takes a token of the address, and reports whether there was one. A peer without an IP
// address, as in tests, needs none.
func (r *registrationRate) take(ip string, now time.Time) bool {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return true
	}
	return r.bucket(connlimit.PrefixOf(addr), now).take(r.burst, registrationsPerMinute, now)
}

func (r *registrationRate) bucket(of netip.Prefix, now time.Time) *tokenBucket {
	if b := r.buckets[of]; b != nil {
		return b
	}
	if len(r.buckets) >= maxRatedAddresses {
		r.prune(now)
	}
	b := &tokenBucket{tokens: r.burst, at: now}
	switch {
	case len(r.buckets) < maxRatedAddresses:
		r.buckets[of] = b
		return b
	case r.shared == nil:
		r.shared = b
	}
	return r.shared
}

// prune removes the buckets that are full again: a new one would be the same.
func (r *registrationRate) prune(now time.Time) {
	if now.Sub(r.prunedAt) < ratePruneInterval {
		return
	}
	r.prunedAt = now
	maps.DeleteFunc(r.buckets, func(_ netip.Prefix, b *tokenBucket) bool {
		b.refill(r.burst, registrationsPerMinute, now)
		return b.tokens >= r.burst
	})
}

// take takes a token, and reports whether there was one.
func (b *tokenBucket) take(burst, perMinute float64, now time.Time) bool {
	b.refill(burst, perMinute, now)
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// refill adds the tokens of the time that has passed.
func (b *tokenBucket) refill(burst, perMinute float64, now time.Time) {
	b.tokens = min(burst, b.tokens+now.Sub(b.at).Minutes()*perMinute)
	b.at = now
}
