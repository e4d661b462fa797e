//go:build e2e && linux

package modes_test

import (
	"bytes"
	"io"
	"net"
	"regexp"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// relay passes connections on, and keeps what goes through them.
type relay struct {
	listener net.Listener
	mu       sync.Mutex
	seen     bytes.Buffer
}

func startRelay(t *testing.T, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &relay{listener: l}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go r.pass(from, to)
		}
	}()
	return r
}

func (r *relay) addr() string { return r.listener.Addr().String() }

func (r *relay) pass(from net.Conn, to string) {
	defer from.Close()
	conn, err := net.DialTimeout("tcp", to, patience)
	if err != nil {
		return
	}
	defer conn.Close()
	done := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{from, conn}, {conn, from}} {
		go func() {
			_, _ = io.Copy(io.MultiWriter(r, pair[1]), pair[0])
			done <- struct{}{}
		}()
	}
	<-done
}

// Write implements io.Writer.
func (r *relay) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen.Write(b)
}

// has reports whether the text has gone through.
func (r *relay) has(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Contains(r.seen.Bytes(), []byte(text))
}

// find returns what a pattern has found in what has gone through.
func (r *relay) find(pattern *regexp.Regexp) (found []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range pattern.FindAllSubmatch(r.seen.Bytes(), -1) {
		found = append(found, string(m[1]))
	}
	return found
}
