package agent

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"fodc/messages"
	"fodc/messages/wire"
	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
)

// A load balancer between agent and proxy learns of the name that the proxy's certificate must be for.
func TestProxyIsAskedForByItsName(t *testing.T) {
	ca := certtest.NewCA(t, "ca")
	own := ca.Issue(t, certtest.Leaf{DNS: []string{"proxy.example"}, IPs: []string{"127.0.0.1"}, Server: true})
	asked := make(chan []string, 1)
	server := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&own.TLS)), grpc.UnknownServiceHandler(func(_ any, g grpc.ServerStream) error {
		md, _ := metadata.FromIncomingContext(g.Context())
		asked <- md.Get(":authority")
		return nil
	}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(l) }()
	defer server.Stop()
	f := func(name, want string) {
		t.Helper()
		cfg := sessionConfig{address: l.Addr().String(), dial: dialTCP, keepalive: time.Minute, identity: newNodeIdentity(messages.Registration{}, false)}
		cfg.security.TLS = func(string) *tls.Config {
			return &tls.Config{RootCAs: ca.Pool(), ServerName: name, NextProtos: []string{"h2"}}
		}
		conn, err := newConnection(cfg, &atomic.Pointer[netip.Addr]{}, &progress{})
		require.NoError(t, err)
		defer conn.Close()
		_, err = wire.NewFODCServiceClient(conn).RegisterAgent(t.Context())
		require.NoError(t, err)
		select {
		case got := <-asked:
			require.Equal(t, []string{want}, got)
		case <-time.After(30 * time.Second):
			t.Fatal("no stream came")
		}
	}
	f("proxy.example", "proxy.example")
	f("127.0.0.1", l.Addr().String())
}
