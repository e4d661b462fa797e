//go:build e2e && linux

package modes_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/codes"
)

// statusOfStream sends frames that open stream 1, and returns the status with which it ends.
func statusOfStream(t *testing.T, addr string, frames []byte) codes.Code {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	require.True(t, write(c, append(bytes.Clone(rawHello), frames...)))
	f := http2.NewFramer(io.Discard, c)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	for {
		frame, err := f.ReadFrame()
		require.NoError(t, err)
		if h, ok := frame.(*http2.MetaHeadersFrame); ok && h.StreamEnded() {
			for _, field := range h.Fields {
				if field.Name == "grpc-status" {
					code, err := strconv.Atoi(field.Value)
					require.NoError(t, err)
					return codes.Code(code)
				}
			}
		}
	}
}

// Who sends what would be large when it is unpacked is told so.
func TestE2EBombsAreRefused(t *testing.T) {
	proxy := startProxy(t)
	bomb := gzipped(t, make([]byte, 64<<20))
	packed := append(rawFrame(1, 4, 1, rawHeaders([2]string{"grpc-encoding", "gzip"})), rawMessage(1, 1, bomb)...)
	require.Equal(t, codes.Unimplemented, statusOfStream(t, proxy.addr("grpc"), packed), "the proxy unpacks nothing over gRPC")
	large := append(rawFrame(1, 4, 1, rawHeaders()), rawFrame(0, 0, 1, []byte{0, 0x7f, 0xff, 0xff, 0xff})...)
	require.Equal(t, codes.ResourceExhausted, statusOfStream(t, proxy.addr("grpc"), large), "by its length, before it comes")

	f := func(path, contentType, encoding string, body []byte, want int) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+proxy.addr("http")+path, bytes.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Content-Encoding", encoding)
		got, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer got.Body.Close()
		said, err := io.ReadAll(io.LimitReader(got.Body, 1<<10))
		require.NoError(t, err)
		t.Logf("%s of %s: %d %s", path, encoding, got.StatusCode, said)
		require.Equal(t, want, got.StatusCode)
	}
	text := gzipped(t, []byte(`{"reason":"`+strings.Repeat("x", 64<<20)+`"}`))
	f("/incidents", "application/json", "gzip", text, http.StatusBadRequest)
	f("/api/v1/query", "application/x-www-form-urlencoded", "gzip", text, http.StatusBadRequest)
	f("/api/v1/read", "application/x-protobuf", "gzip", text, http.StatusBadRequest)
	f("/api/v1/read", "application/x-protobuf", "snappy", snappy.Encode(nil, bytes.Repeat([]byte{0x0a, 0}, 9<<20)), http.StatusRequestEntityTooLarge)
}

// Strangers who do not read what is answered fill no memory either, and are gone in time.
func TestE2EStrangerCannotFillTheMemoryUnread(t *testing.T) {
	b := besiege(t, nil)
	settings := rawFrame(4, 0, 0, bytes.Repeat([]byte{0, 1, 0, 0, 16, 0}, 2000))
	value := append([]byte{0x7f, 0xa1, 0x1e}, bytes.Repeat([]byte{0x80}, 4000)...) // no content type of gRPC; the refusal has 16 KiB
	named := append(append([]byte{0x40, 12}, "content-type"...), value...)
	b.unreadAttack("pings", bytes.Repeat(rawFrame(6, 0, 0, make([]byte, 8)), 10_000))
	b.unreadAttack("settings", bytes.Repeat(settings, 1000))
	var refused []byte
	for id := uint32(1); id < 20_000; id += 2 {
		refused = append(refused, rawFrame(1, 5, id, named)...)
		named = []byte{0x80 | 62}
	}
	b.unreadAttack("streams that are refused", refused)
	b.held()
}

// unreadAttack sends frames on many connections until the proxy closes them, and reads nothing.
func (b *besieged) unreadAttack(name string, frames []byte) {
	b.Helper()
	const connections = 50
	before, begin := usageOf(b.T, b.proxy).residentKiB, time.Now()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.66")}}
	peak := peakOf(b.T, b.proxy, func() {
		var sending sync.WaitGroup
		defer sending.Wait()
		for range connections {
			c, err := dialer.DialContext(b.Context(), "tcp", b.grpcAddr)
			require.NoError(b, err)
			_ = c.(*net.TCPConn).SetReadBuffer(4 << 10)
			_ = c.SetDeadline(begin.Add(strangersGone + patience))
			sending.Go(func() {
				defer c.Close()
				_, err := c.Write(rawHello)
				for err == nil {
					_, err = c.Write(frames)
				}
				if errors.Is(err, os.ErrDeadlineExceeded) {
					b.Errorf("%s: a connection is still open", name)
				}
			})
		}
	})
	b.Logf("%s: %d connections, gone after %s; resident memory %d MiB before, %d MiB at most", name, connections,
		time.Since(begin).Round(time.Millisecond), before>>10, peak>>10)
	require.Less(b, peak-before, strangersGrowth, name)
}
