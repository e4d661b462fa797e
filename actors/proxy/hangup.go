package proxy

import (
	"context"
	"net"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// plaintext are the credentials of connections without encryption. Through them a
// handler of a stream gets at its connection, which gRPC does not let it.
type plaintext struct {
	credentials.TransportCredentials
}

// line is what a stream's peer is known by.
type line struct {
	credentials.AuthInfo
	conn net.Conn
}

func (p plaintext) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := p.TransportCredentials.ServerHandshake(raw)
	return conn, line{info, conn}, err
}

func (p plaintext) Clone() credentials.TransportCredentials {
	return plaintext{p.TransportCredentials.Clone()}
}

// hangUp cuts the connection of a stream, with all its streams. To a peer that does not
// read, the end of a stream does not get through: it waits behind what the stream had to
// say, and gRPC keeps both as long as the connection lives.
func hangUp(stream context.Context) {
	p, ok := peer.FromContext(stream)
	if !ok {
		return
	}
	if l, ok := p.AuthInfo.(line); ok {
		_ = l.conn.Close()
	}
}
