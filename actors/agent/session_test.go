package agent

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestSession(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		require.Equal(t, []time.Duration{0}, w.net.times(w.start))
		sessions := w.proxy.sessions()
		require.Len(t, sessions, 1)
		first := sessions[0].frames[0]
		require.Equal(t, "liaison", first.GetNodeRole())
		require.Equal(t, "n1", first.GetNodeId())
		require.Equal(t, "p1", first.GetPodName())
		require.Equal(t, "test", first.GetAgentVersion())
		require.Equal(t, map[string]string{"zone": "a"}, first.GetLabels())
		require.Equal(t, "10.0.0.7", first.GetPrimaryAddress().GetIp(), "the connection's local address")
		require.EqualValues(t, 17912, first.GetPrimaryAddress().GetPort())
		require.ElementsMatch(t, []wire.Capability{wire.Capability_CAPABILITY_COLUMNAR_ANSWERS,
			wire.Capability_CAPABILITY_HEARTBEAT_ANSWERS, wire.Capability_CAPABILITY_DICTIONARY,
			wire.Capability_CAPABILITY_STREAM_ANSWERS}, first.GetCapabilities())
		require.Equal(t, w.start.UTC(), first.GetClock().AsTime())
		streams := w.proxy.metricsStreams()
		require.Len(t, streams, 1)
		require.Equal(t, []string{"id-1"}, streams[0].agentID)
		require.Equal(t, messages.LinkConnected, w.link().State)
		require.Equal(t, "public-1", w.link().AgentID)

		w.pass(10 * time.Second)
		beat := w.proxy.sessions()[0].frames[1]
		require.Equal(t, w.start.Add(10*time.Second).UTC(), beat.GetClock().AsTime())
		require.Equal(t, "healthy", beat.GetRuntime().GetHealth())
		require.Equal(t, "10.0.0.7", beat.GetPrimaryAddress().GetIp())
	})
}

// The node's address is as the operator says, where they say it.
func TestToldNodeAddress(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cfg.Registration.Primary.IP = "192.0.2.1"
		w.run()
		require.Equal(t, "192.0.2.1", w.proxy.sessions()[0].frames[0].GetPrimaryAddress().GetIp())
	})
}

func TestGoodbye(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		before := time.Now()
		w.stop()
		require.Zero(t, time.Since(before), "a proxy that ends its streams is not waited for")
		require.ErrorIs(t, w.proxy.sessions()[0].end, io.EOF)
		require.ErrorIs(t, w.proxy.metricsStreams()[0].end, io.EOF)
		open, _ := w.net.connections()
		require.Zero(t, open)
		w.pass(time.Minute)
		require.Len(t, w.proxy.sessions(), 1)
	})
}

// A proxy that does not end its streams costs half a second, and no more.
func TestGoodbyeToADeafProxy(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.register = func(n int, g registerServer) error {
			_, _ = w.proxy.recvRegistration(n, g)
			_ = g.Send(w.proxy.welcome(n))
			_ = w.proxy.holdRegistration(n, g)
			<-g.Context().Done()
			return nil
		}
		w.run()
		before := time.Now()
		w.stop()
		require.Equal(t, goodbyeGrace, time.Since(before))
		require.ErrorIs(t, w.proxy.sessions()[0].end, io.EOF)
	})
}

func TestHeartbeatInterval(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.interval = 3
		w.run()
		w.pass(30 * time.Second)
		at := w.proxy.sessions()[0].at
		require.Len(t, at, 11)
		for i, moment := range at {
			require.Equal(t, time.Duration(i)*3*time.Second, moment.Sub(w.start))
		}
	})
}

