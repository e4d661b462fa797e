package proxy

import (
	"net"
	"slices"
	"sync"
	"time"
)

// arrivals is a listener that knows its newest connections. gRPC's server does not end
// a connection whose handshake is not over, and waits for it even when it is told to
// stop at once: so this does. Connections are passed on as they are, since gRPC sets
// options of the sockets.
type arrivals struct {
	net.Listener

	mu     sync.Mutex
	newest []arrival // oldest first
	cut    bool
}

type arrival struct {
	conn net.Conn
	at   time.Time
}

func (a *arrivals) Accept() (net.Conn, error) {
	conn, err := a.Listener.Accept()
	if err == nil {
		a.note(conn, time.Now())
	}
	return conn, err
}

func (a *arrivals) note(conn net.Conn, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cut {
		_ = conn.Close()
		return
	}
	// Older ones are through with the handshake, or were ended. A second is for the time
	// from here to where gRPC starts to count.
	old := slices.IndexFunc(a.newest, func(n arrival) bool { return now.Sub(n.at) < handshakeTimeout+time.Second })
	if old < 0 {
		old = len(a.newest)
	}
	a.newest = append(slices.Delete(a.newest, 0, old), arrival{conn, now})
}

// close ends the connections that may be in their handshake, and all that come from
// now on.
func (a *arrivals) close() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cut = true
	for _, n := range a.newest {
		_ = n.conn.Close()
	}
	a.newest = nil
}
