package proxy

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/emptypb"
)

// forge opens all streams but the registration with a key, from the last client's
// connection, answers what it is asked, and returns how they end.
func (w *world) forge(key string) map[string]codes.Code {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(w.T.Context(), "agent_id", key), time.Second)
	defer cancel()
	ends := map[string]codes.Code{}
	for _, method := range []string{"StreamMetrics", "StreamClusterTopology", "StreamLifecycle", "StreamCrashDiagnostics",
		"StreamPressureProfiles", "StreamSchemaRegistry", "StreamIncidents", "StreamOfTomorrow"} {
		s, err := w.conns[len(w.conns)-1].NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true},
			"/banyandb.fodc.v1.FODCService/"+method)
		require.NoError(w.T, err)
		_ = s.SendMsg(gauge(666))
		ends[method] = code(s.RecvMsg(&emptypb.Empty{}))
	}
	return ends
}

func allEnd(with codes.Code) map[string]codes.Code {
	return map[string]codes.Code{"StreamMetrics": with, "StreamClusterTopology": with, "StreamLifecycle": with,
		"StreamCrashDiagnostics": with, "StreamPressureProfiles": with, "StreamSchemaRegistry": with, "StreamIncidents": with, "StreamOfTomorrow": with}
}

// A stream attaches only on the connection that has registered, even with the right key. The
// public id is no key.
func TestStreamsOfStrangersAreRefused(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.agent(columnar("n1"), func(r *wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
			answer := gauge(1)
			answer.RequestId = r.GetRequestId()
			return []*wire.StreamMetricsRequest{answer}
		})
		a.beat()
		synctest.Wait()
		cluster, err := w.proxy.Cluster(t.Context(), messages.NodeFilter{})
		require.NoError(t, err)
		shown1 := cluster.Nodes[0].AgentID

		try := func() {
			t.Helper()
			require.Equal(t, allEnd(codes.PermissionDenied), w.forge(a.id))
			require.Equal(t, allEnd(codes.NotFound), w.forge(shown1))
			require.Equal(t, allEnd(codes.NotFound), w.forge(strings.ToLower(a.id)))
			require.Equal(t, map[string]any{"n1": 1.}, shown(w.collect(messages.Query{Filter: messages.NodeFilter{NodeIDs: []string{"n1"}}})))
		}
		w.client() // a stranger
		try()
		second := w.connect(columnar("n2")) // one that is registered itself
		try()
		require.Equal(t, codes.OK, code(second.reg.Send(second.first)))

		require.NoError(t, a.metrics.Context().Err(), "the true stream was never replaced")
		counts := w.counts()
		require.EqualValues(t, 2, counts.SessionsOpened)
		require.Equal(t, map[string]uint64{"other_connection": 2 * 8, "unknown_key": 4 * 8}, counted(counts.StreamsRefused))
	})
}

// The key and the public id of a session are unlike each other, and new at each registration.
func TestKeyAndPublicIDAreIndependent(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		keys, ids := map[string]bool{}, map[string]bool{}
		for range 50 {
			s, err := w.client().RegisterAgent(t.Context())
			require.NoError(t, err)
			require.NoError(t, s.Send(columnar("n1")))
			welcome, err := s.Recv()
			require.NoError(t, err)
			keys[welcome.GetAgentId()], ids[welcome.GetPublicAgentId()] = true, true
			require.Regexp(t, regexp.MustCompile(`^[A-Z2-7]{26}$`), welcome.GetAgentId(), "130 bits")
			cluster, err := w.proxy.Cluster(t.Context(), messages.NodeFilter{})
			require.NoError(t, err)
			require.Equal(t, cluster.Nodes[0].AgentID, welcome.GetPublicAgentId(), "both sides show the same")
		}
		require.Len(t, keys, 50)
		require.Len(t, ids, 50)
	})
}

// Streams without a session are counted by reason.
func TestRefusedStreamsAreCounted(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.connect(baseline("p1"))
		try := func(ctx context.Context, want codes.Code) {
			t.Helper()
			require.Equal(t, want, code(a.streamIn(ctx, ofTomorrow).RecvMsg(&emptypb.Empty{})))
		}
		try(t.Context(), codes.Unauthenticated)
		for range maxDrainedStreams {
			a.stream(ofTomorrow)
		}
		synctest.Wait()
		try(a.context(), codes.ResourceExhausted)
		a.cancel()
		synctest.Wait()
		w.proxy.Refuse()
		try(metadata.AppendToOutgoingContext(t.Context(), "agent_id", a.id), codes.Unavailable)
		require.Equal(t, map[string]uint64{"no_key": 1, "too_many": 1, "stopping": 1}, counted(w.counts().StreamsRefused))
	})
}
