package httpapi

import (
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// isCorked asks the kernel for TCP_CORK.
func isCorked(t *testing.T, r *http.Request) bool {
	raw, err := r.Context().Value(connKey{}).(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	value := -1
	require.NoError(t, raw.Control(func(fd uintptr) {
		value, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_CORK)
	}))
	require.NoError(t, err)
	return value == 1
}

// A connection is corked from the first large part of a response to its end, and not by a small
// response.
func TestLongResponsesAreCorked(t *testing.T) {
	var corked []bool
	parts := func(w http.ResponseWriter, r *http.Request, lengths ...int) {
		corked = append(corked, isCorked(t, r))
		for _, length := range lengths {
			_, err := w.Write(make([]byte, length))
			require.NoError(t, err)
			corked = append(corked, isCorked(t, r))
		}
	}
	handler := http.NewServeMux()
	handler.HandleFunc("/long", func(w http.ResponseWriter, r *http.Request) { parts(w, r, 10, corkBytes, 10, corkBytes) })
	handler.HandleFunc("/short", func(w http.ResponseWriter, r *http.Request) { parts(w, r, corkBytes-1) })
	s, err := Listen(ServerConfig{Addr: "127.0.0.1:0", Handler: handler, ReadTimeout: time.Minute, WriteTimeout: time.Minute, Log: zap.NewNop()})
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()

	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	for path, length := range map[string]int64{"/long": 2*corkBytes + 20, "/short": corkBytes - 1} {
		for range 2 { // on one connection
			answer, err := client.Get("http://" + s.Addr().String() + path)
			require.NoError(t, err)
			got, err := io.Copy(io.Discard, answer.Body)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			require.Equal(t, length, got)
		}
		want := []bool{false, false, true, true, true}
		if path == "/short" {
			want = []bool{false, false}
		}
		require.Equal(t, append(want, want...), corked, path)
		corked = nil
	}
	client.CloseIdleConnections()
	require.NoError(t, s.Shutdown(t.Context()))
	require.NoError(t, <-served)
}
