package httpapi

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Clients of HTTP/2 that leave no room for answers, and do not read those to pings, take bounded memory. Those beyond the limit of
// connections with HTTP/2 have HTTP/1.1.
func TestHTTP2IsLimited(t *testing.T) {
	const clients, pings, most = 200, 5000, 96 << 20
	ca := certtest.NewCA(t, "ca")
	settings := &tls.Config{NextProtos: []string{"h2", "http/1.1"}, Certificates: []tls.Certificate{ca.Issue(t, certtest.Leaf{IPs: []string{"127.0.0.1"}}).TLS}}
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") })
	addr := serveForTest(t, page, func() *tls.Config { return settings })
	before, byProtocol := heapAndStacks(), map[string]int{}
	for range clients {
		c, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: ca.Pool(), NextProtos: []string{"h2", "http/1.1"}})
		require.NoError(t, err)
		defer c.Close()
		protocol := c.ConnectionState().NegotiatedProtocol
		if byProtocol[protocol]++; protocol == "h2" {
			flood := requestsWithoutRoom(t, maxStreamsHTTP2, pings)
			_ = c.SetWriteDeadline(time.Now().Add(5 * time.Second))
			_, _ = c.Write(flood)
		}
	}
	more := heapAndStacks() - before
	t.Logf("%d bytes more, connections: %v", more, byProtocol)
	require.Less(t, more, int64(most))
	require.LessOrEqual(t, byProtocol["h2"], maxHTTP2)
	require.NotZero(t, byProtocol["http/1.1"])

	resp, err := clientWith(t, &tls.Config{RootCAs: ca.Pool()}).Get("https://" + addr + "/")
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "page", string(body))
}

// requestsWithoutRoom are requests with long headers whose answers may have no byte, and pings.
func requestsWithoutRoom(t *testing.T, streams, pings int) []byte {
	var out, block bytes.Buffer
	out.WriteString(http2.ClientPreface)
	f, headers := http2.NewFramer(&out, nil), hpack.NewEncoder(&block)
	require.NoError(t, f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
	for n := range streams {
		block.Reset()
		for _, h := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "h"}, {":path", "/"}} {
			require.NoError(t, headers.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}))
		}
		for i := range 3 {
			value := fmt.Sprintf("%d %d ", n, i) + strings.Repeat("x", 4500)
			require.NoError(t, headers.WriteField(hpack.HeaderField{Name: fmt.Sprint("x-", i), Value: value, Sensitive: true}))
		}
		require.NoError(t, f.WriteHeaders(http2.HeadersFrameParam{StreamID: uint32(2*n + 1), BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true}))
	}
	for range pings {
		require.NoError(t, f.WritePing(false, [8]byte{}))
	}
	return out.Bytes()
}
