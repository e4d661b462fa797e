package journalbench

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// node plays a node whose pages come from a load.
type node struct {
	*httptest.Server
	next func() []byte

	mu      sync.Mutex
	scrapes int
}

func startNode(b *testing.B, next func() []byte) *node {
	n := &node{next: next}
	n.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.scrapes++
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(n.next())
	}))
	b.Cleanup(n.Close)
	return n
}

// served returns how many pages were asked for.
func (n *node) served() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.scrapes
}
