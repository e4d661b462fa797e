package httpapi

import (
	"crypto/tls"
	"net"
	"net/http"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

func heapAndStacks() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// endlessClientHello are the records of a first message of TLS that lacks its last byte.
func endlessClientHello() (records []byte) {
	const size = 64 << 10
	hello := make([]byte, 4+size-1)
	hello[0], hello[1] = 1, size>>16
	for part := range slices.Chunk(hello, 16<<10) {
		records = append(append(records, 22, 3, 1, byte(len(part)>>8), byte(len(part))), part...)
	}
	return records
}

// What strangers send in handshakes takes bounded memory, and what clients send after one does not count.
func TestHandshakesOfHTTPAreLimited(t *testing.T) {
	const strangers, most = maxConnectionsOfAddress, 40 << 20
	ca := certtest.NewCA(t, "ca")
	settings := &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, certtest.Leaf{CN: "h", DNS: []string{"h"}}).TLS}}
	now := time.Now()
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		arrived, slow := make(chan struct{}), make(chan struct{})
		handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(arrived); <-slow })
		s := newServer(ServerConfig{Handler: handler, ReadTimeout: testReadTimeout, WriteTimeout: testWriteTimeout,
			TLS: func() *tls.Config { return settings }, Log: zap.NewNop()}, p)
		served := make(chan error, 1)
		go func() { served <- s.Serve() }()

		before, hello := heapAndStacks(), endlessClientHello()
		conns := make([]net.Conn, strangers)
		for i := range conns {
			conns[i] = p.dial()
			go func() { _, _ = conns[i].Write(hello) }()
		}
		synctest.Wait()
		more, closed := heapAndStacks()-before, s.ConnectionsClosed()["bytes"]
		t.Logf("%d bytes more, %d connections closed", more, closed)
		require.Less(t, more, int64(most))
		require.NotZero(t, closed)
		for _, c := range conns {
			_ = c.Close()
		}
		synctest.Wait()
		require.Zero(t, openConnections(s))

		client := tls.Client(p.dial(), &tls.Config{RootCAs: ca.Pool(), ServerName: "h", Time: func() time.Time { return now }})
		go func() { _, _ = client.Write([]byte("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")) }()
		<-arrived
		require.Equal(t, 1, openConnections(s))
		close(slow)
		synctest.Wait()
		require.Equal(t, closed, s.ConnectionsClosed()["bytes"])
		_ = client.NetConn().Close()
		require.NoError(t, s.Shutdown(t.Context()))
		require.NoError(t, <-served)
	})
}
