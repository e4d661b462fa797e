package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// LinkSecurity is how the connections to proxies are secured. Its functions are called for each connection, and must not block.
type LinkSecurity struct {
	// TLS returns what the handshake with the proxy at an address is made with; nil: connections are not encrypted.
	TLS func(address string) *tls.Config
	// Token returns what a registration shows; nil: nothing.
	Token func() string
}

// encrypted are the credentials of a connection with TLS. They note why a handshake fails: gRPC makes a text of it.
type encrypted struct {
	config *tls.Config
	note   func(error)
}

// transport returns how a connection is secured. What a proxy's certificate must be for is also the name by which the agent asks for
// it, which a load balancer in between may look at.
func (cfg sessionConfig) transport(at *progress) []grpc.DialOption {
	if cfg.security.TLS == nil {
		return []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	}
	config := cfg.security.TLS(cfg.address)
	options := []grpc.DialOption{grpc.WithTransportCredentials(encrypted{config, at.note})}
	if host, _, err := net.SplitHostPort(cfg.address); err == nil && config.ServerName != "" && config.ServerName != host {
		options = append(options, grpc.WithAuthority(config.ServerName))
	}
	return options
}

// withToken returns the context of a registration.
func (s LinkSecurity) withToken(ctx context.Context) context.Context {
	if s.Token == nil {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+s.Token())
}

func (e encrypted) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}
func (e encrypted) Clone() credentials.TransportCredentials { return e }

// ClientHandshake is called by gRPC. The error ends the attempt to connect.
func (e encrypted) ClientHandshake(ctx context.Context, _ string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn := tls.Client(raw, e.config)
	err := conn.HandshakeContext(ctx)
	if err == nil && conn.ConnectionState().NegotiatedProtocol == "" {
		err = errNoHTTP2
	}
	if err != nil {
		if ctx.Err() == nil { // Else what ended it says more.
			e.note(err)
		}
		_ = raw.Close()
		return nil, nil, err
	}
	info := credentials.TLSInfo{State: conn.ConnectionState(), CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity}}
	return alertConn{conn, e.note}, info, nil
}

// ServerHandshake is for servers.
func (e encrypted) ServerHandshake(net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errNoServer
}

// OverrideServerName is deprecated, and not called.
func (e encrypted) OverrideServerName(string) error { return errNoServer }

var (
	errNoHTTP2  = errors.New("the server does not say that it speaks HTTP/2")
	errNoServer = errors.New("these credentials are a client's")
)

// alertTime is how long a write that has failed waits for what the proxy has said.
const alertTime = 500 * time.Millisecond

// alertConn is a connection that notes what the proxy says when it ends it. With TLS 1.3 a client learns only after its
// handshake that the server refuses its certificate, and its first write may fail before it has read that.
type alertConn struct {
	net.Conn
	note func(error)
}

func (c alertConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if _, isAlert := alertOf(err); isAlert {
		c.note(err)
	}
	return n, err
}

func (c alertConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err != nil && c.SetReadDeadline(time.Now().Add(alertTime)) == nil {
		_, _ = c.Read(make([]byte, 1))
	}
	return n, err
}
