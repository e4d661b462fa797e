package httpapi

import (
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"

	"fodc/messages/connlimit"

	"go.uber.org/zap"
)

// Limits of what connections send before their handshake of TLS is over: Go keeps up to 64 KiB of a first message, and up to
// 256 KiB of a client's certificates, until they are whole.
const (
	maxHandshakeBytes    = 256 << 10
	maxHandshakeBytesAll = 16 << 20
	// handshakeCost is what a byte counts: it is kept in a buffer that doubles when it is full.
	handshakeCost = 2
)

func connectionLimits() connlimit.Limits {
	return connlimit.Limits{All: maxConnections, OfAddress: maxConnectionsOfAddress,
		Bytes: connlimit.ByteLimits{One: maxHandshakeBytes, All: maxHandshakeBytesAll}}
}

// handshakeListener accepts connections whose handshakes are counted.
type handshakeListener struct {
	net.Listener
	conns *connections
}

func (l handshakeListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &handshakeConn{Conn: c, conns: l.conns}, nil
}

// handshakeConn is below a *tls.Conn.
type handshakeConn struct {
	net.Conn
	conns *connections
	over  atomic.Bool // the handshake is
}

func (c *handshakeConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && !c.over.Load() && !c.conns.received(c, handshakeCost*n) {
		return 0, net.ErrClosed
	}
	return n, err
}

// received counts bytes of a handshake. It closes a connection if that is too much, and reports whether this one may go on.
func (c *connections) received(conn net.Conn, bytes int) (goesOn bool) {
	c.mu.Lock()
	if !c.state.Has(conn) { // It is closed.
		c.mu.Unlock()
		return false
	}
	victim, over := c.state.Sent(conn, bytes, time.Now())
	if over {
		c.overBytes++
	}
	c.mu.Unlock()
	if over {
		_ = victim.Close()
		c.log.Warn("TLS handshakes of HTTP connections send too much: one is closed", zap.Stringer("peer", victim.RemoteAddr()))
	}
	return !over || victim != conn
}

// rawOf returns what is below TLS, if there is TLS.
func rawOf(c net.Conn) net.Conn {
	if t, ok := c.(*tls.Conn); ok {
		return t.NetConn()
	}
	return c
}
