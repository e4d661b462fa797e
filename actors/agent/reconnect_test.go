package agent

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// The tests of this file are named after the requirements of the agent's connection.

// endAfter ends a stream after a while, if the agent does not before.
func endAfter(g registerServer, d time.Duration, end error) error {
	select {
	case <-time.After(d):
		return end
	case <-g.Context().Done():
		return nil
	}
}

// crash cuts the proxy off and brings it back at once.
func (w *world) crash() {
	w.proxy.restart()
	w.pass(w.cfg.ReconnectInterval)
}

// goroutines returns what the goroutines of the bubble were started for, sorted.
func goroutines() []string {
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var all []string
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		head, _, _ := strings.Cut(stack, "\n")
		_, by, ok := strings.Cut(stack, "\ncreated by ")
		if ok && strings.Contains(head, "synctest bubble") {
			by, _, _ = strings.Cut(by, " in goroutine")
			all = append(all, by)
		}
	}
	slices.Sort(all)
	return all
}

// TestReconnectStopsOldGoroutines fails if a session leaves a goroutine, an actor or a
// connection behind.
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

// TestReconnectAdoptsNewConnection fails if a call of the new session goes over the old
// connection: the old one is cut for good.
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

// TestExactlyOneReconnectInFlight fails if streams that break together start more than
// one attempt, or attempts overlap.
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

// TestAlwaysReconnectUnlessDisconnected fails if any end of the session but the agent's
// own goodbye is not followed by another session.
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
				require.Equal(t, "id-2", w.link().AgentID)

				w.stop()
				w.pass(10 * time.Minute)
				require.Len(t, w.net.times(w.start), 2, "it has disconnected")
			})
		})
	}
}

// TestExactlyOneHeartbeatLoop fails if a reconnect leaves a second loop behind, or
// none.
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
// the midst of a session, hangs, panics or connects again.
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
// before the first attempt after the loss of a session.
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

// TestOneIntervalSetting fails if the delay between attempts is bounded by anything but
// the reconnect interval.
func TestOneIntervalSetting(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cfg.ReconnectInterval = time.Second
		w.proxy.stop()
		w.run()
		w.pass(2 * time.Minute)
		dials := w.net.times(w.start)
		requireLadder(t, dials, time.Second)
		longest := time.Duration(0)
		for i := 1; i < len(dials); i++ {
			longest = max(longest, dials[i]-dials[i-1])
		}
		require.Greater(t, longest, 800*time.Millisecond)
	})
}

// TestSingleConnectPath fails if a later session is made in another way than the first:
// both send the same frames and open the same streams.
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
// the session.
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

// A proxy that takes every registration and drops it: the agent does not spin, does
// not give up, and does not fill the log.
func TestDropsAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.register = func(n int, g registerServer) error {
			_, _ = w.proxy.recvRegistration(n, g)
			_ = g.Send(w.proxy.welcome(n))
			return status.Error(codes.Unavailable, "go away")
		}
		w.run()
		w.pass(10 * time.Minute)
		n := len(w.proxy.sessions())
		require.Greater(t, n, 120)
		require.Less(t, n, 400)
		require.Len(t, w.lines("with the proxy"), 2, "%v", w.lines("with the proxy"))
	})
}

// Agents of a proxy that stops in an orderly way spread their return.
func TestProxyStopping(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.register = func(n int, g registerServer) error {
			_, _ = w.proxy.recvRegistration(n, g)
			_ = g.Send(w.proxy.welcome(n))
			return endAfter(g, 2*time.Minute, status.Error(codes.Unavailable, wire.StoppingText))
		}
		w.run()
		w.pass(time.Hour)
		dials := w.net.times(w.start)
		var sum time.Duration
		for i := 1; i < len(dials); i++ {
			delay := dials[i] - dials[i-1] - 2*time.Minute
			require.LessOrEqual(t, delay, w.cfg.ReconnectInterval)
			sum += delay
		}
		mean := sum / time.Duration(len(dials)-1)
		require.InDelta(t, (w.cfg.ReconnectInterval / 2).Seconds(), mean.Seconds(), 1.5)
	})
}

