package proxy

import (
	"net"
	"slices"
	"sync"
	"time"
)

// handshakeListener is a listener that can close the connections that may still be in their
// handshake. gRPC's server does not close them: even Stop waits for the end of a handshake.
// The connections are passed on unwrapped, because gRPC sets options of their sockets.
type handshakeListener struct {
	net.Listener

	mu     sync.Mutex
	recent []acceptedConn // oldest first
	closed bool
}

type acceptedConn struct {
	conn net.Conn
	at   time.Time
}

func (l *handshakeListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.track(conn, time.Now())
	}
	return conn, err
}

func (l *handshakeListener) track(conn net.Conn, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = conn.Close()
		return
	}
	// Older ones have completed the handshake, or gRPC has closed them. The second covers the
	// time until gRPC starts its timeout.
	old := slices.IndexFunc(l.recent, func(n acceptedConn) bool { return now.Sub(n.at) < handshakeTimeout+time.Second })
	if old < 0 {
		old = len(l.recent)
	}
	l.recent = append(slices.Delete(l.recent, 0, old), acceptedConn{conn, now})
}

// close closes the connections that may be in their handshake, and each one that is accepted
// later. A nil listener has none.
func (l *handshakeListener) close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, n := range l.recent {
		_ = n.conn.Close()
	}
	l.recent = nil
}
