package simulation

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// sendBuffer is how many bytes wait in one direction before a write blocks.
const sendBuffer = 64 << 10

// pipe is one direction of a connection. The network's lock guards it.
type pipe struct {
	direction *direction
	moved     *sync.Cond // signals that a read or a write may go on
	chunks    []chunk    // sent and not read
	bytes     int
	lastAt    time.Time // when the last chunk arrives
	lost      bool      // nothing arrives any more
}

type chunk struct {
	at   time.Time // when it arrives
	data []byte
	fin  bool // the other end has closed
}

func newPipe(n *network, w *direction) *pipe { return &pipe{direction: w, moved: sync.NewCond(n.mu)} }

func (p *pipe) push(c chunk) {
	c.at = time.Now().Add(p.direction.latency)
	if c.at.Before(p.lastAt) {
		c.at = p.lastAt
	}
	p.lastAt = c.at
	p.chunks, p.bytes = append(p.chunks, c), p.bytes+len(c.data)
	p.moved.Broadcast()
}

// take reads what has arrived. If nothing has, it returns when the next chunk arrives; zero:
// that is not known.
func (p *pipe) take(b []byte) (n int, next time.Time, err error) {
	if p.lost || p.direction.blocked {
		return 0, time.Time{}, nil
	}
	for n < len(b) && len(p.chunks) > 0 {
		c := &p.chunks[0]
		switch {
		case time.Now().Before(c.at):
			return n, c.at, nil
		case c.fin && n == 0:
			return 0, time.Time{}, io.EOF
		case c.fin:
			return n, time.Time{}, nil
		}
		m := copy(b[n:], c.data)
		n, p.bytes = n+m, p.bytes-m
		if c.data = c.data[m:]; len(c.data) == 0 {
			p.chunks = p.chunks[1:]
		}
		p.moved.Broadcast()
	}
	return n, time.Time{}, nil
}

// conn is one end of a connection.
type conn struct {
	net           *network
	process       *process // the agent's
	host          *host    // the process's
	peer          *conn
	local, remote string
	recv, send    *pipe

	// The network's lock guards these.
	closed          bool
	gone            bool // this end's machine does not know it any more
	failed          error
	readBy, writeBy time.Time
}

func (c *conn) isOver() bool { return c.closed || c.failed != nil }

// fail makes all reads and writes of this end return the error.
func (c *conn) fail(err error) {
	if c.failed == nil {
		c.failed = err
	}
	c.recv.moved.Broadcast()
	c.send.moved.Broadcast()
}

// close sends the end of the stream after all that was sent.
func (c *conn) close() {
	if c.closed {
		return
	}
	c.closed = true
	if !c.gone && c.failed == nil {
		c.send.push(chunk{fin: true})
	}
	c.fail(net.ErrClosed)
}

// powerOff drops this end of the connection. The other end gets nothing.
func (c *conn) powerOff() {
	c.gone = true
	c.send.chunks, c.send.lost = nil, true
	c.fail(net.ErrClosed)
}

// resetIfUnknown fails an end whose packets reach a machine that does not know the
// connection.
func (c *conn) resetIfUnknown() {
	machine := c.net.proxy
	if c.local == c.net.proxy.ip {
		machine = c.host.machine
	}
	if c.peer.gone && !machine.off && !c.send.direction.blocked && !c.recv.direction.blocked && !c.send.lost && len(c.send.chunks) > 0 {
		c.fail(syscall.ECONNRESET)
	}
}

// wait waits until moved is signalled, but no longer than until the earlier of the two times;
// zero is never.
func (c *conn) wait(p *pipe, a, b time.Time) {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		a = b
	}
	if !a.IsZero() {
		defer time.AfterFunc(time.Until(a), func() {
			c.net.mu.Lock()
			defer c.net.mu.Unlock()
			p.moved.Broadcast()
		}).Stop()
	}
	p.moved.Wait()
}

func hasPassed(deadline time.Time) bool { return !deadline.IsZero() && !time.Now().Before(deadline) }

func (c *conn) Read(b []byte) (int, error) {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	for {
		switch {
		case c.failed != nil:
			return 0, c.opError("read", c.failed)
		case hasPassed(c.readBy):
			return 0, c.opError("read", os.ErrDeadlineExceeded)
		}
		n, next, err := c.recv.take(b)
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
		c.wait(c.recv, c.readBy, next)
	}
}

func (c *conn) Write(b []byte) (int, error) {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	sent := 0
	for {
		switch {
		case sent == len(b) && sent > 0:
			return sent, nil
		case c.failed != nil:
			return sent, c.opError("write", c.failed)
		case sent == len(b):
			return 0, nil
		case hasPassed(c.writeBy):
			return sent, c.opError("write", os.ErrDeadlineExceeded)
		case c.send.bytes >= sendBuffer:
			c.wait(c.send, c.writeBy, time.Time{})
			continue
		}
		m := min(len(b)-sent, sendBuffer-c.send.bytes)
		if !c.peer.isOver() || c.peer.gone {
			c.send.push(chunk{data: append([]byte(nil), b[sent:sent+m]...)})
		}
		sent += m
		c.resetIfUnknown()
	}
}

func (c *conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

func (c *conn) Close() error {
	c.net.change(c.close)
	return nil
}

func (c *conn) LocalAddr() net.Addr  { return address(c.local, 40000) }
func (c *conn) RemoteAddr() net.Addr { return address(c.remote, 17900) }

func (c *conn) SetDeadline(t time.Time) error      { return c.setDeadlines(&t, &t) }
func (c *conn) SetReadDeadline(t time.Time) error  { return c.setDeadlines(&t, nil) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.setDeadlines(nil, &t) }

func (c *conn) setDeadlines(read, write *time.Time) error {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	if read != nil {
		c.readBy = *read
		c.recv.moved.Broadcast()
	}
	if write != nil {
		c.writeBy = *write
		c.send.moved.Broadcast()
	}
	return nil
}
