package access

import (
	"net/netip"
	"slices"
)

// turns decides who does next what only one may do at a time. Networks take turns, whatever number of requests of
// each wait: so one of a network that has asked for nothing yet does not wait for all those of another.
type turns struct {
	busy bool
	// order has the networks with requests that wait, in the order of their turns.
	order []netip.Prefix
	of    map[netip.Prefix][]chan struct{}
}

func newTurns() *turns { return &turns{of: map[netip.Prefix][]chan struct{}{}} }

// wait returns a channel that is closed when it is the request's turn. Then end must be called, or before it, cancel.
func (t *turns) wait(from netip.Prefix) chan struct{} {
	turn := make(chan struct{})
	if !t.busy {
		t.busy = true
		close(turn)
		return turn
	}
	if len(t.of[from]) == 0 {
		t.order = append(t.order, from)
	}
	t.of[from] = append(t.of[from], turn)
	return turn
}

// end ends a turn: the next one begins.
func (t *turns) end() {
	if len(t.order) == 0 {
		t.busy = false
		return
	}
	from := t.order[0]
	t.order = t.order[1:]
	close(t.of[from][0])
	t.of[from] = t.of[from][1:]
	if len(t.of[from]) == 0 {
		delete(t.of, from)
	} else {
		t.order = append(t.order, from)
	}
}

// cancel is called instead of end by a request that has not waited for its turn; it may have come meanwhile.
func (t *turns) cancel(from netip.Prefix, turn chan struct{}) {
	i := slices.Index(t.of[from], turn)
	if i < 0 {
		t.end()
		return
	}
	t.of[from] = slices.Delete(t.of[from], i, i+1)
	if len(t.of[from]) == 0 {
		delete(t.of, from)
		t.order = slices.DeleteFunc(t.order, func(p netip.Prefix) bool { return p == from })
	}
}
