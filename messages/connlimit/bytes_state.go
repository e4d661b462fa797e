package connlimit

import "time"

// tailTime is how long what a connection sends after its use does not count: it was on its way.
const tailTime = 5 * time.Second

// ByteLimits are limits of what connections may have sent while they were not in use. What one has sent counts until it is
// in use, or is removed.
type ByteLimits struct {
	// One bounds the bytes of one connection, All those of all connections together.
	One, All int
}

// Sent says that the connection has sent n bytes. If that is too much for one connection, it has to go. If it is too much
// for all, one has to go of the address that has sent the most: that of its connections which has sent the most. The
// one that goes is removed, and returned with true.
func (s *State[C]) Sent(c C, n int, now time.Time) (victim C, over bool) {
	from := s.conns[c]
	if from == nil || from.unused == nil || from.used && now.Sub(from.since) < tailTime {
		return victim, false
	}
	s.count(from, n)
	switch {
	case from.bytes > s.limits.Bytes.One:
		victim, over = c, true
	case s.bytes > s.limits.Bytes.All:
		victim, over = s.largest(), true
	}
	if over {
		s.Remove(victim)
	}
	return victim, over
}

// count adds to the bytes of a connection.
func (s *State[C]) count(c *conn[C], n int) {
	c.bytes += n
	c.address.bytes += n
	s.bytes += n
}

// largest returns the connection that has sent the most, of the address that has. There must be one that has sent something.
func (s *State[C]) largest() C {
	var of *address
	for _, a := range s.addresses {
		if of == nil || a.bytes > of.bytes {
			of = a
		}
	}
	var most *conn[C]
	for e := of.unused.Front(); e != nil; e = e.Next() {
		if c := e.Value.(*conn[C]); most == nil || c.bytes > most.bytes {
			most = c
		}
	}
	return most.name
}
