package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

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

// What a proxy says when it refuses an agent, or ends its session, may have a secret in it, such as that of a URL behind it: it
// is masked on /health, in the log and in the tree of actors.
func TestSecretsInWhatAProxySays(t *testing.T) {
	f := func(register func(w *world, n int, g registerServer) error, shown string) {
		t.Helper()
		inWorld(t, func(t *testing.T, w *world) {
			w.proxy.register = func(n int, g registerServer) error { return register(w, n, g) }
			w.run()
			w.pass(5 * time.Second)
			health, err := w.agent.Health(t.Context())
			require.NoError(t, err)
			require.Contains(t, health.Proxies[0].Error, shown)
			tree := w.sys.Tree()
			for what, value := range map[string]any{"health": health, "tree": tree, "logs": w.logs.All()} {
				require.NotContains(t, fmt.Sprintf("%+v", value), "hunter2", what)
			}
			require.NotEmpty(t, w.lines("with the proxy"))
		})
	}
	f(func(w *world, n int, g registerServer) error {
		_, _ = w.proxy.recvRegistration(n, g)
		return g.Send(&wire.RegisterAgentResponse{Message: "not by http://u:hunter2@h/, token=hunter2"})
	}, `the proxy refuses the registration: "not by http://u:***@h/, token=***`)
	f(func(*world, int, registerServer) error {
		return status.Error(codes.PermissionDenied, "the store says: password=hunter2")
	}, "PermissionDenied: the store says: password=***")
	f(func(w *world, n int, g registerServer) error {
		_, _ = w.proxy.recvRegistration(n, g)
		_ = g.Send(w.proxy.welcome(n))
		return status.Error(codes.Internal, "postgres://u:hunter2@db is gone")
	}, "Internal: postgres://u:***@db is gone")
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
		w.sys.Send(w.uplink(), channelDone{}) // no stream: it panics
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
		var failed atomic.Bool
		cfg := sessionConfig{address: "p", identity: newNodeIdentity(messages.Registration{NodeID: "n"}, false), heartbeat: time.Second, recorder: actorstest.NewProbe(sys).PID,
			load: func() float64 { return 0 },
			dial: net.dial}
		pid := sys.Spawn("link", restarts, func() actors.Actor {
			l := newLink(sys, cfg, time.Second)
			l.state.backoff.random = func(time.Duration) time.Duration {
				if !failed.Swap(true) {
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
		require.True(t, failed.Load())
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

// A proxy that finds the pings too many, as a server of gRPC does by default, is
// pinged less often until it bears it.
func TestTooManyPings(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.interval = 3600 // so that nothing but pings goes out
		w.run()
		w.pass(2 * time.Hour)
		n := len(w.proxy.sessions())
		require.Greater(t, n, 1, "the fake proxy bears all pings: this tests nothing")
		require.Less(t, n, 8)
		w.pass(2 * time.Hour)
		require.Len(t, w.proxy.sessions(), n)
	})
}

// What the agent does as it should leaves no message without a receiver.
func TestNoDeadLetters(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		for range 5 {
			w.pass(time.Minute)
			w.proxy.ask(columnarRequest(1))
			synctest.Wait() // The recorder may answer a request of a connection that has just gone: that is a dead letter.
			w.crash()
		}
		w.stop()
		require.Zero(t, w.sys.Counts().DeadLetters, "%v", w.logs.FilterMessage("dead letters").All())
	})
}

// Over a real socket: the node's address is the connection's, and a proxy that is not
// there is named.
func TestRealConnection(t *testing.T) {
	sys := actors.NewSystem(zap.NewNop())
	defer sys.Shutdown()
	proxy := newFakeProxy(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	wire.RegisterFODCServiceServer(server, proxy)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, free.Close())

	a := Start(sys, Config{Registration: messages.Registration{NodeID: "n", Role: "meta", Primary: messages.Address{Port: 17912}},
		ProxyAddrs: []string{l.Addr().String(), free.Addr().String()}, ScrapeInterval: time.Second,
		HeartbeatInterval: time.Second, ReconnectInterval: time.Second})
	status := func(address string) messages.ProxyHealth {
		h, err := a.Health(t.Context())
		require.NoError(t, err)
		return h.Proxies[slices.IndexFunc(h.Proxies, func(p messages.ProxyHealth) bool { return p.Address == address })]
	}
	require.Eventually(t, func() bool { return status(l.Addr().String()).State == messages.LinkConnected }, 10*time.Second, time.Millisecond)
	require.Equal(t, "127.0.0.1", proxy.sessions()[0].frames[0].GetPrimaryAddress().GetIp())
	require.Eventually(t, func() bool { return status(free.Addr().String()).Error != "" }, 10*time.Second, time.Millisecond)
	require.Contains(t, status(free.Addr().String()).Error, free.Addr().String()+": connect: connection refused")

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	require.NoError(t, a.Stop(ctx))
	require.ErrorIs(t, proxy.sessions()[0].end, io.EOF)
	server.Stop()
	require.NoError(t, <-served)
}

func TestSessionEndOf(t *testing.T) {
	f := func(err error, want sessionEnd) {
		t.Helper()
		require.Equal(t, want, sessionEndOf(err))
	}
	f(status.Error(codes.Unavailable, wire.StoppingText), sessionEnd{why: "Unavailable: proxy is stopping", goingDown: true})
	f(status.Error(codes.Aborted, wire.StoppingText), sessionEnd{why: "Aborted: proxy is stopping"})
	f(fmt.Errorf("no way"), sessionEnd{why: "no way"})
	f(context.Canceled, sessionEnd{why: "context canceled"})
}

// A proxy's text is logged, and shown by /health.
func TestTextOfAProxyIsBounded(t *testing.T) {
	long := strings.Repeat("\xff\u00e9x\n", 100_000)
	for _, why := range []string{
		sessionEndOf(status.Error(codes.Unavailable, long)).why,
		sessionEndOf(errors.New(long)).why,
		rejectionText(wire.Welcome{Message: long}),
	} {
		require.LessOrEqual(t, len(why), maxCauseBytes)
		require.GreaterOrEqual(t, len(why), maxCauseBytes/2)
		require.True(t, utf8.ValidString(why), "%q", why)
	}
	require.True(t, sessionEndOf(status.Error(codes.Unavailable, long+"too_many_pings")).tooManyPings)
}
