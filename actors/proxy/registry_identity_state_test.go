package proxy

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// However agents with and without certificates come and go, one without has never a name of one with, and a node that is online
// goes from one certificate to another only by the name of the first.
func TestAgentWithoutCertificateCannotHaveNameOfOneWith(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		s := newRegistryState(RegistryLimits{HeartbeatTimeout: 30 * time.Second, CleanupTimeout: time.Minute, MaxAgents: 4})
		now := time.Unix(0, 0)
		name := func() string { return fmt.Sprint("n", random.IntN(4)) }
		for i := range 200 {
			now = now.Add(time.Duration(random.IntN(5)) * time.Second)
			agentID := fmt.Sprint("a", i)
			switch random.IntN(4) {
			case 0:
				s.ended(fmt.Sprint("a", random.IntN(i+1)), random.IntN(2) == 0, "lost", now)
			case 1:
				s.sweep(now)
			case 2:
				s.heartbeat(fmt.Sprint("a", i-random.IntN(min(i+1, 5))), messages.Registration{Role: "data", PodName: name(), NodeID: name()}, now)
			default:
				reg := messages.Registration{Role: "data", NodeID: name(), PodName: name()}
				var by verifiedPeer
				if random.IntN(2) == 0 {
					by.certificate = certificateNamesOf(certificateOf("dns:"+name(), "uri:spiffe://c/"+name(), "cn:"+name()))
				}
				var held messages.Verified
				if n := s.nodes[reg.NodeID]; n != nil && s.status(n, now) == messages.StatusOnline {
					held = n.verified
				}
				adm, err := s.admit(reg, agentID, messages.Address{IP: fmt.Sprint("10.0.0.", random.IntN(2))}, by, now)
				if err != nil {
					require.Equal(t, admission{}, adm)
				} else if held.Certificate != "" {
					require.True(t, by.certificate.has(held.Certificate, ""))
				}
			}
			requireConsistent(t, s)
			requireNamesApart(t, s)
		}
	}
}

// requireNamesApart fails if a node without a certificate has a name of another that has one.
func requireNamesApart(t *testing.T, s *registryState) {
	t.Helper()
	for _, n := range s.nodes {
		for _, other := range s.nodes {
			if n.verified.Certificate == "" && other.verified.Certificate != "" {
				for _, claimed := range []string{n.identity.NodeID, n.identity.PodName} {
					require.NotContains(t, []string{other.identity.NodeID, other.identity.PodName}, claimed)
				}
			}
		}
	}
}
