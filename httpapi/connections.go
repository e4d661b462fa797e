package httpapi

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"fodc/messages/connlimit"

	"go.uber.org/zap"
)

// Limits of the connections of a server. Clients of one address may be many: a reverse proxy may stand before them.
const (
	maxConnections          = 1024
	maxConnectionsOfAddress = 512
)

// connections limits the connections of a server. If there are too many, one goes on which no handler is at
// work: the one that has waited longest of the address that has most of them. If there is none, the new one goes.
type connections struct {
	log *zap.Logger

	mu               sync.Mutex
	state            *connlimit.State[net.Conn]
	http2            *http2State
	evicted, refused uint64
	overBytes        uint64
}

func newConnections(log *zap.Logger, limits connlimit.Limits) *connections {
	return &connections{log: limited(log, connectionLines), state: connlimit.New[net.Conn](limits), http2: newHTTP2State()}
}

// onState is told what becomes of a connection.
func (c *connections) onState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.add(rawOf(conn))
	case http.StateActive:
		if h, ok := rawOf(conn).(*handshakeConn); ok {
			h.over.Store(true)
		}
	case http.StateClosed, http.StateHijacked:
		c.mu.Lock()
		defer c.mu.Unlock()
		c.state.Remove(rawOf(conn))
		c.http2.remove(rawOf(conn))
	}
}

func (c *connections) add(conn net.Conn) {
	c.mu.Lock()
	d := c.state.Add(conn, connlimit.AddressOf(conn.RemoteAddr()), time.Now())
	closed := conn
	switch {
	case d.Refused:
		c.refused++
	case d.Evicted:
		c.evicted++
		closed = d.Victim
	default:
		closed = nil
	}
	c.mu.Unlock()
	if closed != nil {
		_ = closed.Close()
		c.log.Warn("too many HTTP connections: one is closed", zap.Stringer("peer", closed.RemoteAddr()), zap.Bool("new", d.Refused))
	}
}

// whileUsed calls f, for whose time the connection of the request is in use.
func (c *connections) whileUsed(r *http.Request, f func()) {
	conn, ok := r.Context().Value(connKey{}).(net.Conn)
	if !ok {
		f()
		return
	}
	conn = rawOf(conn)
	c.mu.Lock()
	c.state.Use(conn)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.state.Release(conn, time.Now())
	}()
	f()
}

// closed counts the connections that were closed, by the reason.
func (c *connections) closed() map[string]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return map[string]uint64{"evicted": c.evicted, "refused": c.refused, "bytes": c.overBytes}
}

// connKey is the key of a request's connection in its context.
type connKey struct{}

// withConn lets the handlers of a connection's requests know it.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// ConnectionsClosed counts the connections that were closed because there were too many, by the reason: evicted are
// those that made room for a new one, refused are new ones, bytes those whose handshakes of TLS have sent too much. A nil *Server, as in tests of the API, has none.
func (s *Server) ConnectionsClosed() map[string]uint64 {
	if s == nil {
		return nil
	}
	return s.conns.closed()
}