func TestRefused(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.register = func(n int, g registerServer) error {
			_, _ = w.proxy.recvRegistration(n, g)
			_ = g.Send(&wire.RegisterAgentResponse{Message: "node_role is empty"})
			return status.Error(codes.InvalidArgument, "node_role is empty")
		}
		w.run()
		w.pass(10 * time.Minute)
		require.Equal(t, []string{`cannot register with the proxy: the proxy refuses the registration: "node_role is empty"`},
			w.lines("with the proxy"))
		requireBackoff(t, w.net.times(w.start), w.cfg.ReconnectInterval)
	})
}

// requireBackoff asserts that attempts keep within the limits of the backoff, and never
// end.
func requireBackoff(t *testing.T, dials []time.Duration, retryCap time.Duration) {
	t.Helper()
	require.Zero(t, dials[0], "the first attempt is at once")
	limit := retryBase
	for i := 1; i < len(dials); i++ {
		require.LessOrEqual(t, dials[i]-dials[i-1], limit, "delay %d", i)
		limit = min(2*limit, retryCap)
	}
	// Delays are drawn from [0, cap]: half of it on average.
	require.Greater(t, len(dials), 100)
	require.Less(t, len(dials), 600)
}

// A proxy that takes the connection and never answers the registration.
func TestNeverAnswered(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.register = func(n int, g registerServer) error {
			_ = w.proxy.holdRegistration(n, g)
			<-g.Context().Done()
			return nil
		}
		w.run()
		w.pass(9999 * time.Millisecond)
		require.Equal(t, messages.LinkConnecting, w.link().State)
		w.pass(time.Millisecond)
		require.Equal(t, messages.LinkWaiting, w.link().State)
		require.Equal(t, []string{"cannot register with the proxy: no session within 10s: the proxy does not answer the registration"}, w.lines("with the proxy"))
		w.pass(time.Minute)
		_, most := w.net.connections()
		require.Equal(t, 1, most)
		require.Len(t, w.lines("with the proxy"), 1)
	})
}

// A dial that hangs is given up too.
func TestDialHangs(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.net.hang = true
		w.run()
		w.pass(connectTimeout)
		require.Equal(t, "no session within 10s: the address does not answer", w.link().Error)
	})
}

// So is a connection on which nothing is said: a process that is frozen still has those
// that the kernel takes for it.
func TestConnectionIsSilent(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cfg.Dial = func(context.Context, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			return ours, nil
		}
		w.run()
		w.pass(connectTimeout)
		require.Equal(t, "no session within 10s: the connection is there, and nothing comes on it", w.link().Error)
	})
}

// A proxy that answers the registration without an id is of no use.
func TestNoAgentID(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.register = func(n int, g registerServer) error {
			_, _ = w.proxy.recvRegistration(n, g)
			_ = g.Send(&wire.RegisterAgentResponse{Success: true})
			return w.proxy.holdRegistration(n, g)
		}
		w.run()
		require.Equal(t, errNoAgentID.Error(), w.link().Error)
	})
}

// Unimplemented to everything: the agent neither spins nor gives up.
func TestUnimplementedProxy(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.register = func(int, registerServer) error { return status.Error(codes.Unimplemented, "unknown service") }
		w.run()
		w.pass(10 * time.Minute)
		requireBackoff(t, w.net.times(w.start), w.cfg.ReconnectInterval)
		require.Equal(t, []string{"cannot register with the proxy: Unimplemented: unknown service"}, w.lines("with the proxy"))
	})
}

// A rejection in the answer to a heartbeat ends the session.
func TestRefusedLater(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.register = func(n int, g registerServer) error {
			_, _ = w.proxy.recvRegistration(n, g)
			_ = g.Send(w.proxy.welcome(n))
			_, _ = w.proxy.recvRegistration(n, g)
			_ = g.Send(&wire.RegisterAgentResponse{Message: "replaced"})
			return w.proxy.holdRegistration(n, g)
		}
		w.run()
		w.pass(10 * time.Second)
		require.Len(t, w.proxy.sessions(), 2)
		require.Equal(t, []string{`lost the session with the proxy: the proxy refuses the registration: "replaced"`}, w.lines("lost the"))
	})
}
