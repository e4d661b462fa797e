package agent

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// The tests of this file are named after the requirements of the agent's connection.

// TestReconnectStopsOldGoroutines fails if a session leaves a goroutine, an actor or
// a connection behind. Seen to fail when a session that is over did not close its
// connection.
func TestReconnectStopsOldGoroutines(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		w.pass(2 * time.Minute)
		before := goroutines()
		for i := range 50 {
			w.crash()
			require.Equal(t, messages.LinkConnected, w.link().State, "after crash %d", i)
		}
		w.pass(2 * time.Minute)
		require.Equal(t, before, goroutines())
		require.Equal(t, 2, w.alive("link")+w.alive("uplink"))
		open, most := w.net.connections()
		require.Equal(t, 1, open)
		require.Equal(t, 1, most)
		require.Len(t, w.proxy.sessions(), 51)
	})
}

// TestReconnectAdoptsNewConnection fails if a call of the new session goes over the
// old connection: the old one is cut for good. Seen to fail (it hangs) when metrics
// streams were opened with the client of the first session.
func TestReconnectAdoptsNewConnection(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		old := w.proxy
		next := newFakeProxy(t).start()
		w.net.mu.Lock()
		w.net.hosts["proxy:17900"] = next
		w.net.mu.Unlock()
		old.stop()
		w.pass(time.Second)
		require.Len(t, next.sessions(), 1)
		next.ask(&wire.StreamMetricsResponse{})
		w.pass(20 * time.Second)
		require.Len(t, next.answers(), 1)
		require.Len(t, next.sessions()[0].frames, 3, "the heartbeats go there too")
		require.Len(t, old.sessions()[0].frames, 1)
	})
}

// TestExactlyOneReconnectInFlight fails if streams that break together start more
// than one attempt, or attempts overlap. Seen to fail when a loss started two
// attempts.
func TestExactlyOneReconnectInFlight(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		w.pass(2 * time.Minute)
		w.crash()
		require.Len(t, w.net.times(w.start), 2)
		require.Len(t, w.proxy.sessions(), 2)
		require.Equal(t, 1, w.alive("uplink"))

		w.proxy.stop()
		for range 600 {
			w.pass(100 * time.Millisecond)
			require.LessOrEqual(t, w.alive("uplink"), 1)
		}
		_, most := w.net.connections()
		require.Equal(t, 1, most)
	})
}

// TestAlwaysReconnectUnlessDisconnected fails if any end of the session but the
// agent's own goodbye is not followed by another session. Seen to fail when a link
// stayed without an uplink after a stream that was canceled.
func TestAlwaysReconnectUnlessDisconnected(t *testing.T) {
	ends := map[string]error{"eof": nil}
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		ends[code.String()] = status.Error(code, "why")
	}
	ends["stopping"] = status.Error(codes.Unavailable, wire.StoppingText)
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.proxy.register = func(n int, g registerServer) error {
					if n > 1 {
						return w.proxy.goodRegister(n, g)
					}
					_, _ = w.proxy.recvRegistration(n, g)
					_ = g.Send(w.proxy.welcome(n))
					return endAfter(g, time.Minute, end)
				}
				w.run()
				w.pass(time.Minute)
				w.pass(w.cfg.ReconnectInterval)
				require.Len(t, w.proxy.sessions(), 2)
				require.Equal(t, "public-2", w.link().AgentID)

				w.stop()
				w.pass(10 * time.Minute)
				require.Len(t, w.net.times(w.start), 2, "it has disconnected")
			})
		})
	}
}

// TestExactlyOneHeartbeatLoop fails if a reconnect leaves a second loop behind, or
// none. Seen to fail when each arming of the heartbeat's timer armed a second one.
func TestExactlyOneHeartbeatLoop(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		for range 10 {
			w.pass(7 * time.Second)
			w.crash()
		}
		sessions := w.proxy.sessions()
		last := len(sessions) - 1
		w.pass(time.Minute)
		sessions = w.proxy.sessions()
		require.Len(t, sessions, last+1)
		at := sessions[last].at
		for i := 1; i < len(at); i++ {
			require.Equal(t, 10*time.Second, at[i].Sub(at[i-1]))
		}
		require.GreaterOrEqual(t, len(at), 7)
	})
}

