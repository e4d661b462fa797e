package proxy

import (
	"maps"
	"net/netip"
	"time"
)

// Limits of how often peers of one address may register, accepted or not.
const (
	// registrationsPerMinute is what an address may do for long: a hundred agents behind one
	// address that all try again each five seconds do 1,200.
	registrationsPerMinute = 1500
	// minRegistrationBurst is what any address may do at once. Where --max-agents is higher,
	// it may do so many: all agents may be behind one address.
	minRegistrationBurst = 300
	// maxRatedAddresses bounds the addresses that are told apart; further ones share one
	// bucket.
	maxRatedAddresses = 4096
	// ratePruneInterval is how often it is looked for addresses that can be forgotten.
	ratePruneInterval = time.Second
	// ratePrefixIPv6 is what of an IPv6 address counts: one host has all addresses of a /64.
	ratePrefixIPv6 = 64
)

// registrationRate is a token bucket for each address.
type registrationRate struct {
	burst    float64
	buckets  map[netip.Prefix]*tokenBucket
	rest     *tokenBucket // of the addresses for which there is no room
	prunedAt time.Time
}

// tokenBucket is what an address has left of its burst.
type tokenBucket struct {
	tokens float64
	at     time.Time // when the tokens were counted
}

func newRegistrationRate(maxAgents int) registrationRate {
	return registrationRate{burst: float64(max(minRegistrationBurst, maxAgents)), buckets: map[netip.Prefix]*tokenBucket{}}
}

// take takes note of a registration, and reports whether its address may register now. A
// peer without an IP address, as in tests, always may.
func (r *registrationRate) take(ip string, now time.Time) bool {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return true
	}
	b := r.bucket(ratedPrefix(addr), now)
	b.refill(r.burst, now)
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

func ratedPrefix(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = ratePrefixIPv6
	}
	p, _ := addr.Prefix(bits) // Fails only for bits that the address does not have.
	return p
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
	case r.rest == nil:
		r.rest = b
	}
	return r.rest
}

// prune forgets the addresses whose buckets are full again: they are as good as new.
func (r *registrationRate) prune(now time.Time) {
	if now.Sub(r.prunedAt) < ratePruneInterval {
		return
	}
	r.prunedAt = now
	maps.DeleteFunc(r.buckets, func(_ netip.Prefix, b *tokenBucket) bool {
		b.refill(r.burst, now)
		return b.tokens >= r.burst
	})
}

// refill adds the tokens of the time that has passed.
func (b *tokenBucket) refill(burst float64, now time.Time) {
	b.tokens = min(burst, b.tokens+now.Sub(b.at).Minutes()*registrationsPerMinute)
	b.at = now
}
