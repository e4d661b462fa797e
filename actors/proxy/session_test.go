package proxy

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

func code(err error) codes.Code { return status.Code(err) }

// TestOnlyOnlineAndUnconnected fails if a node that is silent, or whose session is
// lost, is shown as anything but unconnected, or for ever. Seen to fail when silence
// was no reason.
func TestOnlyOnlineAndUnconnected(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		quiet, lost := w.connect(baseline("quiet")), w.connect(baseline("lost"))
		require.Equal(t, map[string]messages.Status{"quiet": "online", "lost": "online"}, w.statuses())
		lost.cancel()
		synctest.Wait()
		require.Equal(t, map[string]messages.Status{"quiet": "online", "lost": "unconnected"}, w.statuses())
		time.Sleep(31 * time.Second)
		require.Equal(t, map[string]messages.Status{"quiet": "unconnected", "lost": "unconnected"}, w.statuses())
		require.NoError(t, quiet.reg.Send(quiet.first))
		synctest.Wait()
		require.Equal(t, map[string]messages.Status{"quiet": "online", "lost": "unconnected"}, w.statuses())
		time.Sleep(5 * time.Minute)
		require.Equal(t, map[string]messages.Status{"quiet": "unconnected"}, w.statuses())
		time.Sleep(31 * time.Second)
		require.Empty(t, w.statuses())
		_, err := quiet.reg.Recv()
		require.Equal(t, codes.Unavailable, code(err), "the session of a removed node is ended")
	})
}

func TestHalfCloseIsAGoodbye(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.agent(baseline("p1"), always(1))
		require.NoError(t, a.metrics.CloseSend())
		require.NoError(t, a.reg.CloseSend())
		_, err := a.reg.Recv()
		require.ErrorIs(t, err, io.EOF)
		synctest.Wait()
		require.Empty(t, w.statuses())
		require.Zero(t, w.alive("session"))
	})
}

func TestNewRegistrationReplacesTheSession(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		old := w.agent(baseline("p1"), always(1))
		renewed := w.agent(baseline("p1"), always(2))
		_, err := old.reg.Recv()
		require.Equal(t, codes.Aborted, code(err))
		require.NotEqual(t, old.id, renewed.id)
		require.Equal(t, map[string]messages.Status{"p1": "online"}, w.statuses())
		require.Equal(t, map[string]any{"p1": 2.}, shown(w.collect(messages.Query{})))
		synctest.Wait()
		require.Equal(t, 1, w.alive("session"))
	})
}

// TestNoSendOnReplacedStream fails if a request goes out on a metrics stream that was
// replaced, or if that stream lives on. Seen to fail (it hangs) when a stream was not
// closed when another one replaced it.
func TestNoSendOnReplacedStream(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.agent(baseline("p1"), never)
		synctest.Wait()
		first := a.metrics
		done := make(chan map[string]any)
		go func() { done <- shown(w.collect(messages.Query{})) }()
		synctest.Wait()
		a.openMetrics(always(7))
		require.Equal(t, map[string]any{"p1": messages.MissingError}, <-done, "requests on the old stream fail at once")
		require.Equal(t, map[string]any{"p1": 7.}, shown(w.collect(messages.Query{})))
		require.Len(t, a.requests(), 2)
		<-first.Context().Done()
		require.Equal(t, 1, w.alive("session"))
	})
}

func TestMetricsStreamCanBeOpenedAgain(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.agent(baseline("p1"), always(1))
		require.NoError(t, a.metrics.CloseSend())
		<-a.metrics.Context().Done()
		answer := make(chan map[string]any)
		go func() { answer <- shown(w.collect(messages.Query{})) }()
		time.Sleep(time.Second)
		a.openMetrics(always(2))
		require.Equal(t, map[string]any{"p1": 2.}, <-answer, "a request waits for the stream that comes")
	})
}

func TestStreamsWithoutASessionAreRejected(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		rejected := func(ctx context.Context, want codes.Code) {
			t.Helper()
			m, err := w.client().StreamMetrics(ctx)
			require.NoError(t, err)
			_, err = m.Recv()
			require.Equal(t, want, code(err))
			h, err := w.client().StreamLifecycle(ctx)
			require.NoError(t, err)
			_, err = h.Recv()
			require.Equal(t, want, code(err))
		}
		rejected(t.Context(), codes.Unauthenticated)
		rejected(metadata.AppendToOutgoingContext(t.Context(), "agent_id", ""), codes.Unauthenticated)
		rejected(metadata.AppendToOutgoingContext(t.Context(), "agent_id", "nobody"), codes.NotFound)
		gone := w.connect(baseline("p1"))
		gone.cancel()
		synctest.Wait()
		rejected(metadata.AppendToOutgoingContext(t.Context(), "agent_id", gone.id), codes.NotFound)
	})
}

