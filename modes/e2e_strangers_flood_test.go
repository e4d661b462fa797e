//go:build e2e && linux

package modes_test

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fodc/messages/wire"
	"fodc/modes/certtest"

	"github.com/klauspost/compress/snappy"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"
)

func rawFrame(kind, flags byte, stream uint32, payload []byte) []byte {
	f := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	f = append(f, byte(stream>>24), byte(stream>>16), byte(stream>>8), byte(stream))
	return append(f, payload...)
}

func rawHeaders(more ...[2]string) (b []byte) {
	for _, h := range append([][2]string{{":method", "POST"}, {":scheme", "http"}, {":path", "/banyandb.fodc.v1.FODCService/RegisterAgent"},
		{":authority", "proxy"}, {"content-type", "application/grpc"}, {"te", "trailers"}}, more...) {
		b = append(append(b, 0, byte(len(h[0]))), h[0]...)
		b = append(append(b, byte(len(h[1]))), h[1]...)
	}
	return b
}

// rawMessage are the frames of a message of gRPC.
func rawMessage(stream uint32, compressed byte, message []byte) (frames []byte) {
	n := len(message)
	message = append([]byte{compressed, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, message...)
	for ; len(message) > 16<<10; message = message[16<<10:] {
		frames = append(frames, rawFrame(0, 0, stream, message[:16<<10])...)
	}
	return append(frames, rawFrame(0, 0, stream, message)...)
}

// rawRegistration opens a stream and registers a node.
func rawRegistration(t *testing.T, stream uint32, node string) []byte {
	message, err := proto.Marshal(&wire.RegisterAgentRequest{NodeRole: "liaison", NodeId: node})
	require.NoError(t, err)
	return append(rawFrame(1, 4, stream, rawHeaders()), rawMessage(stream, 0, message)...)
}

var rawHello = append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), rawFrame(4, 0, 0, nil)...)

func write(c net.Conn, b []byte) bool {
	_, err := c.Write(b)
	return err == nil
}

// writeSlowly writes byte by byte until the peer has closed the connection.
func writeSlowly(c net.Conn, b []byte) {
	for i := 0; write(c, b[i%len(b):i%len(b)+1]); i++ {
		time.Sleep(200 * time.Millisecond)
	}
}

// Whatever these strangers do with connections, fifty agents are asked each second and answer, the proxy's memory is
// bounded, and the strangers are gone in time.
func TestE2EStrangerCannotFillTheMemory(t *testing.T) {
	b := besiege(t, nil)
	b.attack("idle connections", b.grpcAddr, 5000, func(net.Conn, int) {})
	b.attack("idle HTTP connections", b.httpAddr, 2000, func(net.Conn, int) {})
	b.attack("rapid resets", b.grpcAddr, 50, func(c net.Conn, _ int) {
		write(c, rawHello)
		for id := uint32(1); id < 200_000; id += 2 {
			if !write(c, append(rawFrame(1, 4, id, rawHeaders()), rawFrame(3, 0, id, []byte{0, 0, 0, 8})...)) {
				return
			}
		}
	})
	b.attack("header floods", b.grpcAddr, 50, func(c net.Conn, _ int) {
		write(c, append(rawHello, rawFrame(1, 0, 1, rawHeaders())...))
		filler := rawHeaders([2]string{"x", strings.Repeat("y", 120)})
		for range 100_000 {
			if !write(c, rawFrame(9, 0, 1, filler)) {
				return
			}
		}
	})
	begin, unread := time.Now(), b.unread()
	b.messages()
	b.controlFrames()
	b.http()
	b.gone("registrations without a window for the answer", unread)
	b.Logf("registrations without a window for the answer: %d connections, gone after %s at most", unreadConnections, time.Since(begin).Round(time.Millisecond))
	b.registrations()
	b.held()
}

// messages sends messages that are never whole, or that would be large.
func (b *besieged) messages() {
	b.attack("messages in frames of one byte", b.grpcAddr, 200, func(c net.Conn, _ int) {
		write(c, rawHello)
		for id := uint32(1); id < 64; id += 2 {
			begin := append(rawFrame(1, 4, id, rawHeaders()), rawFrame(0, 0, id, []byte{0, 0, 0x3f, 0xff, 0xff})...)
			if !write(c, append(begin, bytes.Repeat(rawFrame(0, 0, id, []byte{1}), 10_000)...)) {
				return
			}
		}
	})
	// The program has no decompressor for gRPC: the stream is refused before anything is unpacked.
	bomb := gzipped(b.T, make([]byte, 64<<20))
	b.attack(fmt.Sprintf("messages of %d bytes that would have 64 MiB", len(bomb)), b.grpcAddr, 50, func(c net.Conn, _ int) {
		write(c, rawHello)
		for id := uint32(1); id < 20; id += 2 {
			if !write(c, append(rawFrame(1, 4, id, rawHeaders([2]string{"grpc-encoding", "gzip"})), rawMessage(id, 1, bomb)...)) {
				return
			}
		}
	})
}

