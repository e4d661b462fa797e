package certtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// CA is a certificate authority.
type CA struct {
	CertPEM []byte
	Cert    *x509.Certificate
	key     *ecdsa.PrivateKey
}

// Leaf is what a certificate says. The zero value is a certificate for servers and clients without
// a name, that is valid from an hour ago for a day.
type Leaf struct {
	CN                  string
	DNS, URIs, IPs      []string
	NotBefore, NotAfter time.Time
	// Client and Server are what the certificate may be used for; neither: for both.
	Client, Server bool
}

// Issued is a certificate with its key.
type Issued struct {
	CertPEM, KeyPEM []byte
	Cert            *x509.Certificate
	TLS             tls.Certificate
}

var serial atomic.Int64

// NewCA returns a new authority. It is valid in fake time, too.
func NewCA(t testing.TB, name string) *CA {
	t.Helper()
	ca := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
	issued := issue(t, ca, nil)
	return &CA{CertPEM: issued.CertPEM, Cert: issued.Cert, key: issued.TLS.PrivateKey.(*ecdsa.PrivateKey)}
}

// Issue returns a certificate of the authority.
func (ca *CA) Issue(t testing.TB, l Leaf) Issued {
	t.Helper()
	cert := &x509.Certificate{
		Subject: pkix.Name{CommonName: l.CN}, DNSNames: l.DNS, NotBefore: l.NotBefore, NotAfter: l.NotAfter,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if cert.NotBefore.IsZero() {
		cert.NotBefore = time.Now().Add(-time.Hour)
	}
	if cert.NotAfter.IsZero() {
		cert.NotAfter = time.Now().Add(24 * time.Hour)
	}
	for _, text := range l.URIs {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatalf("certificate: URI %q: %v", text, err)
		}
		cert.URIs = append(cert.URIs, u)
	}
	for _, text := range l.IPs {
		ip := net.ParseIP(text)
		if ip == nil {
			t.Fatalf("certificate: no IP address: %q", text)
		}
		cert.IPAddresses = append(cert.IPAddresses, ip)
	}
	if l.Server || !l.Client {
		cert.ExtKeyUsage = append(cert.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	if l.Client || !l.Server {
		cert.ExtKeyUsage = append(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	return issue(t, cert, ca)
}

// issue signs a certificate; without an authority by its own key.
func issue(t testing.TB, cert *x509.Certificate, ca *CA) Issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert.SerialNumber = big.NewInt(serial.Add(1))
	parent, signer := cert, key
	if ca != nil {
		parent, signer = ca.Cert, ca.key
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	out := Issued{
		CertPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		KeyPEM:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}
	if out.TLS, err = tls.X509KeyPair(out.CertPEM, out.KeyPEM); err != nil {
		t.Fatal(err)
	}
	if out.Cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return out
}

// Pool returns a pool with the authority alone.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.Cert)
	return pool
}

// Write writes the authority's certificate to dir/name.crt, and returns that path.
func (ca *CA) Write(t testing.TB, dir, name string) string {
	t.Helper()
	return WriteFile(t, filepath.Join(dir, name+".crt"), ca.CertPEM)
}

// Write writes the certificate and its key to dir/name.crt and dir/name.key, and returns these paths.
func (i Issued) Write(t testing.TB, dir, name string) (cert, key string) {
	t.Helper()
	return WriteFile(t, filepath.Join(dir, name+".crt"), i.CertPEM), WriteFile(t, filepath.Join(dir, name+".key"), i.KeyPEM)
}
