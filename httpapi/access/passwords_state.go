package access

import (
	"net/netip"
	"time"
)

// Limits of the comparisons of passwords, each of which takes a core for 50 ms and more.
const (
	// maxWaiting bounds the requests that wait for one, maxWaitingAddress those of an address.
	maxWaiting, maxWaitingAddress = 16, 4
	// maxWait is how long a request waits: for the comparison and the rest of one that guesses, with a hash of cost 14.
	maxWait = 10 * time.Second
	// maxFollowing bounds the requests that wait for a comparison that another one with the same password has begun,
	// maxFollowingAddress those of an address. A page asks for some twenty things at once.
	maxFollowing, maxFollowingAddress = 256, 64
	// restFactor: after a wrong password, nothing is compared for three times as long as that took. So who tries
	// passwords takes a quarter of a core at most.
	restFactor = 3
	// addressBits are those of an IPv6 address that a network has in common.
	addressBits = 64
)

// paceState decides who may wait for the comparison of a password, and when the next one may be.
type paceState struct {
	waiting, following queue
	turns              *turns
	next               time.Time
}

func newPaceState() *paceState {
	return &paceState{waiting: newQueue(maxWaiting, maxWaitingAddress), following: newQueue(maxFollowing, maxFollowingAddress), turns: newTurns()}
}

// queue is how many requests wait, of all addresses and of each.
type queue struct {
	most, mostOfAddress int
	total               int
	of                  map[netip.Prefix]int
}

func newQueue(most, mostOfAddress int) queue {
	return queue{most: most, mostOfAddress: mostOfAddress, of: map[netip.Prefix]int{}}
}

// enter reports whether a request from the address may wait. If so, leave must be called.
func (q *queue) enter(from netip.Prefix) bool {
	if q.total == q.most || q.of[from] == q.mostOfAddress {
		return false
	}
	q.total++
	q.of[from]++
	return true
}

func (q *queue) leave(from netip.Prefix) {
	q.total--
	if q.of[from]--; q.of[from] == 0 {
		delete(q.of, from)
	}
}

// compared takes the result of a comparison.
func (s *paceState) compared(now time.Time, took time.Duration, ok bool) {
	if !ok {
		s.next = now.Add(restFactor * took)
	}
}

// networkOf returns whom an address of a client belongs to; the zero value is all that have none.
func networkOf(client string) netip.Prefix {
	addr, err := netip.ParseAddrPort(client)
	if err != nil {
		return netip.Prefix{}
	}
	ip, bits := addr.Addr().Unmap(), 32
	if ip.Is6() {
		bits = addressBits
	}
	network, _ := ip.WithZone("").Prefix(bits) // The bits are allowed.
	return network
}
