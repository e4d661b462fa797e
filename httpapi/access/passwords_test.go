package access

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPace(t *testing.T) {
	pace := newPaceState()
	s := &pace.waiting
	address := func(n int) netip.Prefix { return networkOf(fmt.Sprintf("10.0.0.%d:1", n)) }
	for range maxWaitingAddress {
		require.True(t, s.enter(address(1)))
	}
	require.False(t, s.enter(address(1)), "an address cannot take all of the room")
	for n := range (maxWaiting - maxWaitingAddress) / 2 {
		require.True(t, s.enter(address(n+2)))
		require.True(t, s.enter(address(n+2)))
	}
	require.False(t, s.enter(address(99)))
	s.leave(address(1))
	require.True(t, s.enter(address(99)))
	s.leave(address(99))
	require.NotContains(t, s.of, address(99))

	at := time.Unix(1000, 0)
	pace.compared(at, time.Second, true)
	require.Zero(t, pace.next)
	pace.compared(at, time.Second, false)
	require.Equal(t, at.Add(3*time.Second), pace.next)
}

func TestNetworks(t *testing.T) {
	f := func(want, client string) {
		t.Helper()
		require.Equal(t, want, networkOf(client).String())
	}
	f("10.0.0.1/32", "10.0.0.1:5")
	f("10.0.0.1/32", "[::ffff:10.0.0.1]:5")
	f("2001:db8::/64", "[2001:db8::1:2:3:4]:5")
	f("fe80::/64", "[fe80::1%eth0]:5")
	f("invalid Prefix", "@")
}

func TestCacheIsBounded(t *testing.T) {
	c, l := newCache(), newLogins()
	key := func(n int) login { return l.of(fmt.Sprint(n), nil, "") }
	for n := range 3 * cacheEntries {
		c.add(key(n))
		c.add(key(n))
		require.True(t, c.known[key(n)])
		require.LessOrEqual(t, len(c.known), cacheEntries)
		require.Len(t, c.known, len(c.order))
	}
	require.False(t, c.known[key(2*cacheEntries-1)])
	require.True(t, c.known[key(2*cacheEntries)])
	require.NotEqual(t, l.of("a", nil, "bc"), l.of("ab", nil, "c"))
	require.NotEqual(t, key(1), newLogins().of("1", nil, ""))
}

// Who tries passwords takes little of the processor: those that wait are few, and those beyond are refused at once. Who is
// known already gets in all the same.
func TestGuesserCannotKeepOthersOut(t *testing.T) {
	users := map[string][]byte{"alice": hashOf(t, "right")}
	p := newPasswords()
	ok, err := p.check(t.Context(), "10.0.0.1:1", users, "alice", "right")
	require.NoError(t, err)
	require.True(t, ok)
	p.pace.compared(time.Now(), time.Hour, false) // Nothing is compared for hours.
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	refused := make(chan error, 1000)
	for n := range 1000 {
		all.Go(func() {
			_, err := p.check(ctx, "10.0.0.2:1", users, "alice", fmt.Sprint("wrong ", n))
			refused <- err
		})
	}
	for range 1000 - maxWaitingAddress {
		require.ErrorIs(t, <-refused, errBusy)
	}
	ok, err = p.check(t.Context(), "10.0.0.1:1", users, "alice", "right")
	require.NoError(t, err)
	require.True(t, ok)
	cancel()
	all.Wait()
	require.Empty(t, p.underWay)
	require.Zero(t, p.pace.waiting.total)
}

// Requests that have the same wrong password wait for one comparison. Each has a connection, which is not closed for another
// one meanwhile.
func TestThoseThatFollowAreBounded(t *testing.T) {
	users := map[string][]byte{"alice": hashOf(t, "right")}
	p := newPasswords()
	p.pace.compared(time.Now(), time.Hour, false) // Nothing is compared for hours.
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	refused := make(chan error, 1000)
	for range 1000 {
		all.Go(func() {
			_, err := p.check(ctx, "10.0.0.2:1", users, "alice", "wrong")
			refused <- err
		})
	}
	for range 1000 - maxFollowingAddress - 1 {
		require.ErrorIs(t, <-refused, errBusy)
	}
	select {
	case err := <-refused:
		require.Fail(t, "one more was refused", "%v", err)
	default:
	}
	cancel()
	all.Wait()
	require.Empty(t, p.underWay)
	require.Zero(t, p.pace.following.total)
}

// A page asks for many things at once with a password that was not compared yet.
func TestPasswordIsComparedOnce(t *testing.T) {
	users := map[string][]byte{"alice": hashOf(t, "right")}
	p := newPasswords()
	var all sync.WaitGroup
	for range maxFollowingAddress {
		all.Go(func() {
			ok, err := p.check(t.Context(), "10.0.0.1:1", users, "alice", "right")
			if err != nil || !ok {
				t.Errorf("%v, %v", ok, err)
			}
		})
	}
	all.Wait()
	require.Len(t, p.right.known, 1)
}

// A user who is removed, or whose password is another one, is not let in by what is remembered.
func TestRemovedUserCannotComeBack(t *testing.T) {
	p := newPasswords()
	f := func(want bool, users map[string][]byte, password string) {
		t.Helper()
		for range 2 {
			ok, err := p.check(t.Context(), "", users, "alice", password)
			require.NoError(t, err)
			require.Equal(t, want, ok)
		}
	}
	old, other := hashOf(t, "old"), hashOf(t, "other")
	f(true, map[string][]byte{"alice": old}, "old")
	f(false, map[string][]byte{"bob": old}, "old")
	f(false, map[string][]byte{"alice": other}, "old")
	f(true, map[string][]byte{"alice": other}, "other")
}
