package agent

import (
	"io"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A proxy that closes the metrics stream after each answer: the stream comes back
// soon, on the same session, and the log has one line.
func TestMetricsStreamClosedAfterEachAnswer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.metrics = func(n int, g metricsServer) error {
			_, _ = w.proxy.recvMetrics(n, g)
			return nil
		}
		w.run()
		before := goroutines()
		for i := range 20 {
			w.proxy.ask(columnarRequest(uint64(i + 1)))
			w.pass(channelRetryBase)
			require.Len(t, w.proxy.metricsStreams(), i+2)
		}
		require.Equal(t, before, goroutines(), "no goroutine of a former stream")
		require.Len(t, w.proxy.sessions(), 1)
		require.Len(t, w.net.times(w.start), 1)
		require.Equal(t, []string{"the metrics stream broke, and is opened again: the proxy ended the stream"}, w.lines("metrics stream"))
	})
}

// A proxy that closes each metrics stream at once: attempts slow down.
func TestMetricsStreamClosedAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.metrics = func(int, metricsServer) error { return status.Error(codes.Internal, "no") }
		w.run()
		w.pass(10 * time.Minute)
		n := len(w.proxy.metricsStreams())
		require.Greater(t, n, 100)
		require.Less(t, n, 140)
		require.Len(t, w.lines("metrics stream"), 1)
		require.Len(t, w.proxy.sessions(), 1)
		require.Len(t, w.proxy.sessions()[0].frames, 61)
	})
}

func TestMetricsStreamUnimplemented(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.metrics = func(int, metricsServer) error { return status.Error(codes.Unimplemented, "no such method") }
		w.run()
		w.pass(10 * time.Minute)
		require.Len(t, w.proxy.metricsStreams(), 11)
		require.Len(t, w.lines("metrics stream"), 1)
		require.Len(t, w.proxy.sessions(), 1)
		require.Len(t, w.proxy.sessions()[0].frames, 61, "the session is kept for its heartbeats")
	})
}

// A proxy that does not know the session any more makes the agent register anew.
func TestSessionUnknown(t *testing.T) {
	for _, code := range []codes.Code{codes.NotFound, codes.Unauthenticated, codes.PermissionDenied} {
		inWorld(t, func(t *testing.T, w *world) {
			w.proxy.metrics = func(n int, g metricsServer) error {
				if n == 1 {
					return status.Error(code, "no session has this agent_id")
				}
				return w.proxy.holdMetrics(n, g)
			}
			w.run()
			w.pass(time.Second)
			require.Len(t, w.proxy.sessions(), 2)
			require.Equal(t, []string{"id-2"}, w.proxy.metricsStreams()[1].agentID)
			require.NotErrorIs(t, w.proxy.sessions()[0].end, io.EOF, "that is no goodbye")
		})
	}
}

// A proxy that half-closes ends the session; the agent comes back.
func TestProxyHalfCloses(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.register = func(n int, g registerServer) error {
			_, _ = w.proxy.recvRegistration(n, g)
			_ = g.Send(w.proxy.welcome(n))
			if n == 1 {
				return nil
			}
			return w.proxy.holdRegistration(n, g)
		}
		w.run()
		w.pass(time.Second)
		require.Equal(t, "public-2", w.link().AgentID)
		require.Equal(t, messages.LinkConnected, w.link().State)
	})
}
