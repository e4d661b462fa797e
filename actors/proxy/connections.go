package proxy

import (
	"net"
	"sync"
	"time"

	"fodc/messages/connlimit"

	"go.uber.org/zap"
)

// Limits of all connections.
const (
	// connectionRoom is how many connections there may be beside one for each of --max-agents. An address may
	// have half of it, and --max-agents, too: all agents may be behind one address.
	connectionRoom = 512
	// unregisteredTimeout is how long a connection may be without a session. gRPC closes those that have no
	// stream before; this is for peers that open streams again and again, or do not read how they end.
	unregisteredTimeout = 30 * time.Second
	// connectionSweepInterval is how often such connections are looked for.
	connectionSweepInterval = time.Second
	// connectionBytes is what a connection may send without a session. A registration has 400 KiB at most, and
	// usually less than 10.
	connectionBytes = 1 << 20
	// allConnectionsBytes is what all connections without a session may have sent together: gRPC keeps it in memory
	// until a message is whole. If it is more, the connection goes that has sent the most, of the address that has.
	allConnectionsBytes = 32 << 20
)

// connections knows the connections of the gRPC server, and closes those that have no session when there
// are too many, or after unregisteredTimeout. It is no actor, since gRPC must not wait for one before it accepts
// the next connection. Methods on a nil *connections do nothing.
type connections struct {
	counters *counters
	peers    *peerLog
	log      *zap.Logger

	mu      sync.Mutex
	state   *connlimit.State[net.Conn]
	streams map[net.Conn]*streamRate
	sweep   *time.Timer // nil: no connection has to be looked at
	stopped bool
}

func newConnections(maxAgents int, c *counters, p *peerLog, log *zap.Logger) *connections {
	return &connections{counters: c, peers: p, log: log, streams: map[net.Conn]*streamRate{},
		state: connlimit.New[net.Conn](connlimit.Limits{All: maxAgents + connectionRoom, OfAddress: maxAgents + connectionRoom/2,
			Bytes: connlimit.ByteLimits{One: connectionBytes, All: allConnectionsBytes}})}
}

// accepted adds a connection, and reports whether it may stay.
func (c *connections) accepted(conn net.Conn) bool {
	now := time.Now()
	c.mu.Lock()
	if c.stopped {
		c.mu.Unlock()
		_ = conn.Close()
		return true // gRPC finds that it is closed, and ends.
	}
	d := c.state.Add(conn, connlimit.AddressOf(conn.RemoteAddr()), now)
	delete(c.streams, d.Victim)
	if c.sweep == nil {
		c.sweep = time.AfterFunc(connectionSweepInterval, c.onSweep)
	}
	c.mu.Unlock()
	switch {
	case d.Refused:
		c.close(conn, closedTooMany)
	case d.Evicted:
		c.close(d.Victim, closedTooMany)
	}
	return !d.Refused
}

// outOfFiles closes a connection without a session, since the process can open no more files.
func (c *connections) outOfFiles() {
	c.mu.Lock()
	d := c.state.EvictOldest()
	delete(c.streams, d.Victim)
	c.mu.Unlock()
	if d.Evicted {
		c.close(d.Victim, closedTooMany)
	}
}

// registered says that the connection has one more session, until unregistered.
func (c *connections) registered(conn net.Conn) {
	if c == nil || conn == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Use(conn)
}

func (c *connections) unregistered(conn net.Conn) {
	if c == nil || conn == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Release(conn, time.Now())
}

// onSweep forgets the connections that gRPC has closed, and closes those that have had no session for too long.
func (c *connections) onSweep() {
	c.mu.Lock()
	for _, conn := range c.state.Unused() {
		if isClosed(conn) {
			c.state.Remove(conn)
			delete(c.streams, conn)
		}
	}
	expired := c.state.Expire(time.Now(), unregisteredTimeout)
	for _, conn := range expired {
		delete(c.streams, conn)
	}
	c.sweep = nil
	if c.state.Len() > 0 && !c.stopped {
		c.sweep = time.AfterFunc(connectionSweepInterval, c.onSweep)
	}
	c.mu.Unlock()
	for _, conn := range expired {
		c.close(conn, closedUnregistered)
	}
}

// received counts bytes that a connection has sent, and frames that open streams or are settings. It closes a connection
// if that is too much, and reports whether this one may go on.
func (c *connections) received(conn net.Conn, bytes, frames int) (goesOn bool) {
	now := time.Now()
	c.mu.Lock()
	if !c.state.Has(conn) { // It is closed.
		c.mu.Unlock()
		return false
	}
	victim, why := conn, closedStreams
	over := frames > 0 && !c.mayAnswer(conn, frames, now)
	if over {
		c.state.Remove(conn)
	} else {
		why = closedBytes
		victim, over = c.state.Sent(conn, bytes, now)
	}
	if over {
		delete(c.streams, victim)
	}
	c.mu.Unlock()
	if over {
		c.close(victim, why)
	}
	return !over || victim != conn
}

// mayAnswer reports whether the connection may have so many more frames that gRPC answers.
func (c *connections) mayAnswer(conn net.Conn, frames int, now time.Time) bool {
	r := c.streams[conn]
	if r == nil {
		r = newStreamRate(now)
		c.streams[conn] = r
	}
	return r.take(frames, now)
}

// forget forgets a connection that is closed.
func (c *connections) forget(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Remove(conn)
	delete(c.streams, conn)
}

// stop closes the connections without a session, and each one that is accepted later. gRPC's server does not:
// even its Stop waits for the end of a handshake.
func (c *connections) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	if c.sweep != nil {
		c.sweep.Stop()
	}
	for _, conn := range c.state.Unused() {
		_ = conn.Close()
		c.state.Remove(conn)
	}
	clear(c.streams)
}
