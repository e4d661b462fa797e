package proxy

import (
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"
)

func TestCheckOfARegistration(t *testing.T) {
	now := time.Unix(0, 0)
	host, other := messages.Address{IP: "10.0.0.1", Port: 1}, messages.Address{IP: "10.0.0.2", Port: 1}
	reg := func(id string) messages.Registration { return messages.Registration{Role: "data", NodeID: id} }
	with := func(name string) verifiedPeer {
		return verifiedPeer{certificate: certificateNamesOf(certificateOf("dns:" + name))}
	}
	s := newRegistryState(RegistryLimits{HeartbeatTimeout: 30 * time.Second, CleanupTimeout: time.Hour, MaxAgents: 3})
	for id, by := range map[string]verifiedPeer{"online": {}, "lost": {}, "verified": with("verified")} {
		_, err := s.admit(reg(id), "session of "+id, host, by, now)
		require.NoError(t, err)
		s.streamOpened("session of " + id)
	}
	s.ended("session of lost", false, "lost", now)
	before := maps.Clone(s.nodes)
	f := func(r messages.Registration, from messages.Address, by verifiedPeer, want string) {
		t.Helper()
		text, err := s.check(r, from, by, now)
		if err != nil {
			text = "refused: " + err.Error()
		}
		if strings.HasSuffix(want, "...") {
			require.Contains(t, text, strings.TrimSuffix(want, "..."))
		} else {
			require.Equal(t, want, text)
		}
		require.Equal(t, before, s.nodes, "nothing has changed")
		requireConsistent(t, s)
	}
	f(reg("online"), host, verifiedPeer{}, `node_id "online" would be accepted; the node is online from 10.0.0.1, and a registration would replace its session`)
	f(reg("online"), other, verifiedPeer{}, `refused: node_id "online" is online from 10.0.0.1, and cannot be registered from 10.0.0.2...`)
	f(reg("lost"), other, verifiedPeer{token: "t"}, `node_id "lost" would be accepted for the token "t"; the node is known, and unconnected`)
	f(reg("verified"), host, verifiedPeer{}, `refused: node_id "verified" belongs to a node whose agent has a certificate...`)
	f(reg("verified"), other, with("verified"), `node_id "verified" would be accepted for "verified" in the certificate; the node is online...`)
	f(reg("verified"), other, with("lost"), `refused: node_id "verified" is not in the certificate, which has "lost"...`)
	f(reg("new"), host, verifiedPeer{}, `refused: the proxy has 3 agents, as many as --max-agents allows: "new" is one too many`)
	f(messages.Registration{Role: "data", NodeID: "new", PodName: "online"}, host, verifiedPeer{certificate: certificateNamesOf(certificateOf("dns:new", "dns:online"))},
		`node_id "new" would be accepted for "new" in the certificate; the proxy does not know the node yet; agents without a certificate that have its names would be removed`)
	f(messages.Registration{NodeID: "new"}, host, verifiedPeer{}, `refused: node_role is empty: a node needs a role`)
	f(reg("new"), host, verifiedPeer{rejected: &rejection{rejectedToken, "the token is not one of --grpc-agent-token-file"}}, "refused: the token is not one of --grpc-agent-token-file")
	s.limits.MaxAgents, s.verifies = 4, true
	f(reg("new"), host, verifiedPeer{}, `node_id "new" would be accepted, although it has shown neither a certificate nor a token; the proxy does not know the node yet`)
	var err error
	for range minRegistrationBurst {
		_, err = s.check(reg("new"), other, verifiedPeer{}, now)
	}
	require.ErrorContains(t, err, "agents at 10.0.0.2 register too often", "as for registrations")
	_, err = s.admit(reg("new"), "a", other, verifiedPeer{}, now)
	require.ErrorContains(t, err, "agents at 10.0.0.2 register too often", "and together with them")
}

type goodToken struct{}

func (goodToken) Find(token string) (string, bool) { return "ours", token == "good" }
func (goodToken) Has(name string) bool             { return name == "ours" }

func TestChecksRegisterNothing(t *testing.T) {
	cfg := testConfig
	cfg.Credentials.Tokens = goodToken{}
	inWorld(t, cfg, func(t *testing.T, w *world) {
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer good")
		session, err := w.client().RegisterAgent(ctx)
		require.NoError(t, err)
		require.NoError(t, session.Send(columnar("n1")))
		_, err = session.Recv()
		require.NoError(t, err)
		before, err := w.proxy.Cluster(t.Context(), messages.NodeFilter{})
		require.NoError(t, err)
		f := func(id, token string, success bool, want string) {
			t.Helper()
			s, err := w.client().CheckRegistration(metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token))
			require.NoError(t, err)
			require.NoError(t, s.Send(columnar(id)))
			answer, err := s.Recv()
			require.NoError(t, err)
			require.Equal(t, success, answer.GetSuccess())
			require.Contains(t, answer.GetMessage(), want)
			require.Empty(t, answer.GetAgentId(), "it is no session")
			_, err = s.Recv()
			require.ErrorContains(t, err, "EOF")
		}
		f("n2", "good", true, `"n2" would be accepted for the token "ours"; the proxy does not know the node yet`)
		f("n1", "good", true, "is online")
		f("n1", "bad", false, "the token is not one of --grpc-agent-token-file")
		f("n1", "", false, "an agent's token is needed")
		f("", "good", false, "all empty")
		synctest.Wait()
		after, err := w.proxy.Cluster(t.Context(), messages.NodeFilter{})
		require.NoError(t, err)
		require.Equal(t, before, after)
		require.Len(t, w.top("registry").Children, 1)
		require.NoError(t, session.Send(&wire.RegisterAgentRequest{}), "the session is still there")

		silent, err := w.client().CheckRegistration(ctx)
		require.NoError(t, err)
		_, err = silent.Recv()
		require.Equal(t, errSilent.Error(), err.Error())
	})
}
