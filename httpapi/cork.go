package httpapi

import (
	"net"
	"net/http"
)

// corkBytes is the length of a write from which a connection is corked.
const corkBytes = 64 << 10

// cork lets the kernel send full packets only, until the response ends, or is flushed. net/http writes the
// first 4 KiB of each part of a long page by themselves: they would be sent as packets of their
// own, and wake the reader for each.
type cork struct {
	conn *net.TCPConn // nil: not a TCP connection
	in   bool
}

func corkOf(r *http.Request) cork {
	conn, _ := r.Context().Value(connKey{}).(*net.TCPConn)
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
