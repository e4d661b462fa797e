package proxy

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"fodc/actors"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// keptListener keeps what it has accepted.
type keptListener struct {
	net.Listener
	accepted chan net.Conn
}

func (l keptListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.accepted <- c
	}
	return c, err
}

// The kernel gives up a peer that acknowledges nothing, whether connections are encrypted or not: gRPC sets the option of
// the socket itself.
func TestConnectionsHaveTheOptionsOfTheirSockets(t *testing.T) {
	f := func(cfg func() *tls.Config, secure credentials.TransportCredentials) {
		t.Helper()
		sys := actors.NewSystem(zap.NewNop())
		defer sys.Shutdown()
		c := testConfig
		c.TLS = cfg
		p := Start(sys, c)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		kept := keptListener{l, make(chan net.Conn, 8)}
		served := make(chan error, 1)
		go func() { served <- p.Serve(kept) }()
		conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(secure))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		s, err := wire.NewFODCServiceClient(conn).RegisterAgent(ctx)
		require.NoError(t, err)
		require.NoError(t, s.Send(baseline("p1")))
		_, err = s.Recv()
		require.NoError(t, err)

		raw, err := (<-kept.accepted).(*net.TCPConn).SyscallConn()
		require.NoError(t, err)
		var timeout, noDelay int
		require.NoError(t, raw.Control(func(fd uintptr) {
			timeout, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
			noDelay, _ = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NODELAY)
		}))
		require.NoError(t, err)
		require.EqualValues(t, keepaliveTimeout.Milliseconds(), timeout)
		require.Equal(t, 1, noDelay)
		require.NoError(t, conn.Close())
		require.NoError(t, p.Stop(ctx))
		require.NoError(t, <-served)
	}
	f(nil, insecure.NewCredentials())
	cfg, secure := tlsOf(t, "p1")
	f(cfg, secure)
}
