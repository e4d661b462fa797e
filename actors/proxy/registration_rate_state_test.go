package proxy

import (
	"fmt"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// takeAll returns how many of n registrations at once may pass.
func takeAll(r *registrationRate, ip string, n int, now time.Time) (passed int) {
	for range n {
		if r.take(ip, now) {
			passed++
		}
	}
	return passed
}

func TestRegistrationRate(t *testing.T) {
	now := time.Unix(0, 0)
	r := newRegistrationRate(1000)
	require.Equal(t, 1000, takeAll(&r, "10.0.0.66", 1500, now), "as many as the proxy may have")
	require.Equal(t, 50, takeAll(&r, "10.0.0.66", 1500, now.Add(2*time.Second)))
	require.Equal(t, 1, takeAll(&r, "10.0.0.1", 1, now.Add(2*time.Second)), "another address has its own bucket")
	require.Equal(t, 1000, takeAll(&r, "10.0.0.66", 1500, now.Add(time.Hour)), "no more than a burst")

	r = newRegistrationRate(3)
	require.Equal(t, minRegistrationBurst, takeAll(&r, "10.0.0.66", 1500, now))
	require.Equal(t, 1500, takeAll(&r, "", 1500, now), "in memory there are no addresses")
}

// A hundred agents behind one address are started at once, and are rejected for some reason:
// each tries again every five seconds.
func TestRegistrationRateOfANAT(t *testing.T) {
	r := newRegistrationRate(100)
	for at := time.Duration(0); at < time.Hour; at += 5 * time.Second {
		require.Equal(t, 100, takeAll(&r, "203.0.113.1", 100, time.Unix(0, 0).Add(at)))
	}
}

// All addresses of an IPv6 host are one, and so are an IPv4 address and its mapped form.
func TestRegistrationRateKnowsHosts(t *testing.T) {
	now := time.Unix(0, 0)
	r := newRegistrationRate(0)
	for i := range minRegistrationBurst {
		require.True(t, r.take(fmt.Sprintf("2001:db8:0:1::%x", i), now))
	}
	require.False(t, r.take("2001:db8:0:1:ffff::1", now))
	require.True(t, r.take("2001:db8:0:2::1", now))
	require.Equal(t, minRegistrationBurst, takeAll(&r, "10.0.0.1", 1000, now))
	require.False(t, r.take("::ffff:10.0.0.1", now))
}

// The memory is bounded, however many addresses there are.
func TestRegistrationRateIsBounded(t *testing.T) {
	now := time.Unix(0, 0)
	r := newRegistrationRate(0)
	address := func(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&0xff, i&0xff) }
	for i := range 3 * maxRatedAddresses {
		r.take(address(i), now)
		require.LessOrEqual(t, len(r.buckets), maxRatedAddresses)
	}
	passed := 0
	for i := range minRegistrationBurst {
		passed += takeAll(&r, address(3*maxRatedAddresses+i), 1, now)
	}
	require.Zero(t, passed, "they share a bucket, which is empty")
	now = now.Add(time.Minute)
	require.True(t, r.take(address(4*maxRatedAddresses), now))
	require.Len(t, r.buckets, 1, "full buckets are removed")
}

func TestRateIsARejection(t *testing.T) {
	s := newRegistryState(RegistryLimits{HeartbeatTimeout: time.Second, CleanupTimeout: time.Minute, MaxAgents: 10})
	peer := messages.Address{IP: "10.0.0.66", Port: 1}
	var err error
	for i := range minRegistrationBurst + 1 {
		_, err = s.admit(messages.Registration{}, fmt.Sprint(i), peer, verifiedPeer{}, time.Unix(0, 0))
	}
	var rejected *rejection
	require.ErrorAs(t, err, &rejected)
	require.Equal(t, rejectedRate, rejected.reason)
	require.EqualError(t, err, "agents at 10.0.0.66 register too often: an address may do so 1500 times a minute, and 300 times at once "+
		"(as many as --max-agents allows, at least 300): try again in some seconds")
}
