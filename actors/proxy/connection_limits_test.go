package proxy

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// trackedConn is a connection that records whether it was closed.
type trackedConn struct {
	net.Conn
	ip     string
	closed bool
}

func (h *trackedConn) Close() error {
	h.closed = true
	return nil
}

func (h *trackedConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(h.ip), 1))
}

func newTestConnections() *connections { return newConnections(10, newCounters(), nil, zap.NewNop()) }

// flood accepts so many connections of the address.
func flood(c *connections, ip string, n int) []*trackedConn {
	conns := make([]*trackedConn, n)
	for i := range conns {
		conns[i] = &trackedConn{ip: ip}
		c.accepted(conns[i])
	}
	return conns
}

func countClosed(conns []*trackedConn) (closed int) {
	for _, c := range conns {
		if c.closed {
			closed++
		}
	}
	return closed
}

func TestConnectionsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestConnections()
		defer c.stop()
		agent, about := &trackedConn{ip: "10.0.0.1"}, &trackedConn{ip: "10.0.0.1"}
		require.True(t, c.accepted(agent))
		require.True(t, c.accepted(about))
		c.registered(agent)
		strangers := flood(c, "10.0.0.66", 5000)
		require.Equal(t, 5000-10-connectionRoom/2, countClosed(strangers))
		require.False(t, strangers[4999].closed, "the oldest ones go")
		others := flood(c, "10.0.0.67", 5000)
		require.Equal(t, 10+connectionRoom-2, 10_000-countClosed(strangers)-countClosed(others))
		require.False(t, agent.closed || about.closed)
		require.Equal(t, uint64(10_002-10-connectionRoom), c.counters.counts().ConnectionsClosed["too_many"])

		near := flood(c, "10.0.0.1", 5000)
		require.True(t, about.closed, "an address has its limit")
		require.False(t, agent.closed, "a session is safe from it")
		require.False(t, near[4999].closed)
		c.outOfFiles()
		require.Equal(t, 10+connectionRoom-1, c.state.Len())
	})
}

func TestConnectionsWithoutASessionAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestConnections()
		defer c.stop()
		agent, stranger := &trackedConn{ip: "10.0.0.1"}, &trackedConn{ip: "10.0.0.66"}
		c.accepted(agent)
		c.accepted(stranger)
		c.registered(agent)
		c.registered(agent) // a second session, before the first one has ended
		time.Sleep(unregisteredTimeout + connectionSweepInterval)
		synctest.Wait()
		require.True(t, stranger.closed)
		c.unregistered(agent)
		time.Sleep(time.Hour)
		synctest.Wait()
		require.False(t, agent.closed)
		c.unregistered(agent)
		time.Sleep(unregisteredTimeout + connectionSweepInterval)
		synctest.Wait()
		require.True(t, agent.closed)
		require.Nil(t, c.sweep, "nothing is looked for")
		require.Equal(t, uint64(2), c.counters.counts().ConnectionsClosed["unregistered"])
		require.Empty(t, c.state.Unused())
	})
}

func TestStreamsOfAConnectionAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestConnections()
		defer c.stop()
		conn := &trackedConn{ip: "10.0.0.66"}
		c.accepted(conn)
		c.registered(conn)
		require.True(t, c.received(conn, 9, streamBurst))
		time.Sleep(time.Second)
		for range streamsPerMinute / 60 {
			require.True(t, c.received(conn, 9, 1))
		}
		require.True(t, c.received(conn, 9, 0))
		require.False(t, conn.closed)
		require.False(t, c.received(conn, 9, 1))
		require.True(t, conn.closed)
		require.False(t, c.received(conn, 9, 1), "it was read before")
		require.Empty(t, c.streams)
		require.Equal(t, uint64(1), c.counters.counts().ConnectionsClosed["streams"])
	})
}

func TestStopClosesConnectionsWithoutASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestConnections()
		before := flood(c, "10.0.0.1", 2)
		c.registered(before[0])
		c.stop()
		after := flood(c, "10.0.0.1", 1)
		require.False(t, before[0].closed, "gRPC ends its streams")
		require.True(t, before[1].closed)
		require.True(t, after[0].closed)
	})
}

// A connection that gRPC has closed does not count for long.
func TestConnectionsThatGRPCHasClosed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c := newTestConnections()
	defer c.stop()
	client, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	conn, err := limitedListener{l, c}.Accept()
	require.NoError(t, err)
	c.onSweep()
	require.Equal(t, 1, c.state.Len())
	require.IsType(t, &net.TCPConn{}, conn, "gRPC sets options of it")
	require.NoError(t, conn.Close())
	c.onSweep()
	require.Zero(t, c.state.Len())
}

// Whoever opens streams and ends them at once, or does not read, is gone in time, whatever gRPC makes of it.
func TestStrangersWithStreamsAreGone(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.agent(baseline("p1"), always(1))
		a.beat()
		stranger := w.client()
		ended := time.Time{}
		for start := time.Now(); time.Since(start) < 5*time.Minute; time.Sleep(5 * time.Second) {
			ctx, cancel := context.WithCancel(t.Context())
			s, err := stranger.RegisterAgent(ctx)
			cancel()
			if err == nil {
				_, _ = s.Recv()
			}
			if w.counts().ConnectionsClosed["unregistered"] > 0 {
				ended = time.Now()
				require.LessOrEqual(t, time.Since(start), unregisteredTimeout+6*time.Second)
				break
			}
			a.beat()
		}
		require.False(t, ended.IsZero())
		require.Equal(t, map[string]any{"p1": 1.}, shown(w.collect(messages.Query{})))
	})
}
