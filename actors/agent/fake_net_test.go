package agent

import (
	"context"
	"net"
	"sync"
	"time"
)

// fakeNet is the network between the agent and its proxies.
type fakeNet struct {
	mu    sync.Mutex
	hosts map[string]*fakeProxy // by address; a proxy that is stopped refuses
	dials []time.Time
	open  int // connections that the agent has not closed
	most  int
	hang  bool // a dial hangs until it is given up
	lossy bool // nothing arrives any more, at either end, and no end is reported
}

func (n *fakeNet) dial(ctx context.Context, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dials = append(n.dials, time.Now())
	host, hang := n.hosts[address].current(), n.hang
	n.mu.Unlock()
	if hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if host == nil {
		return nil, errRefused
	}
	c, err := host.net.DialContext(ctx)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open++
	n.most = max(n.most, n.open)
	return &fakeConn{Conn: c, net: n}, nil
}

// times returns when the agent dialed, counted from start.
func (n *fakeNet) times(start time.Time) []time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []time.Duration
	for _, t := range n.dials {
		all = append(all, t.Sub(start))
	}
	return all
}

// connections returns how many are open, and the most that ever were.
func (n *fakeNet) connections() (open, most int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.open, n.most
}

// lose makes the network lose what it is given, or carry it again.
func (n *fakeNet) lose(all bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lossy = all
}

func (n *fakeNet) loses() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lossy
}

type fakeConn struct {
	net.Conn
	net  *fakeNet
	once sync.Once
}

func (c *fakeConn) Close() error {
	c.once.Do(func() {
		c.net.mu.Lock()
		c.net.open--
		c.net.mu.Unlock()
	})
	return c.Conn.Close()
}

func (c *fakeConn) Write(p []byte) (int, error) {
	if c.net.loses() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func (c *fakeConn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if err != nil || !c.net.loses() {
			return n, err
		}
	}
}

// LocalAddr is one of the node's, as a proxy would see it.
func (c *fakeConn) LocalAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 40000}
}
