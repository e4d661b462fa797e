package modes

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"

	"fodc/actors/agent"
	"fodc/modes/certs"
	"fodc/modes/files"
)

// linkSecurity is how an agent's connections are secured.
type linkSecurity = agent.LinkSecurity

// startTLS reads the files of certificates. changed is called when the authorities of agents have changed.
func (s *grpcSecurity) startTLS(c GRPCTLSConfig, w *files.Watcher, changed func()) error {
	cert, key := certs.File{Flag: "grpc-tls-cert-file", Path: c.CertFile}, certs.File{Flag: "grpc-tls-key-file", Path: c.KeyFile}
	pair, err := files.Watch(w, cert.Flag, certs.Pair(cert, key), nil)
	if err != nil {
		return err
	}
	s.server = &certs.Server{Pair: pair.Get, Optional: c.ClientAuth == clientAuthOptional, MinVersion: tlsVersion(c.MinVersion)}
	if c.ClientCAFile == "" {
		return nil
	}
	if c.localNode != "" {
		if s.own, err = certs.InMemory(c.localNode); err != nil {
			return err
		}
	}
	ca := certs.File{Flag: "grpc-client-ca-file", Path: c.ClientCAFile}
	pool, err := files.Watch(w, ca.Flag, certs.Pool(ca), func(*x509.CertPool) { changed() })
	if err != nil {
		return err
	}
	s.server.Clients = func() *x509.CertPool {
		if s.own == nil {
			return pool.Get()
		}
		with := pool.Get().Clone()
		with.AddCert(s.own.Leaf)
		return with
	}
	return nil
}

var errOtherProxy = errors.New("the certificate is not that of the proxy in this process")

// local returns how the agent in this process connects: it knows the proxy's certificate, and its own certificate and its
// token are in memory only.
func (s *grpcSecurity) local() (l linkSecurity) {
	if s.tokens != nil {
		l.Token = func() string { return s.tokens.own }
	}
	if s.server == nil {
		return l
	}
	l.TLS = func(string) *tls.Config {
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
	}
	return l
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
