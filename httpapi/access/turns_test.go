package access

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func network(n int) netip.Prefix { return networkOf(fmt.Sprintf("10.0.0.%d:1", n)) }

func isTurn(turn chan struct{}) bool {
	select {
	case <-turn:
		return true
	default:
		return false
	}
}

// Whoever has asked for much does not delay others by more than one turn.
func TestNetworksTakeTurns(t *testing.T) {
	s := newTurns()
	var guesser []chan struct{}
	for range 4 {
		guesser = append(guesser, s.wait(network(1)))
	}
	user, other := s.wait(network(2)), s.wait(network(3))
	for _, next := range []chan struct{}{guesser[0], guesser[1], user, other, guesser[2], guesser[3]} {
		require.True(t, isTurn(next))
		s.end()
	}
	require.False(t, s.busy)
	require.Empty(t, s.of)
	require.True(t, isTurn(s.wait(network(1))))
}

// A request that gives up takes no turn, also if that has just come.
func TestTurnsAreCancelled(t *testing.T) {
	s := newTurns()
	first, second, third := s.wait(network(1)), s.wait(network(2)), s.wait(network(2))
	other := s.wait(network(3))
	s.cancel(network(2), second)
	s.cancel(network(3), other)
	require.True(t, isTurn(first))
	require.False(t, isTurn(third))
	s.end()
	require.True(t, isTurn(third))
	s.cancel(network(2), third)
	require.False(t, s.busy)
	require.Empty(t, s.of)
	require.Empty(t, s.order)
}
