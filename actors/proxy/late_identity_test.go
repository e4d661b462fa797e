package proxy

import (
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

func TestIdentityOfASession(t *testing.T) {
	s := newRegistryState(RegistryLimits{HeartbeatTimeout: time.Minute, CleanupTimeout: time.Hour, MaxAgents: 3})
	now := time.Unix(1000, 0)
	reg := messages.Registration{NodeID: "n1", Role: messages.RoleUnspecified}
	adm, err := s.admit(reg, "a1", messages.Address{IP: "10.0.0.1"}, verifiedPeer{}, now)
	require.NoError(t, err)
	require.Equal(t, adm.identity, s.identity("a1", messages.Identity{}))
	reg.Role, reg.Labels = "ROLE_DATA", map[string]string{"type": "hot"}
	s.heartbeat("a1", reg, now)
	want := messages.Identity{NodeID: "n1", PodName: "n1", PodNameIsNodeID: true, Role: "ROLE_DATA", Labels: reg.Labels}
	require.Equal(t, want, s.identity("a1", adm.identity))
	require.Equal(t, []*node{s.nodes["n1"]}, s.selected(messages.NodeFilter{Roles: []string{"ROLE_DATA"}}))
	_, err = s.admit(reg, "a2", messages.Address{IP: "10.0.0.1"}, verifiedPeer{}, now)
	require.NoError(t, err)
	require.Equal(t, adm.identity, s.identity("a1", adm.identity), "a session that was replaced")
}

// What a session sends of its node has the role that the agent says late.
func TestSessionFollowsTheIdentity(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		crashes, registry, cfg := actorstest.NewProbe(sys), actorstest.NewProbe(sys), testConfig
		cfg.crashes = crashes.PID
		late := messages.Identity{NodeID: "n1", Role: "ROLE_DATA"}
		registration := newStream(t.Context(), answersToWrite, drop[*wire.RegisterAgentResponse])
		pid := sys.Spawn("session", actors.OnFailure{}, func() actors.Actor {
			return &session{sys: sys, cfg: cfg, log: sys.Log(), registry: registry.PID, agentID: "a1",
				identity: messages.Identity{NodeID: "n1", Role: messages.RoleUnspecified}, registration: registration}
		})
		sys.Send(pid, heartbeatAcknowledged{late})
		stream := newStream(t.Context(), requestsToWrite, func(proto.Message) error { return nil })
		sys.Send(pid, attach{messages.StreamCrashes, stream})
		synctest.Wait()
		require.Equal(t, []any{crashesAttached{"a1", late}}, crashes.Messages())
		require.NoError(t, sys.Stop(t.Context(), pid))
	})
}
