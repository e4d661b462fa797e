//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// For a while all that is sent to the other node is lost. What is sent again must be what the kernel itself counts, of each connection and
// in all.
func TestE2ERetransmits(t *testing.T) {
	const size = 300_000
	tr := startTracer(t)
	n, other := startTwo(t)
	require.NoError(t, tr.Follow(n.pid()))
	from := snmp(t, n.pid(), "RetransSegs")
	port, back := other.do(t, "listen 0"), n.do(t, "listen 0")
	peers := map[string]string{"10.77.1.1": "10.77.1.1", "10.77.1.2": "10.77.1.2", "10.77.1.3": "10.77.1.3", "fd77::2": "[fd77::2]"}
	for _, to := range peers {
		require.EqualValues(t, 1, n.do(t, "dial %s:%d 1 10000", to, port))
	}
	other.takes(t, 4)

	ip(t, other.pid(), "addr flush dev o0")
	n.do(t, "send %d", size)
	for peer := range peers {
		require.Eventually(t, func() bool { return n.do(t, "resent %s", peer) >= 2 }, patience, 10*time.Millisecond)
	}
	ip(t, other.pid(), addresses(others, "o0")...)
	require.EqualValues(t, 4*size, n.do(t, "sent"))
	other.eventually(t, 4*size, "taken")

	n.tell(t, "dial 10.77.9.9:1 1 1500")                      // Nobody has that address.
	other.tell(t, "dial 10.77.0.1:%d 1 1500 10.77.8.8", back) // The answers to this one are lost.
	require.Zero(t, n.answer(t))
	require.Zero(t, other.answer(t))
	var c *counts
	segments := 0
	require.Eventually(t, func() bool {
		segments = snmp(t, n.pid(), "RetransSegs") - from
		c = countsOf(t, tr)
		return from+segments == snmp(t, n.pid(), "RetransSegs")
	}, patience, time.Millisecond)
	sum := 0
	got := map[string]int{}
	for _, p := range c.Peers {
		got[p.Address] = int(p.Retransmits)
		sum += int(p.Retransmits)
	}
	t.Log(got, segments)
	within(t, float64(segments), float64(sum), 0.1, "segments") // One may be counted, and then not be sent.
	for peer := range peers {
		within(t, float64(n.do(t, "resent %s", peer)), float64(got[peer]), 0.1, peer)
	}
	require.Positive(t, got["10.77.9.9"])
	require.Positive(t, got["10.77.8.8"])
	require.Len(t, got, 6)
}
