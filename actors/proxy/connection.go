package proxy

import (
	"context"
	"net"
	"sync/atomic"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// connectionIDs numbers the connections of agents, over all proxies of the process.
var connectionIDs atomic.Uint64

// plaintext are the credentials of connections without encryption. They give each
// connection an identity: the AuthInfo of a handshake is the one thing of a connection that
// gRPC hands to the handlers of its streams. A stats.Handler could tag connections too, but
// gRPC then calls it for each message.
type plaintext struct {
	credentials.TransportCredentials
}

// connection is the AuthInfo of a connection, and so what all of its streams share.
type connection struct {
	credentials.AuthInfo
	id   uint64 // greater than 0
	conn net.Conn
}

func (p plaintext) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := p.TransportCredentials.ServerHandshake(raw)
	return conn, connection{info, connectionIDs.Add(1), conn}, err
}

func (p plaintext) Clone() credentials.TransportCredentials {
	return plaintext{p.TransportCredentials.Clone()}
}

// connectionOf returns the connection of a stream. Its id is 0 where that is not known.
func connectionOf(stream context.Context) connection {
	p, ok := peer.FromContext(stream)
	if !ok {
		return connection{}
	}
	c, _ := p.AuthInfo.(connection)
	return c
}

// hangUp cuts the connection of a stream, with all its streams. To a peer that does not
// read, the end of a stream does not get through: it waits behind what the stream had to
// say, and gRPC keeps both as long as the connection lives.
func hangUp(stream context.Context) {
	if c := connectionOf(stream); c.conn != nil {
		_ = c.conn.Close()
	}
}
