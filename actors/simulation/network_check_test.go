package simulation

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// wired is a connection through a network of its own.
type wired struct {
	net          *network
	process      *process
	listener     *listener
	agent, proxy *conn
}

func inNetwork(t *testing.T, test func(t *testing.T, w *wired)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &wired{net: newNetwork(), process: &process{host: &host{machine: machine{ip: "10.0.1.1"}}}}
		w.listener = w.net.listen()
		w.connect(t)
		test(t, w)
	})
}

func (w *wired) connect(t *testing.T) {
	t.Helper()
	var err error
	w.agent, err = w.net.dial(t.Context(), w.process)
	require.NoError(t, err)
	c, err := w.listener.Accept()
	require.NoError(t, err)
	w.proxy = c.(*conn)
}

func (w *wired) set(f func(h *host)) { w.net.change(func() { f(w.process.host) }) }

func send(t *testing.T, c *conn, text string) {
	t.Helper()
	n, err := c.Write([]byte(text))
	require.NoError(t, err)
	require.Equal(t, len(text), n)
}

// gets reads what is there, up to a moment from now.
func gets(t *testing.T, c *conn, want string) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Millisecond)))
	var got []byte
	b := make([]byte, 3)
	for {
		n, err := c.Read(b)
		got = append(got, b[:n]...)
		if err != nil {
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			break
		}
	}
	require.NoError(t, c.SetReadDeadline(time.Time{}))
	require.Equal(t, want, string(got))
}

func fails(t *testing.T, c *conn, want error) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Millisecond)))
	_, err := c.Read(make([]byte, 1))
	require.ErrorIs(t, err, want)
}

func TestNetworkDelivers(t *testing.T) {
	inNetwork(t, func(t *testing.T, w *wired) {
		send(t, w.agent, "hello ")
		send(t, w.agent, "world")
		gets(t, w.proxy, "hello world")
		send(t, w.proxy, "back")
		require.NoError(t, w.proxy.Close())
		gets2, err := io.ReadAll(w.agent)
		require.NoError(t, err)
		require.Equal(t, "back", string(gets2))
		fails(t, w.proxy, net.ErrClosed)
	})
}

func TestNetworkBlocksOneDirection(t *testing.T) {
	inNetwork(t, func(t *testing.T, w *wired) {
		w.set(func(h *host) { h.out.blocked = true })
		send(t, w.agent, "up")
		send(t, w.proxy, "down")
		require.NoError(t, w.agent.Close())
		gets(t, w.proxy, "")
		w.set(func(h *host) { h.out.blocked = false })
		all, err := io.ReadAll(w.proxy)
		require.NoError(t, err)
		require.Equal(t, "up", string(all), "what waited arrives, and then the end")
	})
}

func TestNetworkIsSlow(t *testing.T) {
	inNetwork(t, func(t *testing.T, w *wired) {
		begun := time.Now()
		w.set(func(h *host) { h.out.latency = time.Second })
		send(t, w.agent, "a")
		w.set(func(h *host) { h.out.latency = 0 })
		send(t, w.agent, "b")
		require.Equal(t, begun.Add(time.Second), w.net.lastArrival(w.process.host))
		b := make([]byte, 2)
		_, err := io.ReadFull(w.proxy, b)
		require.NoError(t, err)
		require.Equal(t, "ab", string(b), "in the order of sending")
		require.Equal(t, time.Second, time.Since(begun))
	})
}

func TestNetworkWritesBlockWhenNobodyReads(t *testing.T) {
	inNetwork(t, func(t *testing.T, w *wired) {
		require.NoError(t, w.agent.SetWriteDeadline(time.Now().Add(time.Second)))
		n, err := w.agent.Write(make([]byte, sendBuffer+1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, sendBuffer, n)
		require.NoError(t, w.agent.SetWriteDeadline(time.Time{}))
		go func() { _, _ = io.ReadFull(w.proxy, make([]byte, 10)) }()
		send(t, w.agent, "0123456789")
	})
}

func TestNetworkCuts(t *testing.T) {
	inNetwork(t, func(t *testing.T, w *wired) {
		send(t, w.agent, "lost")
		w.net.cut(w.process.host)
		fails(t, w.proxy, syscall.ECONNRESET)
		fails(t, w.agent, syscall.ECONNRESET)
		require.Empty(t, w.net.conns)
	})
}

func TestNetworkLoses(t *testing.T) {
	inNetwork(t, func(t *testing.T, w *wired) {
		w.net.lose(w.process.host)
		send(t, w.agent, "x")
		gets(t, w.proxy, "")
		send(t, w.proxy, "x")
		gets(t, w.agent, "")
		require.Equal(t, 1, w.net.alive(w.process))
		w.connect(t)
		send(t, w.agent, "new")
		gets(t, w.proxy, "new")
	})
}

func TestNetworkVanishedMachineIsSilentUntilItIsBack(t *testing.T) {
	inNetwork(t, func(t *testing.T, w *wired) {
		send(t, w.proxy, "x")
		w.net.powerOffAgent(w.process)
		gets(t, w.proxy, "")
		fails(t, w.agent, net.ErrClosed)
		_, err := w.net.dial(t.Context(), w.process)
		require.ErrorIs(t, err, net.ErrClosed)
		w.set(func(h *host) { h.off = false })
		fails(t, w.proxy, syscall.ECONNRESET)
	})
	inNetwork(t, func(t *testing.T, w *wired) {
		w.net.powerOffProxy(w.listener)
		gets(t, w.agent, "")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := w.net.dial(ctx, w.process)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		old := w.agent
		w.listener = w.net.listen()
		gets(t, old, "")
		_, err = old.Write([]byte("x"))
		require.NoError(t, err)
		fails(t, old, syscall.ECONNRESET)
		w.connect(t)
	})
}

func TestNetworkRefusesAndHangs(t *testing.T) {
	inNetwork(t, func(t *testing.T, w *wired) {
		w.net.killProxy(w.listener)
		_, err := io.ReadAll(w.agent)
		require.NoError(t, err, "the end of the connection is told")
		_, err = w.net.dial(t.Context(), w.process)
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		_, err = w.listener.Accept()
		require.True(t, errors.Is(err, errListenerClosed))

		w.listener = w.net.listen()
		w.set(func(h *host) { h.in.blocked = true })
		begun := time.Now()
		time.AfterFunc(time.Minute, func() { w.set(func(h *host) { h.in.blocked = false }) })
		w.connect(t)
		require.Equal(t, time.Minute, time.Since(begun))
	})
}
