package proxy

import (
	"context"
	"crypto/x509"
	"net"
	"sync/atomic"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
)

// connectionIDs numbers the connections of agents, over all proxies of the process.
var connectionIDs atomic.Uint64

// plaintext are the credentials of connections without encryption. They number the
// connections: the AuthInfo of a handshake is the only thing of a connection that gRPC passes
// to the handlers of its streams. A stats.Handler could number them too, but gRPC would call
// it for each message.
type plaintext struct {
	credentials.TransportCredentials
	connections *connections
}

// connection is the AuthInfo of a connection. All of its streams have the same.
type connection struct {
	credentials.AuthInfo
	id   uint64 // greater than 0
	conn net.Conn
	raw  net.Conn // as it was accepted
	// chain are the certificates that the client has shown and that were verified in the handshake, its
	// own first; empty if it has shown none. They stay the same as long as the connection lives.
	chain []*x509.Certificate
}

// credentials are those of all connections.
func (p *Proxy) credentials(cfg Config) credentials.TransportCredentials {
	if cfg.TLS == nil {
		return plaintext{insecure.NewCredentials(), p.connections}
	}
	return encrypted{cfg.TLS, p.sys.Log(), cfg.peers, cfg.counters, p.connections}
}

func (p plaintext) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := p.TransportCredentials.ServerHandshake(raw)
	return p.connections.counted(conn, raw), connection{AuthInfo: info, id: connectionIDs.Add(1), conn: conn, raw: raw}, err
}

func (p plaintext) Clone() credentials.TransportCredentials {
	return plaintext{p.TransportCredentials.Clone(), p.connections}
}

// connectionOf returns the connection of a stream. Its id is 0 if that is not known.
func connectionOf(stream context.Context) connection {
	p, ok := peer.FromContext(stream)
	if !ok {
		return connection{}
	}
	c, _ := p.AuthInfo.(connection)
	return c
}

// hangUp closes the connection of a stream, and with it all streams of the connection. It is
// for peers that do not read: they do not get the end of a stream, which waits behind its
// unread frames, and gRPC keeps those frames as long as the connection lives.
func hangUp(stream context.Context) {
	if c := connectionOf(stream); c.conn != nil {
		_ = c.conn.Close()
	}
}
