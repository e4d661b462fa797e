package certs

import (
	"crypto/tls"
	"crypto/x509"
	"net"
)

// Client is the agent's side of handshakes.
type Client struct {
	// Roots returns the authorities of proxies' certificates; nil: those of the system.
	Roots func() *x509.CertPool
	// Pair returns the agent's own certificate; nil: it has none.
	Pair func() *tls.Certificate
	// Name is what the proxy's certificate must be for. Empty: the host of the address.
	Name       string
	MinVersion uint16
}

// Config returns what one handshake with a proxy at an address is made with.
func (c Client) Config(address string) *tls.Config {
	name := c.Name
	if name == "" {
		name = hostOf(address)
	}
	cfg := &tls.Config{
		ServerName: name, MinVersion: c.MinVersion, NextProtos: []string{"h2"}, CipherSuites: http2Suites(),
		// The authorities are those in force at the end of the handshake, which RootCAs could not be: see verify.
		InsecureSkipVerify: true,
		VerifyConnection:   func(s tls.ConnectionState) error { return c.verify(name, s) },
	}
	if c.Pair != nil {
		// Whatever the proxy asks for: it says what it thinks of the certificate.
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c.Pair(), nil }
	}
	return cfg
}

// verify verifies the proxy's certificate: its authority, its name, its time, and that it is one for servers.
func (c Client) verify(name string, s tls.ConnectionState) error {
	between := x509.NewCertPool()
	for _, cert := range s.PeerCertificates[1:] {
		between.AddCert(cert)
	}
	options := x509.VerifyOptions{DNSName: name, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if c.Roots != nil {
		options.Roots = c.Roots()
	}
	_, err := s.PeerCertificates[0].Verify(options)
	return err
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
