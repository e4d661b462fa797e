package httpapi

import (
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages/connlimit"

	"github.com/stretchr/testify/require"
)

// limitTo replaces the limits of a server that serves nobody yet.
func limitTo(s *Server, limits connlimit.Limits) { s.conns.state = connlimit.New[net.Conn](limits) }

func openConnections(s *Server) int {
	s.conns.mu.Lock()
	defer s.conns.mu.Unlock()
	return s.conns.state.Len()
}

// staysOpen reports whether the server has not closed the connection. It reads what has come.
func staysOpen(c net.Conn) bool {
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	defer func() { _ = c.SetReadDeadline(time.Time{}) }()
	_, err := io.ReadAll(c)
	netErr, ok := err.(net.Error)
	return ok && netErr.Timeout()
}

// Of too many connections the one goes that has waited longest, and never one with a request.
func TestServerClosesIdleConnectionsForNewOnes(t *testing.T) {
	var ready chan struct{}
	h := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-ready
		}
		_, _ = io.WriteString(w, "done")
	}
	serving(t, h, func(t *testing.T, s *Server, p *pipes) {
		ready = make(chan struct{}) // Of the bubble.
		limitTo(s, connlimit.Limits{All: 4, OfAddress: 4})
		dial := func(text string) net.Conn {
			c := p.dial()
			if text != "" {
				send(t, c, text)
			}
			time.Sleep(100 * time.Millisecond)
			return c
		}
		slow := dial("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
		idle := dial(request)
		require.True(t, staysOpen(idle), "it may send a further request")
		silent, half := dial(""), dial("GET /x HT")
		send(t, idle, request)
		require.True(t, staysOpen(idle), "it was used later than the others came")

		conns := []net.Conn{slow, idle, silent, half}
		for n, first := range []net.Conn{silent, half, idle} {
			conns = append(conns, dial(""))
			require.False(t, staysOpen(first), "the oldest, %d", n)
			require.Equal(t, uint64(n+1), s.ConnectionsClosed()["evicted"])
		}
		close(ready)
		synctest.Wait()
		require.True(t, staysOpen(slow))
		for _, c := range conns {
			_ = c.Close()
		}
	})
}

// If requests are under way on all of them, the new one goes.
func TestServerRefusesConnectionsWhileAllAreBusy(t *testing.T) {
	var ready chan struct{}
	serving(t, func(http.ResponseWriter, *http.Request) { <-ready }, func(t *testing.T, s *Server, p *pipes) {
		ready = make(chan struct{}) // Of the bubble.
		limitTo(s, connlimit.Limits{All: 2, OfAddress: 2})
		for range 2 {
			c := p.dial()
			defer c.Close()
			send(t, c, request)
		}
		synctest.Wait()
		c := p.dial()
		require.False(t, staysOpen(c))
		require.Equal(t, map[string]uint64{"evicted": 0, "refused": 1, "bytes": 0}, s.ConnectionsClosed())
		close(ready)
	})
}

// However many connections come, and however little they say, they are gone in seconds.
func TestServerClosesSilentConnections(t *testing.T) {
	serving(t, func(http.ResponseWriter, *http.Request) {}, func(t *testing.T, s *Server, p *pipes) {
		for i := range 1500 {
			c := p.dial()
			defer c.Close()
			if i%2 == 0 {
				send(t, c, "GET / HTTP/1.1\r\nHost:")
			}
		}
		synctest.Wait()
		require.Equal(t, maxConnectionsOfAddress, openConnections(s))
		time.Sleep(maxHeaderTime)
		synctest.Wait()
		require.Zero(t, openConnections(s))
	})
}
