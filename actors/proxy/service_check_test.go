package proxy

import (
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc/metadata"
)

// tryRegistration asks with a token whether a registration would be accepted; nil: it sends nothing.
func (w *world) tryRegistration(token string, first *wire.RegisterAgentRequest) (*wire.RegisterAgentResponse, error) {
	s, err := w.client().CheckRegistration(metadata.AppendToOutgoingContext(w.T.Context(), "authorization", "Bearer "+token))
	require.NoError(w.T, err)
	if first != nil {
		require.NoError(w.T, s.Send(first))
	}
	answer, err := s.Recv()
	synctest.Wait()
	return answer, err
}

// Registrations that are only tried are counted and logged apart from others.
func TestChecksAreCountedAndLogged(t *testing.T) {
	cfg := testConfig
	cfg.Credentials.Tokens = goodToken{}
	inLoggedWorld(t, cfg, func(t *testing.T, w *world, log *observer.ObservedLogs) {
		f := func(token string, first *wire.RegisterAgentRequest, text string, fields map[string]any) {
			t.Helper()
			_, _ = w.tryRegistration(token, first)
			lines := log.TakeAll()
			require.Len(t, lines, 1)
			require.Equal(t, text, lines[0].Message)
			got := lines[0].ContextMap()
			require.NotEmpty(t, got["peer"])
			delete(got, "peer")
			require.Equal(t, fields, got)
		}
		const accepted, refused = "a registration that was only tried would be accepted", "a registration that was only tried would be refused"
		f("good", columnar("n1"), accepted, map[string]any{"node_id": "n1"})
		f("planted", columnar("n1"), refused, map[string]any{"reason": "token", "error": "the token is not one of --grpc-agent-token-file"})
		f("good", &wire.RegisterAgentRequest{NodeRole: "data"}, refused, map[string]any{"reason": "invalid",
			"error": "node_id, pod_name and primary_address are all empty: a node needs one of them"})
		f("good", nil, refused, map[string]any{"reason": "silent", "error": "no registration came"})
		c := w.counts()
		require.EqualValues(t, 1, c.ChecksAccepted)
		require.Equal(t, map[string]uint64{"token": 1, "invalid": 1, "silent": 1}, counted(c.ChecksRefused))
		require.Empty(t, counted(c.Refused))
		require.Zero(t, c.SessionsOpened)

		for range 100 { // A stranger who tries names does not fill the log.
			_, _ = w.tryRegistration("planted", columnar("n1"))
			_, _ = w.tryRegistration("good", columnar("n1"))
		}
		time.Sleep(11 * time.Second)
		require.Equal(t, []int64{1, 99}, times(log, accepted))
		require.Equal(t, []int64{1, 99}, times(log, refused))
		c = w.counts()
		require.EqualValues(t, 101, c.ChecksAccepted)
		require.EqualValues(t, 101, c.ChecksRefused["token"])
		w.proxy.Refuse()
		_, err := w.tryRegistration("good", nil)
		require.Equal(t, errStopping.Error(), err.Error())
		require.EqualValues(t, 1, w.counts().ChecksRefused["stopping"])
	})
}

// A registration stream that says nothing is counted and logged.
func TestSilentRegistrationIsLogged(t *testing.T) {
	inLoggedWorld(t, testConfig, func(t *testing.T, w *world, log *observer.ObservedLogs) {
		s, err := w.client().RegisterAgent(t.Context())
		require.NoError(t, err)
		_, err = s.Recv()
		require.Equal(t, errSilent.Error(), err.Error())
		synctest.Wait()
		lines := log.FilterMessage("registration refused").All()
		require.Len(t, lines, 1)
		require.Equal(t, "silent", lines[0].ContextMap()["reason"])
		require.Equal(t, "no registration came", lines[0].ContextMap()["error"])
		require.Equal(t, map[string]uint64{"silent": 1}, counted(w.counts().Refused))
	})
}
