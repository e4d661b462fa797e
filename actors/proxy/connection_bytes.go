package proxy

import (
	"net"
	"time"
)

const (
	// prefaceBytes are sent before the first frame of a connection.
	prefaceBytes = 24
	// frameCost is what a frame counts beside its bytes: gRPC keeps each frame of a message that is not whole as a
	// buffer of its own, and one of a single byte takes 64 bytes, and twice as much while the list of them grows.
	frameCost = 256
)

// countedConn tells connections what is read of a connection. gRPC reads a message of up to --grpc-max-msg-size on each
// stream before anybody is asked whether it is welcome.
type countedConn struct {
	net.Conn             // what is read: under TLS, as it was decrypted
	raw         net.Conn // as it was accepted
	connections *connections
	frames      frameCounter // of the one goroutine that reads
}

// counted returns a connection that is read as conn is, and is counted as raw, which was accepted.
func (c *connections) counted(conn, raw net.Conn) net.Conn {
	return &countedConn{Conn: conn, raw: raw, connections: c, frames: frameCounter{skip: prefaceBytes}}
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.connections.received(c.raw, n+frameCost*c.frames.count(b[:n]))
	}
	return n, err
}

// Close forgets the connection: gRPC keeps nothing of one that it has closed.
func (c *countedConn) Close() error {
	c.connections.forget(c.raw)
	return c.Conn.Close()
}

// frameCounter counts the frames of HTTP/2 in what is read bit by bit.
type frameCounter struct {
	skip int // bytes before the next frame
	// length is what has come of the next frame's length, of which head bytes have come with its type, flags and stream.
	length, head int
}

// count returns how many frames begin in b, which follows what was counted before.
func (f *frameCounter) count(b []byte) (frames int) {
	const headBytes, lengthBytes = 9, 3
	for len(b) > 0 {
		if n := min(f.skip, len(b)); n > 0 {
			f.skip -= n
			b = b[n:]
			continue
		}
		if f.head < lengthBytes {
			f.length = f.length<<8 | int(b[0])
		}
		b = b[1:]
		if f.head++; f.head == headBytes {
			frames++
			*f = frameCounter{skip: f.length}
		}
	}
	return frames
}

func (c *connections) forget(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Remove(conn)
	delete(c.streams, conn)
}

// received counts bytes that a connection has sent, and closes a connection if that is too much.
func (c *connections) received(conn net.Conn, n int) {
	c.mu.Lock()
	victim, over := c.state.Sent(conn, n, time.Now())
	if over {
		delete(c.streams, victim)
	}
	c.mu.Unlock()
	if over {
		c.close(victim, closedBytes)
	}
}
