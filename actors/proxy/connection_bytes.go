package proxy

import (
	"net"
)

const (
	// prefaceBytes are sent before the first frame of a connection.
	prefaceBytes = 24
	// frameCost is what a frame counts beside its bytes: gRPC keeps each frame of a message that is not whole as a
	// buffer of its own, and one of a single byte takes 64 bytes, and twice as much while the list of them grows.
	frameCost = 256
	// headersCost is what headers count beside that: with a table of 4 KiB, a frame of ten bytes names some that gRPC refuses with
	// a text of 16 KiB, which waits until the peer reads it.
	headersCost = 8 << 10
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

// Read fails if the connection has to go: gRPC would still do what it is told in the bytes that were read.
func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		got := c.frames.count(b[:n])
		if !c.connections.received(c.raw, n+frameCost*got.all+headersCost*got.headers, got.headers+got.settings) {
			return 0, net.ErrClosed
		}
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
	kind         byte // the frame's type, when it has come
}

// frameCounts are numbers of frames.
type frameCounts struct{ all, headers, settings int }

// count returns how many frames begin in b, which follows what was counted before.
func (f *frameCounter) count(b []byte) (n frameCounts) {
	const (
		headBytes, lengthBytes = 9, 3
		headers, settings      = 1, 4
	)
	for len(b) > 0 {
		if n := min(f.skip, len(b)); n > 0 {
			f.skip -= n
			b = b[n:]
			continue
		}
		switch {
		case f.head < lengthBytes:
			f.length = f.length<<8 | int(b[0])
		case f.head == lengthBytes:
			f.kind = b[0]
		}
		b = b[1:]
		if f.head++; f.head < headBytes {
			continue
		}
		n.all++
		switch f.kind {
		case headers:
			n.headers++
		case settings:
			n.settings++
		}
		*f = frameCounter{skip: f.length}
	}
	return n
}
