package httpapi

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"fodc/messages/connlimit"
)

const protocolHTTP2 = "h2"

// Limits of HTTP/2. A client that leaves no room for answers, or does not read those to its pings, keeps some megabytes of the
// server's memory until the write timeout. A connection serves many requests at once, so a client needs few.
const (
	maxHTTP2, maxHTTP2OfAddress = 64, 32
	// maxStreamsHTTP2 bounds the requests under way on a connection. Those that a client has reset are under way
	// until their handlers return, and if four times as many wait, net/http ends the connection.
	maxStreamsHTTP2 = 32
	// maxReceiveHTTP2 bounds the bytes of bodies that were not read yet, of a connection; bodies are short.
	maxReceiveHTTP2       = 256 << 10
	maxReceiveStreamHTTP2 = 64 << 10
	// maxHeaderTableHTTP2 is the default of HTTP/2.
	maxHeaderTableHTTP2 = 4 << 10
	// A connection that is silent for pingAfterHTTP2 has pingTimeoutHTTP2 to answer a ping.
	pingAfterHTTP2   = 30 * time.Second
	pingTimeoutHTTP2 = 10 * time.Second
)

func http2Limits(writeTimeout time.Duration) *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams: maxStreamsHTTP2, MaxReceiveBufferPerConnection: maxReceiveHTTP2,
		MaxReceiveBufferPerStream: maxReceiveStreamHTTP2, MaxDecoderHeaderTableSize: maxHeaderTableHTTP2,
		SendPingTimeout: pingAfterHTTP2, PingTimeout: pingTimeoutHTTP2, WriteByteTimeout: writeTimeout,
	}
}

// http2State has the connections that may have HTTP/2.
type http2State struct {
	conns map[net.Conn]netip.Prefix
	of    map[netip.Prefix]int
}

func newHTTP2State() *http2State {
	return &http2State{conns: map[net.Conn]netip.Prefix{}, of: map[netip.Prefix]int{}}
}

// add reports whether a connection may have HTTP/2. If so, remove must be called when it is closed.
func (s *http2State) add(c net.Conn, from netip.Prefix) bool {
	if len(s.conns) >= maxHTTP2 || s.of[from] >= maxHTTP2OfAddress {
		return false
	}
	s.conns[c] = from
	s.of[from]++
	return true
}

// remove removes a connection that has been closed, or has another protocol. It may be unknown.
func (s *http2State) remove(c net.Conn) {
	from, ok := s.conns[c]
	if !ok {
		return
	}
	delete(s.conns, c)
	if s.of[from]--; s.of[from] == 0 {
		delete(s.of, from)
	}
}

// settingsFor returns the settings of TLS for a client that says hello: without HTTP/2 if there are too many connections that have it.
func (c *connections) settingsFor(hello *tls.ClientHelloInfo, settings *tls.Config) *tls.Config {
	if !slices.Contains(hello.SupportedProtos, protocolHTTP2) || !slices.Contains(settings.NextProtos, protocolHTTP2) {
		return settings
	}
	c.mu.Lock()
	may := c.state.Has(hello.Conn) && c.http2.add(hello.Conn, connlimit.AddressOf(hello.Conn.RemoteAddr()))
	c.mu.Unlock()
	if may {
		return settings
	}
	without := settings.Clone()
	without.NextProtos = slices.DeleteFunc(slices.Clone(settings.NextProtos), func(p string) bool { return p == protocolHTTP2 })
	return without
}
