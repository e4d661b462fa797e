package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc/credentials"
)

// TLSConfig is how the connections of agents are encrypted. Its functions are called by many goroutines at once, and must
// not block.
type TLSConfig struct {
	// Handshake returns what one handshake is made with.
	Handshake func() *tls.Config
	// Verify returns an error unless the certificates that an agent has shown in its handshake, its own first, are still
	// trusted.
	Verify func(shown []*x509.Certificate) error
}

const (
	// lingerTime and lingerBytes bound what is read of a peer whose handshake has failed. If the connection were closed
	// while something of it is unread, the peer would often see a reset, and not why.
	lingerTime  = time.Second
	lingerBytes = 64 << 10
)

// encrypted are the credentials of connections with TLS. They number the connections, as plaintext does, and know those
// whose agents have shown a certificate.
type encrypted struct {
	config   *TLSConfig
	log      *zap.Logger
	peers    *peerLog
	counters *counters
	live     *certified
}

func (e encrypted) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}
func (e encrypted) Clone() credentials.TransportCredentials { return e }

// ServerHandshake is called by gRPC, which has set handshakeTimeout as the connection's deadline, and closes it at an error.
func (e encrypted) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn := tls.Server(raw, e.config.Handshake())
	err := conn.Handshake()
	if err == nil && conn.ConnectionState().NegotiatedProtocol == "" {
		err = errNoHTTP2
	}
	if err != nil {
		e.failed(raw, err)
		return nil, nil, err
	}
	state := conn.ConnectionState()
	c := connection{AuthInfo: credentials.TLSInfo{State: state, CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity}},
		id: connectionIDs.Add(1), conn: raw, raw: raw}
	if len(state.PeerCertificates) == 0 {
		return conn, c, nil
	}
	c.certificate = state.PeerCertificates[0]
	tracked := e.live.add(conn, raw, state.PeerCertificates)
	// The authorities may have changed during the handshake: either this sees it, or recheck sees the connection.
	if err := e.config.Verify(state.PeerCertificates); err != nil {
		e.failed(raw, err)
		_ = tracked.Close()
		return nil, nil, err
	}
	return tracked, c, nil
}

// ClientHandshake is for clients.
func (e encrypted) ClientHandshake(_ context.Context, _ string, _ net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errNoClient
}

// OverrideServerName is for clients.
func (e encrypted) OverrideServerName(string) error { return errNoClient }

var (
	errNoHTTP2  = errors.New("the peer does not say that it speaks HTTP/2")
	errNoClient = errors.New("these credentials are a server's")
)

// failed counts and logs a handshake that has failed. The peer has a moment to read why.
func (e encrypted) failed(raw net.Conn, err error) {
	why := handshakeFailureOf(err)
	if why == handshakeNone {
		return
	}
	e.counters.handshakeFailed(why)
	e.peers.warn(logEvent{"handshake failed: " + string(why), strangerLines}, e.log, "a handshake of TLS has failed: "+why.text(),
		zap.String("reason", string(why)), zap.String("peer", parseAddress(raw.RemoteAddr().String()).String()), zap.String("error", truncate(err.Error())))
	if half, ok := raw.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = raw.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.CopyN(io.Discard, raw, lingerBytes)
	}
}

// handshakeFailureOf returns why a handshake has failed.
func handshakeFailureOf(err error) handshakeFailure {
	var noTLS tls.RecordHeaderError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case err == io.EOF, errors.Is(err, syscall.ECONNRESET):
		return handshakeNone // Probes of load balancers connect, and close at once.
	case errors.As(err, &noTLS):
		return handshakeNoTLS
	case errors.As(err, &unknown):
		return handshakeUnknownAuthority
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return handshakeExpired
	}
	switch text := err.Error(); {
	// These are errors without a type.
	case text == "tls: client didn't provide a certificate":
		return handshakeNoCertificate
	case strings.HasPrefix(text, "tls: client offered only unsupported versions"):
		return handshakeVersion
	}
	return handshakeOther
}

// certified are the connections that live and whose agents have shown a certificate.
type certified struct {
	mu    sync.Mutex
	conns map[*certifiedConn]struct{}
}

func newCertified() *certified { return &certified{conns: map[*certifiedConn]struct{}{}} }

// certifiedConn is a connection that is forgotten when it is closed.
type certifiedConn struct {
	net.Conn
	raw   net.Conn
	shown []*x509.Certificate
	of    *certified
}

func (c *certified) add(conn, raw net.Conn, shown []*x509.Certificate) *certifiedConn {
	t := &certifiedConn{conn, raw, shown, c}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns[t] = struct{}{}
	return t
}

// Close implements net.Conn.
func (t *certifiedConn) Close() error {
	t.of.mu.Lock()
	delete(t.of.conns, t)
	t.of.mu.Unlock()
	return t.Conn.Close()
}

func (c *certified) all() []*certifiedConn {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]*certifiedConn, 0, len(c.conns))
	for t := range c.conns {
		all = append(all, t)
	}
	return all
}

// RecheckCertificates closes the connections whose certificates are not trusted any more. It is for when the authorities
// have changed, and may be called from anywhere.
func (p *Proxy) RecheckCertificates() {
	if p.tls == nil {
		return
	}
	for _, t := range p.tls.live.all() {
		err := p.tls.config.Verify(t.shown)
		if err == nil {
			continue
		}
		p.peers.warn(logDistrusted, p.sys.Log(), "the certificate of an agent is not trusted any more: its connection is closed",
			zap.String("peer", parseAddress(t.raw.RemoteAddr().String()).String()), zap.String("subject", truncate(t.shown[0].Subject.String())),
			zap.String("error", truncate(err.Error())))
		_ = t.raw.Close()
	}
}
