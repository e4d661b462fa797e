package certs

import (
	"crypto/tls"
	"crypto/x509"
	"time"
)

// Server is the proxy's side of handshakes.
type Server struct {
	// Pair returns the certificate that is in force.
	Pair func() *tls.Certificate
	// Clients returns the authorities of agents' certificates; nil: none are asked for.
	Clients func() *x509.CertPool
	// Optional lets agents in that have no certificate. One that an agent has is verified all the same.
	Optional   bool
	MinVersion uint16
}

// http2Suites are the cipher suites of TLS 1.2 that HTTP/2 allows. Those of TLS 1.3 are all allowed.
func http2Suites() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
}

// Config returns what one handshake is made with.
func (s Server) Config() *tls.Config {
	c := &tls.Config{
		Certificates: []tls.Certificate{*s.Pair()}, MinVersion: s.MinVersion, NextProtos: []string{"h2"},
		CipherSuites: http2Suites(), SessionTicketsDisabled: true,
	}
	if s.Clients != nil {
		c.ClientCAs, c.ClientAuth = s.Clients(), tls.RequireAndVerifyClientCert
		if s.Optional {
			c.ClientAuth = tls.VerifyClientCertIfGiven
		}
	}
	return c
}

// Verify returns an error unless the certificate that an agent has shown, with those between it and its authority behind
// it, is trusted by the authorities that are in force. One that has expired since counts as it was: a session outlives it.
func (s Server) Verify(shown []*x509.Certificate) error {
	now, between := time.Now(), x509.NewCertPool()
	first := now // the time when all were still valid
	for i, c := range shown {
		if c.NotAfter.Before(first) {
			first = c.NotAfter
		}
		if i > 0 {
			between.AddCert(c)
		}
	}
	options := x509.VerifyOptions{Roots: s.Clients(), Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	_, err := shown[0].Verify(options)
	// An agent may have shown one that has expired long ago, and that nobody needs: so the end of its own certificate is a time of its own.
	for _, at := range []time.Time{shown[0].NotAfter, first} {
		if err == nil || !at.Before(now) {
			continue
		}
		options.CurrentTime = at
		_, err = shown[0].Verify(options)
	}
	return err
}
