package proxy

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/test/bufconn"
)

// stopTakes stops the proxy, and returns how long that took.
func (w *world) stopTakes() time.Duration {
	ctx, cancel := context.WithTimeout(w.T.Context(), 2*time.Second)
	defer cancel()
	begin := time.Now()
	assert.NoError(w.T, w.proxy.Stop(ctx))
	return time.Since(begin)
}

func TestStopWithoutConnectionsIsImmediate(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.agent(columnar("n1"), never)
		synctest.Wait()
		require.Zero(t, w.stopTakes())
	})
}

// gRPC's server would wait for the handshake's timeout.
func TestStopEndsConnectionsInTheirHandshake(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		conn, err := w.net.Dial()
		require.NoError(t, err)
		defer conn.Close()
		read := make(chan error, 1)
		go func() {
			_, err := io.Copy(io.Discard, conn)
			read <- err
		}()
		time.Sleep(handshakeTimeout / 2)
		require.Equal(t, connectionsGrace, w.stopTakes())
		<-read
	})
}

// trackedConn is a connection that records whether it was closed.
type trackedConn struct {
	net.Conn
	closed bool
}

func (h *trackedConn) Close() error {
	h.closed = true
	return nil
}

func TestHandshakeListenerDropsOldConnections(t *testing.T) {
	a := &handshakeListener{Listener: bufconn.Listen(1)}
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	conns := make([]*trackedConn, 4)
	for i, after := range []time.Duration{0, handshakeTimeout / 2, handshakeTimeout + time.Second} {
		conns[i] = &trackedConn{}
		a.track(conns[i], begin.Add(after))
	}
	require.Len(t, a.recent, 2)
	a.close()
	conns[3] = &trackedConn{}
	a.track(conns[3], begin.Add(time.Hour))
	require.Empty(t, a.recent)
	for i, want := range []bool{false, true, true, true} {
		require.Equal(t, want, conns[i].closed, "connection %d", i)
	}
}
