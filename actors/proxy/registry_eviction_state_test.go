package proxy

import (
	"container/list"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// Whatever happens in which order, the unconfirmed nodes are those that are not confirmed, in
// the list that fits their session, and the memory of the configurations is counted right.
func TestEvictionOrderIsComplete(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		s := newRegistryState(RegistryLimits{HeartbeatTimeout: 30 * time.Second, CleanupTimeout: 5 * time.Minute, MaxAgents: 8})
		now := time.Unix(0, 0)
		registration := func() messages.Registration {
			r := messages.Registration{NodeID: fmt.Sprint("n", random.IntN(16)), Role: "liaison"}
			if random.IntN(2) == 0 {
				r.Config = &messages.NodeConfig{Errors: []string{fmt.Sprintf("%0*d", random.IntN(100), 0)}}
			}
			return r
		}
		sessions, evicted := 0, 0
		for range 500 {
			agentID := fmt.Sprint("a", sessions-random.IntN(8))
			switch random.IntN(8) {
			case 0:
				s.heartbeat(agentID, registration(), now)
			case 1:
				s.streamOpened(agentID)
			case 2, 3:
				s.ended(agentID, random.IntN(4) == 0, "lost", now)
			case 4:
				now = now.Add(time.Duration(random.IntN(60)) * time.Second)
				s.sweep(now)
			default:
				confirmed := confirmedNodes(s)
				sessions++
				if adm, err := s.admit(registration(), fmt.Sprint("a", sessions), messages.Address{}, verifiedPeer{}, now); err == nil && adm.evicted.nodeID != "" {
					evicted++
					require.NotContains(t, confirmed, adm.evicted.nodeID)
				}
			}
			requireConsistent(t, s)
		}
		require.Positive(t, evicted)
	}
}

func confirmedNodes(s *registryState) (ids []string) {
	for id, n := range s.nodes {
		if n.confirmed {
			ids = append(ids, id)
		}
	}
	return ids
}

func requireConsistent(t *testing.T, s *registryState) {
	t.Helper()
	bytes, unconfirmed, listed := 0, map[*node]bool{}, map[*node]bool{} // node -> it has a session
	for _, n := range s.nodes {
		bytes += n.configBytes
		if !n.confirmed {
			unconfirmed[n] = n.live
		}
	}
	for live, nodes := range map[bool]*list.List{false: &s.unconfirmed.lost, true: &s.unconfirmed.live} {
		var before time.Time
		for e := nodes.Front(); e != nil; e = e.Next() {
			n := e.Value.(*node)
			since := n.lostAt
			if live {
				since = n.registeredAt
			}
			require.False(t, since.Before(before), "the order of eviction")
			before, listed[n] = since, live
		}
	}
	require.Equal(t, unconfirmed, listed)
	require.Equal(t, bytes, s.configsBytes)
	byName := nodesByName{}
	for _, n := range s.nodes {
		byName.add(n)
	}
	require.Equal(t, byName, s.byName)
}

// A registration takes as long in a registry of 10,000 nodes as in one of 1,000.
func BenchmarkRegistrationInAFullRegistry(b *testing.B) {
	for _, nodes := range []int{1000, 10000} {
		for _, confirmed := range []bool{false, true} {
			b.Run(fmt.Sprintf("nodes=%d/confirmed=%t", nodes, confirmed), func(b *testing.B) {
				s := newRegistryState(RegistryLimits{HeartbeatTimeout: 30 * time.Second, CleanupTimeout: 5 * time.Minute, MaxAgents: nodes})
				now := time.Unix(0, 0)
				register := func(id string) {
					reg := messages.Registration{NodeID: id, Role: "liaison", Config: &messages.NodeConfig{}}
					_, _ = s.admit(reg, id, messages.Address{}, verifiedPeer{}, now)
				}
				for i := range nodes {
					id := fmt.Sprint("n", i)
					register(id)
					if confirmed {
						s.streamOpened(id)
					} else {
						s.ended(id, false, "lost", now)
					}
				}
				for i := 0; b.Loop(); i++ {
					id := fmt.Sprint("more", i)
					register(id)
					s.ended(id, false, "lost", now)
				}
			})
		}
	}
}