// Streams of later versions are accepted, and what comes on them is discarded.
func TestUnknownStreamsOfTheServiceAreDrained(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.agent(baseline("p1"), always(1))
		var drained []grpc.ClientStream
		for range 3 {
			s := a.stream(ofTomorrow)
			require.NoError(t, s.SendMsg(&wire.RegisterAgentRequest{NodeRole: "anything"}))
			drained = append(drained, s)
		}
		other, err := a.conn.NewStream(a.context(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/other.Service/Method")
		require.NoError(t, err)
		require.Equal(t, codes.Unimplemented, code(other.RecvMsg(&emptypb.Empty{})))
		require.Equal(t, map[string]any{"p1": 1.}, shown(w.collect(messages.Query{})))

		require.NoError(t, drained[0].CloseSend())
		require.ErrorIs(t, drained[0].RecvMsg(&emptypb.Empty{}), io.EOF, "the end of one is the end of one only")
		require.Equal(t, map[string]any{"p1": 1.}, shown(w.collect(messages.Query{})))
		require.NoError(t, a.reg.CloseSend())
		for _, s := range drained[1:] {
			require.Error(t, s.RecvMsg(&emptypb.Empty{}), "it ends with its session")
		}
	})
}

func TestDrainedStreamsAreBounded(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.connect(baseline("p1"))
		for range maxDrainedStreams {
			a.stream(ofTomorrow)
		}
		synctest.Wait()
		require.Equal(t, codes.ResourceExhausted, code(a.stream(ofTomorrow).RecvMsg(&emptypb.Empty{})))
	})
}

func TestFloodEndsTheSession(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.agent(baseline("p1"), never)
		for range 100 {
			if a.metrics.Send(gauge(1)) != nil {
				break
			}
		}
		_, err := a.reg.Recv()
		require.Equal(t, codes.ResourceExhausted, code(err))
	})
}

func TestHeartbeatsAreAnsweredToThoseWhoUnderstand(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		own := w.connect(columnar("n1"))
		require.NoError(t, own.reg.Send(own.first))
		answer, err := own.reg.Recv()
		require.NoError(t, err)
		require.True(t, answer.GetSuccess())
		require.Equal(t, own.id, answer.GetAgentId())
		require.EqualValues(t, 10, answer.GetHeartbeatIntervalSeconds())

		old := w.connect(baseline("p1"))
		require.NoError(t, old.reg.Send(old.first))
		synctest.Wait()
		require.NoError(t, old.reg.CloseSend())
		_, err = old.reg.Recv()
		require.ErrorIs(t, err, io.EOF, "nothing came in between")
	})
}

func TestRejectedRegistrationsSayWhy(t *testing.T) {
	cfg := testConfig
	cfg.Limits.MaxAgents = 1
	inWorld(t, cfg, func(t *testing.T, w *world) {
		rejected := func(first *wire.RegisterAgentRequest, want codes.Code, text string) {
			t.Helper()
			s, err := w.client().RegisterAgent(t.Context())
			require.NoError(t, err)
			require.NoError(t, s.Send(first))
			answer, err := s.Recv()
			require.NoError(t, err)
			require.False(t, answer.GetSuccess())
			require.Contains(t, answer.GetMessage(), text)
			_, err = s.Recv()
			require.Equal(t, want, code(err))
			require.Contains(t, err.Error(), text)
		}
		rejected(&wire.RegisterAgentRequest{PodName: "p1"}, codes.InvalidArgument, "role")
		rejected(&wire.RegisterAgentRequest{NodeRole: "liaison"}, codes.InvalidArgument, "node_id")
		first := &wire.RegisterAgentRequest{NodeRole: "liaison", NodeId: "n1", PrimaryAddress: &wire.Address{Ip: "10.0.0.1", Port: 1}}
		w.connect(first)
		rejected(baseline("p2"), codes.ResourceExhausted, "--max-agents")
		rejected(&wire.RegisterAgentRequest{NodeRole: "liaison", NodeId: "n1", PrimaryAddress: &wire.Address{Ip: "10.0.0.2", Port: 1}},
			codes.AlreadyExists, "10.0.0.1:1")
	})
}

func TestStopTellsTheAgents(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a, b := w.agent(baseline("p1"), never), w.agent(columnar("n2"), never)
		synctest.Wait()
		failed := make(chan error, 1)
		go func() {
			_, err := w.proxy.Collect(t.Context(), messages.Query{Deadline: time.Now().Add(5 * time.Second)})
			failed <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		require.NoError(t, w.proxy.Stop(ctx))
		for _, agent := range []*fakeAgent{a, b} {
			_, err := agent.reg.Recv()
			require.Equal(t, codes.Unavailable, code(err))
			require.Contains(t, err.Error(), wire.StoppingText)
		}
		var unavailable *messages.Error
		require.True(t, errors.As(<-failed, &unavailable))
		require.Equal(t, messages.ErrUnavailable, unavailable.Kind)
	})
}

// TestPeerAddressIPv6 fails if an address is split at its first colon. Seen to fail
// when it was.
func TestPeerAddressIPv6(t *testing.T) {
	require.Equal(t, messages.Address{IP: "::1", Port: 17900}, parseAddress("[::1]:17900"))
	require.Equal(t, messages.Address{IP: "10.0.0.1", Port: 1}, parseAddress("10.0.0.1:1"))
	for _, bad := range []string{"", "bufconn", "::1:17900", "10.0.0.1:70000", "10.0.0.1:x"} {
		require.Zero(t, parseAddress(bad), bad)
	}
}
