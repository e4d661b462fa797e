package simulation

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"
)

// network connects the agents' machines with the proxy's, in memory and in fake time. Its
// methods disturb it as real networks are disturbed.
type network struct {
	mu      *sync.Mutex // of all networks of a world
	changed *sync.Cond  // whether a dial can go on
	second  bool        // it leads to the proxy that is never disturbed
	proxy   machine
	listens *listener // nil: the proxy's machine refuses connections
	conns   []*conn   // the agents' ends of those that have a live end
}

// machine is one end of a path.
type machine struct {
	ip  string
	off bool // it sends nothing, not even a reset
}

// host is an agent's machine, with its path to the proxy.
type host struct {
	machine
	out, in direction // to the proxy, and back
	second  *host     // the same machine, with its path to the proxy that is never disturbed
}

// direction is one direction of the path between two machines.
type direction struct {
	blocked bool // bytes wait, and the sender gets no error
	latency time.Duration
}

func newNetwork() *network {
	n := &network{mu: &sync.Mutex{}, proxy: machine{ip: "10.0.0.1", off: true}}
	n.changed = sync.NewCond(n.mu)
	return n
}

// newSecondNetwork returns a second network for the machines of n.
func newSecondNetwork(n *network) *network {
	b := &network{mu: n.mu, second: true, proxy: machine{ip: "10.0.0.2", off: true}}
	b.changed = sync.NewCond(n.mu)
	return b
}

// hostOf returns the process's machine, with its path in this network.
func (n *network) hostOf(p *process) *host {
	if n.second {
		return p.host.second
	}
	return p.host
}

// listen makes the proxy's machine accept connections.
func (n *network) listen() *listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &listener{net: n}
	l.changed = sync.NewCond(n.mu)
	n.listens, n.proxy.off = l, false
	n.propagate()
	return l
}

// dial opens a connection for the process. While the path is blocked, or the proxy's
// machine is off, it hangs until ctx ends.
func (n *network) dial(ctx context.Context, p *process) (*conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	defer context.AfterFunc(ctx, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.changed.Broadcast()
	})()
	h := n.hostOf(p)
	for ctx.Err() == nil {
		switch {
		case p.dead:
			return nil, net.ErrClosed
		case h.out.blocked || h.in.blocked || n.proxy.off:
			n.changed.Wait()
		case n.listens == nil:
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
		default:
			return n.connect(p), nil
		}
	}
	return nil, context.Cause(ctx)
}

func (n *network) connect(p *process) *conn {
	h := n.hostOf(p)
	up, down := newPipe(n, &h.out), newPipe(n, &h.in)
	agent := &conn{net: n, process: p, host: h, local: h.ip, remote: n.proxy.ip, recv: down, send: up}
	proxy := &conn{net: n, process: p, host: h, local: n.proxy.ip, remote: h.ip, recv: up, send: down}
	agent.peer, proxy.peer = proxy, agent
	n.conns = append(n.conns, agent)
	n.listens.queue = append(n.listens.queue, proxy)
	n.listens.changed.Broadcast()
	return agent
}

// change applies f to the state of the network, and then its consequences.
func (n *network) change(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
	n.propagate()
}

// cut resets the connections of the host, at both ends.
func (n *network) cut(h *host) {
	n.each(func(c *conn) bool { return c.host == h }, func(c *conn) {
		c.fail(syscall.ECONNRESET)
		c.peer.fail(syscall.ECONNRESET)
	})
}

// lose drops the state of the host's connections, as a restarted firewall does: nothing gets
// through any more, and neither end gets an error.
func (n *network) lose(h *host) {
	n.each(func(c *conn) bool { return c.host == h }, func(c *conn) {
		c.send.lost, c.recv.lost = true, true
	})
}

// killAgent ends the process as SIGKILL does: the kernel closes its connections.
func (n *network) killAgent(p *process) {
	n.change(func() { p.dead = true })
	n.each(func(c *conn) bool { return c.process == p }, (*conn).close)
}

// powerOffAgent ends the process as a power failure does: no peer gets an error, and bytes
// under way are lost.
func (n *network) powerOffAgent(p *process) {
	n.change(func() { p.dead, n.hostOf(p).off = true, true })
	n.each(func(c *conn) bool { return c.process == p }, (*conn).powerOff)
}

// killProxy and powerOffProxy are the same for the proxy.
func (n *network) killProxy(l *listener) {
	_ = l.Close()
	n.each(all, func(c *conn) { c.peer.close() })
}

func (n *network) powerOffProxy(l *listener) {
	n.change(func() { n.proxy.off = true })
	n.each(all, func(c *conn) { c.peer.powerOff() })
	_ = l.Close()
}

func all(*conn) bool { return true }

func (n *network) each(which func(*conn) bool, f func(*conn)) {
	n.change(func() {
		for _, c := range n.conns {
			if which(c) {
				f(c)
			}
		}
	})
}

// alive counts the process's connections that neither end has closed.
func (n *network) alive(p *process) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	count := 0
	for _, c := range n.conns {
		if c.process == p && !c.isOver() && !c.peer.isOver() {
			count++
		}
	}
	return count
}

// lastArrival returns when the last byte arrives that the host has sent so far, if nothing
// delays it. It is never before now.
func (n *network) lastArrival(h *host) time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	last := time.Now()
	for _, c := range n.conns {
		if c.host == h && c.send.lastAt.After(last) {
			last = c.send.lastAt
		}
	}
	return last
}

// propagate applies the consequences of a change: waiting bytes arrive, dials go on, and a
// machine that is up again resets the connections that it had before.
func (n *network) propagate() {
	n.changed.Broadcast()
	for _, c := range n.conns {
		c.resetIfUnknown()
		c.peer.resetIfUnknown()
		c.recv.moved.Broadcast()
		c.send.moved.Broadcast()
	}
	n.conns = slices.DeleteFunc(n.conns, func(c *conn) bool { return c.isOver() && c.peer.isOver() })
}

// listener accepts the connections to the proxy.
type listener struct {
	net     *network
	changed *sync.Cond
	queue   []*conn
	closed  bool
}

var errListenerClosed = errors.New("the listener is closed")

func (l *listener) Accept() (net.Conn, error) {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	for len(l.queue) == 0 && !l.closed {
		l.changed.Wait()
	}
	if l.closed {
		return nil, errListenerClosed
	}
	c := l.queue[0]
	l.queue = l.queue[1:]
	return c, nil
}

// Close refuses further connections, and resets those that were not accepted.
func (l *listener) Close() error {
	l.net.change(func() {
		l.closed = true
		l.changed.Broadcast()
		if l.net.listens == l {
			l.net.listens = nil
		}
		for _, c := range l.queue {
			c.close()
		}
		l.queue = nil
	})
	return nil
}

func (l *listener) Addr() net.Addr { return address(l.net.proxy.ip, 17900) }

func address(ip string, port int) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: port} }
