package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc/credentials"
)

const (
	// lingerTime and lingerBytes bound what is read of a peer whose handshake has failed. If the connection were closed
	// while something of it is unread, the peer would often see a reset, and not why.
	lingerTime  = time.Second
	lingerBytes = 64 << 10
	// handshakeCost is what a byte of a handshake counts: it is kept in a buffer that doubles when it is full.
	handshakeCost = 2
)

// encrypted are the credentials of connections with TLS. They number the connections, as plaintext does.
type encrypted struct {
	config      func() *tls.Config // of one handshake
	log         *zap.Logger
	peers       *peerLog
	counters    *counters
	connections *connections // counts what is read
}

func (e encrypted) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}
func (e encrypted) Clone() credentials.TransportCredentials { return e }

// ServerHandshake is called by gRPC, which has set handshakeTimeout as the connection's deadline, and closes it at an error.
func (e encrypted) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	shaking := &handshakeConn{Conn: raw, connections: e.connections}
	conn := tls.Server(shaking, e.config())
	err := conn.Handshake()
	shaking.over = true
	if err == nil && conn.ConnectionState().NegotiatedProtocol == "" {
		err = errNoHTTP2
	}
	if err != nil {
		e.failed(raw, err)
		return nil, nil, err
	}
	state := conn.ConnectionState()
	return e.connections.counted(conn, raw), connection{id: connectionIDs.Add(1), conn: raw, raw: raw, chain: state.PeerCertificates,
		AuthInfo: credentials.TLSInfo{State: state, CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity}}}, nil
}

// handshakeConn tells connections what is read in a handshake: Go keeps up to 64 KiB of a first message, and up to 256 KiB of
// certificates, until they are whole. Later a countedConn counts what was decrypted.
type handshakeConn struct {
	net.Conn
	connections *connections
	over        bool
}

func (c *handshakeConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && !c.over && !c.connections.received(c.Conn, handshakeCost*n, 0) {
		return 0, net.ErrClosed
	}
	return n, err
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
	case errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return handshakeNone // The proxy has closed it, and has said why.
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
