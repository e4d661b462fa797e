package proxy

import (
	"errors"
	"net"
	"syscall"

	"go.uber.org/zap"
)

// limitedListener is a listener whose connections a connections limits. They are passed on unwrapped,
// because gRPC sets options of their sockets.
type limitedListener struct {
	net.Listener
	conns *connections
}

func (l limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
				l.conns.outOfFiles() // gRPC tries again soon.
			}
			return nil, err
		}
		if l.conns.accepted(conn) {
			return conn, nil
		}
	}
}

// connectionClosed is why the proxy has closed a connection.
type connectionClosed string

const (
	closedTooMany      connectionClosed = "too_many"     // there are as many as are allowed, in all or of its address
	closedUnregistered connectionClosed = "unregistered" // it had no session for too long
	closedStreams      connectionClosed = "streams"      // it opened streams too often
	closedBytes        connectionClosed = "bytes"        // it sent too much without a session
)

// close closes a connection that has to go. gRPC notices, and ends what it has of it.
func (c *connections) close(conn net.Conn, why connectionClosed) {
	_ = conn.Close()
	c.counters.connectionClosed(why)
	c.peers.warn(logEvent{"connection closed: " + string(why), strangerLines}, c.log, "connection closed",
		zap.String("reason", string(why)), zap.Stringer("peer", conn.RemoteAddr()))
}

// isClosed reports whether a connection is known to be closed.
func isClosed(conn net.Conn) bool {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	return err != nil || raw.Control(func(uintptr) {}) != nil
}
