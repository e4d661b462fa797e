//go:build bench && linux

package querybench

import (
	"net"
	"time"
)

// lateConn is a connection from which everything can be read only some time after it has come,
// as from a peer that is far away.
type lateConn struct {
	net.Conn
	late  func() time.Duration
	parts chan latePart
	rest  latePart
}

type latePart struct {
	bytes []byte
	due   time.Time
	err   error
}

func newLateConn(c net.Conn, late func() time.Duration) *lateConn {
	l := &lateConn{Conn: c, late: late, parts: make(chan latePart, 1024)}
	go l.receive()
	return l
}

func (c *lateConn) receive() {
	for {
		b := make([]byte, 4<<10)
		n, err := c.Conn.Read(b)
		c.parts <- latePart{bytes: b[:n], due: time.Now().Add(c.late()), err: err}
		if err != nil {
			return
		}
	}
}

func (c *lateConn) Read(b []byte) (int, error) {
	if len(c.rest.bytes) == 0 {
		if c.rest.err != nil {
			return 0, c.rest.err
		}
		c.rest = <-c.parts
		if wait := time.Until(c.rest.due); wait > 0 {
			<-time.After(wait)
		}
	}
	n := copy(b, c.rest.bytes)
	c.rest.bytes = c.rest.bytes[n:]
	return n, nil
}
