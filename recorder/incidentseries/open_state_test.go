package incidentseries

import (
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// TestOpenState: an incident is opened once for all who read it, again when it has other blocks, and closed for another
// one only if nobody reads it.
func TestOpenState(t *testing.T) {
	s, at := openState{most: 4, byID: map[string]*openEntry{}}, time.Unix(1000, 0)
	a, isNew, evict, err := s.take("a", "1", 2)
	require.NoError(t, err)
	require.True(t, isNew)
	require.Nil(t, evict)
	again, isNew, _, err := s.take("a", "1", 2)
	require.NoError(t, err)
	require.False(t, isNew)
	require.Same(t, a, again)

	b, _, _, err := s.take("b", "1", 2)
	require.NoError(t, err)
	_, _, evict, err = s.take("c", "1", 1)
	var full *messages.Error
	require.ErrorAs(t, err, &full, "all are in use")
	require.Equal(t, messages.ErrUnavailable, full.Kind)
	require.Nil(t, evict)

	require.False(t, s.leave(a, at))
	require.False(t, s.leave(a, at.Add(time.Second)))
	require.False(t, s.leave(b, at))
	require.Empty(t, s.idle(at.Add(keepOpen-1)))
	_, _, evict, err = s.take("c", "1", 1)
	require.NoError(t, err)
	require.Same(t, b, evict, "the one that nobody has used for the longest time")
	s.closed(evict)
	c, isNew, _, err := s.take("c", "1", 1)
	require.NoError(t, err)
	require.True(t, isNew)

	_, _, evict, err = s.take("a", "2", 3)
	require.NoError(t, err)
	require.Same(t, a, evict, "it has other blocks now")
	s.closed(evict)
	_, isNew, _, err = s.take("a", "2", 3)
	require.NoError(t, err)
	require.True(t, isNew)
	c2, _, evict, err := s.take("c", "2", 0)
	require.NoError(t, err)
	require.Nil(t, evict)
	require.True(t, s.leave(c, at), "nobody will ask for the former blocks")
	s.closed(c)
	require.False(t, s.leave(c2, at))
	require.Equal(t, []*openEntry{c2}, s.idle(at.Add(keepOpen)))
	s.closed(c2)
	require.Equal(t, 3, s.blocks)
}
