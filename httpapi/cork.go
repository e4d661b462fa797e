package httpapi

import (
	"context"
	"net"
	"net/http"
)

// corkBytes is the length of a write from which a connection is corked.
const corkBytes = 64 << 10

// corkKey is the key of a request's connection in its context.
type corkKey struct{}

// withConn lets the handlers of a connection's requests cork it.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, corkKey{}, c)
}

// cork lets the kernel send full packets only, until the response ends, or is flushed. net/http writes the
// first 4 KiB of each part of a long page by themselves: they would be sent as packets of their
// own, and wake the reader for each.
type cork struct {
	conn *net.TCPConn // nil: not a TCP connection
	in   bool
}

func corkOf(r *http.Request) cork {
	conn, _ := r.Context().Value(corkKey{}).(*net.TCPConn)
	return cork{conn: conn}
}

// put corks the connection if a write of the length is part of a long response.
func (c *cork) put(length int) {
	if !c.in && c.conn != nil && length >= corkBytes {
		c.in = setCork(c.conn, 1)
	}
}

// pull is called at the end of the response, and at each flush.
func (c *cork) pull() {
	if c.in {
		c.in = false
		setCork(c.conn, 0)
	}
}