// Several proxies: one that is down costs the others nothing.
func TestIndependentLinks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		other := newFakeProxy(t).start()
		w.net.hosts["other:17900"] = other
		w.cfg.ProxyAddrs = []string{"proxy:17900", "down:17900", "other:17900"}
		w.run()
		w.pass(time.Minute)
		require.Len(t, w.proxy.sessions(), 1)
		require.Len(t, other.sessions(), 1)
		require.Len(t, other.sessions()[0].frames, 7)
		h, err := w.agent.Health(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"down:17900", "other:17900", "proxy:17900"},
			[]string{h.Proxies[0].Address, h.Proxies[1].Address, h.Proxies[2].Address})
		require.Equal(t, "Unavailable: connection error: desc = \"transport: Error while dialing: dial tcp: connection refused\"",
			h.Proxies[0].Error)
	})
}

// A panic of an uplink costs its session, and nothing is left of it.
func TestUplinkPanics(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		w.pass(2 * time.Minute)
		w.sys.Send(w.uplink(), metricsDone{}) // no stream: it panics
		w.pass(time.Second)
		require.Len(t, w.proxy.sessions(), 2)
		require.Equal(t, messages.LinkConnected, w.link().State)
		open, _ := w.net.connections()
		require.Equal(t, 1, open)
	})
}

// uplink returns the address of the one uplink.
func (w *world) uplink() *actors.PID {
	for _, a := range w.sys.Tree().Actors {
		for _, child := range a.Children {
			if child.Kind == "uplink" {
				return &actors.PID{Address: w.agent.links[0].Address, Id: child.ID}
			}
		}
	}
	w.t.Fatal("no uplink")
	return nil
}

// A link that panics comes back, with one session.
func TestLinkPanics(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		proxy := newFakeProxy(t).start()
		defer proxy.stop()
		net := &fakeNet{hosts: map[string]*fakeProxy{"p": proxy}}
		fail := true
		cfg := sessionConfig{address: "p", heartbeat: time.Second, recorder: actorstest.NewProbe(sys).PID,
			load: func() float64 { return 0 },
			dial: net.dial}
		pid := sys.Spawn("link", restarts, func() actors.Actor {
			l := newLink(sys, cfg, time.Second)
			l.state.random = func(time.Duration) time.Duration {
				if fail {
					fail = false
					panic("forced")
				}
				return 0
			}
			return l
		})
		time.Sleep(2 * time.Minute)
		for range 2 { // the second loss within a minute draws a delay, and panics
			proxy.restart()
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		require.False(t, fail)
		h, err := actors.Ask[messages.ProxyHealth](t.Context(), sys, pid, readLink{})
		require.NoError(t, err)
		require.Equal(t, messages.LinkConnected, h.State)
		open, _ := net.connections()
		require.Equal(t, 1, open)
		require.Len(t, proxy.sessions(), 3)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, sys.Stop(ctx, pid))
		time.Sleep(10 * time.Second)
	})
}

// A proxy that finds the pings too many is pinged less often.
func TestTooManyPings(t *testing.T) {
	end := endOf(status.Error(codes.Unavailable, `closing transport due to: connection error: desc = "error reading from server: EOF", `+
		`received prior goaway: code: ENHANCE_YOUR_CALM, debug data: "too_many_pings"`))
	require.True(t, end.tooManyPings)
	require.False(t, end.goingDown)
}

func TestEndOf(t *testing.T) {
	f := func(err error, want sessionEnd) {
		t.Helper()
		require.Equal(t, want, endOf(err))
	}
	f(status.Error(codes.Unavailable, wire.StoppingText), sessionEnd{why: "Unavailable: proxy is stopping", goingDown: true})
	f(status.Error(codes.Aborted, wire.StoppingText), sessionEnd{why: "Aborted: proxy is stopping"})
	f(fmt.Errorf("no way"), sessionEnd{why: "no way"})
	f(context.Canceled, sessionEnd{why: "context canceled"})
}
