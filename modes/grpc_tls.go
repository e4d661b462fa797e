package modes

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"

	"fodc/actors/agent"
	"fodc/actors/proxy"
	"fodc/modes/certs"
	"fodc/modes/files"
)

// linkSecurity is how an agent's connections are secured.
type linkSecurity = agent.LinkSecurity

// grpcTLS is the TLS of a proxy's gRPC server.
type grpcTLS struct {
	server certs.Server
	// own is the certificate of the agent in this process; nil: there is none, or it needs none.
	own *tls.Certificate
}

// start reads the files. changed is called when the authorities of agents have changed. It returns nil without TLS.
func (c GRPCTLSConfig) start(w *files.Watcher, changed func()) (*grpcTLS, error) {
	if c.CertFile == "" {
		return nil, nil
	}
	cert, key := certs.File{Flag: "grpc-tls-cert-file", Path: c.CertFile}, certs.File{Flag: "grpc-tls-key-file", Path: c.KeyFile}
	pair, err := files.Watch(w, cert.Flag, certs.Pair(cert, key), nil)
	if err != nil {
		return nil, err
	}
	s := &grpcTLS{server: certs.Server{Pair: pair.Get, Optional: c.ClientAuth == clientAuthOptional, MinVersion: tlsVersion(c.MinVersion)}}
	if c.ClientCAFile == "" {
		return s, nil
	}
	if c.localNode != "" {
		if s.own, err = certs.InMemory(c.localNode); err != nil {
			return nil, err
		}
	}
	ca := certs.File{Flag: "grpc-client-ca-file", Path: c.ClientCAFile}
	pool, err := files.Watch(w, ca.Flag, certs.Pool(ca), func(*x509.CertPool) { changed() })
	if err != nil {
		return nil, err
	}
	s.server.Clients = func() *x509.CertPool {
		if s.own == nil {
			return pool.Get()
		}
		with := pool.Get().Clone()
		with.AddCert(s.own.Leaf)
		return with
	}
	return s, nil
}

// actors returns the TLS of the proxy's actors; nil: none.
func (s *grpcTLS) actors() *proxy.TLSConfig {
	if s == nil {
		return nil
	}
	return &proxy.TLSConfig{Handshake: s.server.Config, Verify: s.server.Verify}
}

var errOtherProxy = errors.New("the certificate is not that of the proxy in this process")

// local returns how the agent in this process connects: it knows the proxy's certificate, and its own is in memory only.
func (s *grpcTLS) local() linkSecurity {
	if s == nil {
		return linkSecurity{}
	}
	return linkSecurity{TLS: func(string) *tls.Config {
		c := &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"}, InsecureSkipVerify: true,
			VerifyConnection: func(state tls.ConnectionState) error {
				if !bytes.Equal(state.PeerCertificates[0].Raw, s.server.Pair().Leaf.Raw) {
					return errOtherProxy
				}
				return nil
			}}
		if s.own != nil {
			c.Certificates = []tls.Certificate{*s.own}
		}
		return c
	}}
}

// open returns what the log says of a proxy to which everybody may connect; empty: it is not one.
func (c GRPCTLSConfig) open(bound net.Addr) string {
	switch {
	case isLoopback(bound.String()):
		return ""
	case c.CertFile == "":
		return "agents connect without TLS: who can reach --grpc-listen-addr may register, and who is between may read and change what agents send; " +
			"--grpc-tls-cert-file and --grpc-client-ca-file change that"
	case c.ClientCAFile == "":
		return "agents connect with TLS, and need no certificate: who can reach --grpc-listen-addr may register; --grpc-client-ca-file changes that"
	case c.ClientAuth == clientAuthOptional:
		return "agents need no certificate, as --grpc-client-auth is optional: who can reach --grpc-listen-addr may register"
	}
	return ""
}

// start reads the files.
func (c LinkSecurityConfig) start(w *files.Watcher) (s linkSecurity, err error) {
	if c.TokenFile != "" {
		file := certs.File{Flag: "proxy-token-file", Path: c.TokenFile}
		token, err := files.Watch(w, file.Flag, certs.Token(file), nil)
		if err != nil {
			return s, err
		}
		s.Token = token.Get
	}
	if !c.TLS {
		return s, nil
	}
	client := certs.Client{Name: c.ServerName, MinVersion: tlsVersion(c.MinVersion)}
	if c.CAFile != "" {
		file := certs.File{Flag: "proxy-ca-file", Path: c.CAFile}
		pool, err := files.Watch(w, file.Flag, certs.Pool(file), nil)
		if err != nil {
			return s, err
		}
		client.Roots = pool.Get
	}
	if c.CertFile != "" {
		cert, key := certs.File{Flag: "proxy-cert-file", Path: c.CertFile}, certs.File{Flag: "proxy-key-file", Path: c.KeyFile}
		pair, err := files.Watch(w, cert.Flag, certs.Pair(cert, key), nil)
		if err != nil {
			return s, err
		}
		client.Pair = pair.Get
	}
	s.TLS = client.Config
	return s, nil
}

// open returns what the log says of an agent whose connections anybody may read; empty: they are not such.
func (c LinkSecurityConfig) open(addrs []string) string {
	if c.TLS {
		return ""
	}
	for _, addr := range addrs {
		if !isLoopback(addr) {
			return "connections to proxies are not encrypted: who is between may read and change what is sent; --proxy-tls changes that"
		}
	}
	return ""
}
