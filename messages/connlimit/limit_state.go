package connlimit

import (
	"container/list"
	"net/netip"
	"time"
)

// prefixIPv6 is the prefix length by which IPv6 addresses are grouped: a host usually has a whole /64.
const prefixIPv6 = 64

// Limits of a server.
type Limits struct {
	// All bounds the connections in all.
	All int
	// OfAddress bounds those of one address: less than All, so that no address takes the places of all others.
	OfAddress int
	// Bytes bounds what they send, if Sent is called.
	Bytes ByteLimits
}

// State has the open connections of a server. C names a connection. It may not be used from two
// goroutines at once.
type State[C comparable] struct {
	limits    Limits
	conns     map[C]*conn[C]
	addresses map[netip.Prefix]*address
	bytes     int // of all connections
}

// address is an address that has connections.
type address struct {
	prefix netip.Prefix
	count  int
	bytes  int       // of its connections
	unused list.List // of *conn, in the order in which they came out of use
}

type conn[C comparable] struct {
	name    C
	address *address
	uses    int
	bytes   int           // that count; 0 while it is in use
	used    bool          // it was in use at least once
	since   time.Time     // when it came, or was used last
	unused  *list.Element // nil while it is in use
}

// New returns a State without connections.
func New[C comparable](limits Limits) *State[C] {
	return &State[C]{limits: limits, conns: map[C]*conn[C]{}, addresses: map[netip.Prefix]*address{}}
}

// Decision is what is to be done about a new connection.
type Decision[C comparable] struct {
	// Refused says that the new connection has to be closed: all others that might go are in use.
	Refused bool
	// Evicted says that the connection Victim has to be closed for it.
	Evicted bool
	Victim  C
}

// Add adds a connection that is not in use yet. If its address has as many as it may, the address's
// unused connection that is oldest goes for it. If there are as many in all, one of the address goes that
// has the most unused ones: who floods a server closes its own connections.
func (s *State[C]) Add(c C, from netip.Prefix, now time.Time) Decision[C] {
	var d Decision[C]
	of := s.addresses[from]
	switch {
	case of != nil && of.count >= s.limits.OfAddress:
		d = s.evict(of)
	case len(s.conns) >= s.limits.All:
		d = s.evict(s.busiest())
	}
	if d.Refused {
		return d
	}
	if of = s.addresses[from]; of == nil {
		of = &address{prefix: from}
		s.addresses[from] = of
	}
	of.count++
	n := &conn[C]{name: c, address: of, since: now}
	n.unused = of.unused.PushBack(n)
	s.conns[c] = n
	return d
}

// evict removes the oldest unused connection of the address, which may be nil.
func (s *State[C]) evict(of *address) Decision[C] {
	if of == nil || of.unused.Len() == 0 {
		return Decision[C]{Refused: true}
	}
	victim := of.unused.Front().Value.(*conn[C]).name
	s.Remove(victim)
	return Decision[C]{Evicted: true, Victim: victim}
}

// EvictOldest removes the connection that would go for one of a new address, and returns it. It is for a
// process that can open no more files.
func (s *State[C]) EvictOldest() Decision[C] { return s.evict(s.busiest()) }

// busiest returns the address with the most unused connections, and of several the one whose oldest is
// the oldest; nil if all connections are in use.
func (s *State[C]) busiest() *address {
	var most *address
	for _, a := range s.addresses {
		if a.unused.Len() > 0 && (most == nil || a.unused.Len() > most.unused.Len() ||
			a.unused.Len() == most.unused.Len() && oldest[C](a).Before(oldest[C](most))) {
			most = a
		}
	}
	return most
}

func oldest[C comparable](a *address) time.Time { return a.unused.Front().Value.(*conn[C]).since }

// Use says that a connection is in use until Release. It may be in use several times. It reports whether the
// connection is known: one that was evicted is not.
func (s *State[C]) Use(c C) bool {
	n := s.conns[c]
	if n == nil {
		return false
	}
	s.count(n, -n.bytes)
	n.used = true
	if n.uses++; n.unused != nil {
		n.address.unused.Remove(n.unused)
		n.unused = nil
	}
	return true
}

// Has reports whether the connection is known.
func (s *State[C]) Has(c C) bool { return s.conns[c] != nil }

// Release ends a use.
func (s *State[C]) Release(c C, now time.Time) {
	n := s.conns[c]
	if n == nil || n.uses == 0 {
		return
	}
	if n.uses--; n.uses == 0 {
		n.since = now
		n.unused = n.address.unused.PushBack(n)
	}
}

// Remove removes a connection that has been closed. It may be unknown.
func (s *State[C]) Remove(c C) {
	n := s.conns[c]
	if n == nil {
		return
	}
	delete(s.conns, c)
	s.count(n, -n.bytes)
	if n.unused != nil {
		n.address.unused.Remove(n.unused)
	}
	if n.address.count--; n.address.count == 0 {
		delete(s.addresses, n.address.prefix)
	}
}

// Expire removes the connections that have been unused for so long, and returns them.
func (s *State[C]) Expire(now time.Time, after time.Duration) []C {
	var expired []C
	for _, a := range s.addresses {
		for a.unused.Len() > 0 && now.Sub(oldest[C](a)) >= after {
			c := a.unused.Front().Value.(*conn[C]).name
			s.Remove(c)
			expired = append(expired, c)
		}
	}
	return expired
}

// Unused returns the connections that are not in use.
func (s *State[C]) Unused() []C {
	var all []C
	for c, n := range s.conns {
		if n.unused != nil {
			all = append(all, c)
		}
	}
	return all
}

// Len returns the number of connections.
func (s *State[C]) Len() int { return len(s.conns) }

// PrefixOf returns an IP address as limits count it: an IPv4 address, or the /64 of an IPv6 address.
func PrefixOf(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = prefixIPv6
	}
	p, _ := addr.Prefix(bits) // Fails only for bits that the address does not have.
	return p
}