// TestDisconnectIsIdempotent fails if leaving twice, or at any other moment than in
// the midst of a session, hangs, panics or connects again, or if the second time cuts
// the first one short. Seen to fail when a goodbye between two attempts was ignored,
// and when a second one stopped the link at once.
func TestDisconnectIsIdempotent(t *testing.T) {
	leave := func(name string, prepare func(w *world)) {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				prepare(w)
				before := time.Now()
				w.stop()
				w.stop()
				require.LessOrEqual(t, time.Since(before), goodbyeGrace)
				dials := len(w.net.times(w.start))
				w.pass(time.Minute)
				require.Len(t, w.net.times(w.start), dials)
				require.Zero(t, w.alive("link"))
				if name == "connected" || name == "twice at once" {
					require.ErrorIs(t, w.proxy.sessions()[0].end, io.EOF, "that was no goodbye")
				}
			})
		})
	}
	leave("connected", func(w *world) { w.run() })
	leave("at once", func(w *world) { w.agent = Start(w.sys, w.cfg) })
	leave("while dialing", func(w *world) { w.net.hang = true; w.run() })
	leave("while registering", func(w *world) {
		w.proxy.register = func(_ int, g registerServer) error { <-g.Context().Done(); return nil }
		w.run()
	})
	leave("between attempts", func(w *world) {
		w.proxy.stop()
		w.run()
		for w.link().State != messages.LinkWaiting {
			w.pass(time.Millisecond)
		}
	})
	leave("right after a loss", func(w *world) { w.run(); w.proxy.stop() })
	leave("twice at once", func(w *world) {
		w.run()
		for range 3 {
			w.sys.Send(w.agent.links[0], disconnect{})
		}
	})
}

// TestFirstAttemptImmediate fails if there is a wait before the first attempt, or
// before the first attempt after the loss of a session. Seen to fail when the first
// attempt came after a delay.
func TestFirstAttemptImmediate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		require.Equal(t, []time.Duration{0}, w.net.times(w.start))
		w.pass(3 * time.Minute)
		w.proxy.restart()
		synctest.Wait()
		require.Equal(t, []time.Duration{0, 3 * time.Minute}, w.net.times(w.start))
		require.Len(t, w.proxy.sessions(), 2)
	})
}

// TestOneIntervalSetting fails if the delay between attempts is bounded by anything
// but the reconnect interval. Seen to fail when the delay was capped at 5 s, whatever
// the interval.
func TestOneIntervalSetting(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cfg.ReconnectInterval = time.Second
		w.proxy.stop()
		w.run()
		w.pass(2 * time.Minute)
		dials := w.net.times(w.start)
		requireBackoff(t, dials, time.Second)
		longest := time.Duration(0)
		for i := 1; i < len(dials); i++ {
			longest = max(longest, dials[i]-dials[i-1])
		}
		require.Greater(t, longest, 800*time.Millisecond)
	})
}

// TestSingleConnectPath fails if a later session is made in another way than the
// first: both send the same frames and open the same streams. Seen to fail when a
// reconnect left the labels out of its registration.
func TestSingleConnectPath(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		w.pass(2 * time.Minute)
		w.crash()
		sessions := w.proxy.sessions()
		require.Len(t, sessions, 2)
		plain := func(f *wire.RegisterAgentRequest) *wire.RegisterAgentRequest {
			f = proto.Clone(f).(*wire.RegisterAgentRequest)
			f.Clock, f.Runtime = nil, nil
			return f
		}
		require.True(t, proto.Equal(plain(sessions[0].frames[0]), plain(sessions[1].frames[0])))
		streams := w.proxy.metricsStreams()
		require.Len(t, streams, 2)
		require.Equal(t, []string{"id-2"}, streams[1].agentID)
		require.Equal(t, "healthy", sessions[1].frames[0].GetRuntime().GetHealth(), "what is known of the node")
	})
}

// TestReuseUnchangedConnection fails if a stream that breaks costs the connection or
// the session. Seen to fail when the end of a metrics stream ended the session.
func TestReuseUnchangedConnection(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.metrics = func(n int, g metricsServer) error {
			if n%2 == 1 {
				return status.Error(codes.Internal, "broken")
			}
			return w.proxy.holdMetrics(n, g)
		}
		w.run()
		w.pass(time.Second)
		streams := w.proxy.metricsStreams()
		require.Len(t, streams, 2)
		require.Equal(t, []string{"id-1"}, streams[1].agentID)
		w.proxy.ask(&wire.StreamMetricsResponse{})
		w.pass(10 * time.Second)
		require.Len(t, w.proxy.answers(), 1)
		require.Len(t, w.proxy.sessions(), 1)
		require.Equal(t, []time.Duration{0}, w.net.times(w.start))
	})
}

// TestFailureLoggedOnce fails if an attempt that fails as the one before is logged.
// Seen to fail when each failure was logged.
func TestFailureLoggedOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.stop()
		w.run()
		w.pass(10 * time.Minute)
		require.Len(t, w.lines("with the proxy"), 1)

		w.proxy.register = func(int, registerServer) error { return status.Error(codes.ResourceExhausted, "100 agents") }
		w.proxy.start()
		w.pass(10 * time.Minute)
		require.Len(t, w.lines("with the proxy"), 2, "its cause has changed")

		w.proxy.stop()
		w.proxy.register = nil
		w.proxy.start()
		w.pass(time.Minute)
		lines := w.lines("with the proxy")
		require.GreaterOrEqual(t, len(lines), 3)
		require.Equal(t, "registered with the proxy", lines[len(lines)-1])
		w.pass(10 * time.Minute)
		require.Len(t, w.lines("with the proxy"), len(lines))
	})
}
