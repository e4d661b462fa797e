package httpapi

import (
	"context"
	"net"
	"net/http"
)

// corkBytes is how much is written at once of an answer that has more to come.
const corkBytes = 64 << 10

// corkKey is the key of a request's connection in its context.
type corkKey struct{}

// withConn lets the handlers of a connection's requests cork it.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, corkKey{}, c)
}

// cork lets the kernel send full packets only, until the answer ends. Of each part of a
// long page net/http writes the first 4 KiB by themselves, which would be on their way as
// packets of their own, and wake the reader for each.
type cork struct {
	conn *net.TCPConn // nil: not a TCP connection
	in   bool
}

func corkOf(r *http.Request) cork {
	conn, _ := r.Context().Value(corkKey{}).(*net.TCPConn)
	return cork{conn: conn}
}

// put corks the connection if a part of the length is that of a long answer.
func (c *cork) put(length int) {
	if !c.in && c.conn != nil && length >= corkBytes {
		c.in = setCork(c.conn, 1)
	}
}

// pull is called once, at the answer's end.
func (c *cork) pull() {
	if c.in {
		setCork(c.conn, 0)
	}
}