// controlFrames sends frames that gRPC answers.
func (b *besieged) controlFrames() {
	for name, frame := range map[string][]byte{"pings": rawFrame(6, 0, 0, make([]byte, 8)), "settings": rawFrame(4, 0, 0, nil)} {
		frames := bytes.Repeat(frame, 1000)
		b.attack(name, b.grpcAddr, 50, func(c net.Conn, _ int) {
			for ok := write(c, rawHello); ok; {
				ok = write(c, frames)
			}
		})
	}
}

const unreadConnections = 20

// unread registers nodes where no answer may be sent.
func (b *besieged) unread() *atomic.Int64 {
	return rawStrangers(b.T, b.grpcAddr, unreadConnections, func(c net.Conn, number int) {
		write(c, append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), rawFrame(4, 0, 0, []byte{0, 4, 0, 0, 0, 0})...))
		for i := range 20 {
			write(c, rawRegistration(b.T, uint32(2*i+1), fmt.Sprintf("unread-%d-%d", number, i)))
		}
	})
}

// http sends requests that never end, and bodies that would be large.
func (b *besieged) http() {
	post := func(path, more string, body []byte) []byte {
		return append(fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%sContent-Length: %d\r\n\r\n", path, b.httpAddr, more, len(body)), body...)
	}
	b.attack("slow headers and bodies", b.httpAddr, 1000, func(c net.Conn, number int) {
		begin := []byte("GET /metrics HTTP/1.1\r\nHost: " + b.httpAddr + "\r\nX: ")
		if number%2 > 0 {
			begin = bytes.TrimRight(post("/incidents", "Content-Type: application/json\r\n", make([]byte, 1<<10)), "\x00")
		}
		write(c, begin)
		writeSlowly(c, []byte(" "))
	})
	bomb := gzipped(b.T, []byte(`{"reason":"`+strings.Repeat("x", 64<<20)+`"}`))
	b.attack("gzip over HTTP", b.httpAddr, 200, func(c net.Conn, number int) {
		path := []string{"/incidents", "/api/v1/read", "/api/v1/query"}[number%3]
		write(c, post(path, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", bomb))
	})
	queries := snappy.Encode(nil, bytes.Repeat([]byte{0x0a, 0}, 9<<20))
	b.attack("nine million queries of remote read", b.httpAddr, 200, func(c net.Conn, _ int) {
		write(c, post("/api/v1/read", "Content-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\n", queries))
	})
}

func gzipped(t *testing.T, b []byte) []byte {
	var to bytes.Buffer
	z := gzip.NewWriter(&to)
	_, err := z.Write(b)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.Greater(t, len(b), 900*to.Len())
	return to.Bytes()
}

// registrations registers a thousand nodes a second, for ten seconds.
func (b *besieged) registrations() {
	const connections, each = 40, 250
	var sent atomic.Int64
	begin := time.Now()
	b.attack("a thousand registrations a second", b.grpcAddr, connections, func(c net.Conn, number int) {
		defer c.Close()
		write(c, rawHello)
		for i := range each {
			time.Sleep(time.Until(begin.Add(time.Duration(i+1) * 10 * time.Second / each)))
			id := uint32(2*i + 1)
			frames := rawRegistration(b.T, id, fmt.Sprintf("often-%d-%d", number, i))
			if i > 0 {
				frames = append(rawFrame(3, 0, id-2, []byte{0, 0, 0, 8}), frames...)
			}
			if write(c, frames) {
				sent.Add(1)
			}
		}
	})
	b.Logf("%d registrations sent in %s", sent.Load(), time.Since(begin).Round(time.Millisecond))
	require.EqualValues(b, connections*each, sent.Load())
}

// slowConn writes byte by byte.
type slowConn struct{ net.Conn }

func (c slowConn) Write(b []byte) (int, error) {
	writeSlowly(c.Conn, b)
	return 0, net.ErrClosed
}

// Handshakes that never end keep nobody out who comes meanwhile.
func TestE2EStrangerCannotFillTheMemoryByHandshakes(t *testing.T) {
	dir, ca := t.TempDir(), certtest.NewCA(t, "cluster")
	ca.Issue(t, certtest.Leaf{Server: true, IPs: []string{"127.0.0.1"}}).Write(t, dir, "proxy")
	trusting := grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: ca.Pool()}))
	b := besiege(t, []string{"--grpc-tls-cert-file", dir + "/proxy.crt", "--grpc-tls-key-file", dir + "/proxy.key"}, trusting)
	b.attack("handshakes byte by byte", b.grpcAddr, 2000, func(c net.Conn, number int) {
		_ = tls.Client(slowConn{c}, &tls.Config{RootCAs: ca.Pool(), ServerName: "127.0.0.1"}).Handshake()
	})
	b.held()
}
