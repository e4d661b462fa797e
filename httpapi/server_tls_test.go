package httpapi

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"fodc/httpapi/access"
	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// serveForTest serves until the end of the test, and returns the address.
func serveForTest(t *testing.T, handler http.Handler, tlsOf func() *tls.Config) string {
	t.Helper()
	s, err := Listen(ServerConfig{Addr: "127.0.0.1:0", Handler: handler, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, TLS: tlsOf, Log: zap.NewNop()})
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, s.Shutdown(ctx))
		require.NoError(t, <-done)
	})
	return s.Addr().String()
}

func clientWith(t *testing.T, cfg *tls.Config) *http.Client {
	transport := &http.Transport{TLSClientConfig: cfg, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

// TLS follows its newest settings: the certificate and HTTP/2 for connections that begin, the authorities of clients for
// those that there are, too.
func TestServerWithTLS(t *testing.T) {
	ca, others := certtest.NewCA(t, "ca"), certtest.NewCA(t, "others")
	own := ca.Issue(t, certtest.Leaf{IPs: []string{"127.0.0.1"}})
	var current atomic.Pointer[tls.Config]
	var settings atomic.Pointer[access.Settings]
	use := func(clients *certtest.CA, protocols ...string) {
		current.Store(&tls.Config{Certificates: []tls.Certificate{own.TLS}, ClientCAs: clients.Pool(), ClientAuth: tls.RequireAndVerifyClientCert, NextProtos: protocols, MinVersion: tls.VersionTLS12})
		settings.Store(&access.Settings{CertificateRequired: true, VerifyClient: func(certs []*x509.Certificate, now time.Time) error {
			_, err := certs[0].Verify(x509.VerifyOptions{Roots: clients.Pool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
			return err
		}})
	}
	use(ca, "h2", "http/1.1")
	p := newFakeProxy()
	p.Access = access.New(access.Config{Settings: settings.Load})
	addr := serveForTest(t, p.Handler(), current.Load)
	client := clientWith(t, &tls.Config{RootCAs: ca.Pool(), Certificates: []tls.Certificate{ca.Issue(t, certtest.Leaf{CN: "one"}).TLS}})
	get := func(c *http.Client, code, version int) {
		t.Helper()
		r, err := c.Get("https://" + addr + "/sd")
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, r.Body)
		require.NoError(t, err)
		require.NoError(t, r.Body.Close())
		require.Equal(t, code, r.StatusCode)
		require.Equal(t, version, r.ProtoMajor)
	}
	get(client, 200, 2)
	use(ca, "http/1.1")
	get(client, 200, 2)
	client.CloseIdleConnections()
	get(client, 200, 1)
	use(others, "h2", "http/1.1")
	get(client, 401, 1)
	client.CloseIdleConnections()
	_, err := client.Get("https://" + addr + "/sd")
	require.Error(t, err, "with TLS 1.3 a client hears of it late: of the alert, or of a connection that is closed")
	get(clientWith(t, &tls.Config{RootCAs: ca.Pool(), Certificates: []tls.Certificate{others.Issue(t, certtest.Leaf{CN: "two"}).TLS}}), 200, 2)

	r, err := http.Get("http://" + addr + "/sd")
	require.NoError(t, err)
	require.NoError(t, r.Body.Close())
	require.Equal(t, 400, r.StatusCode)
}

// A name of an attacker that leads to a loopback address gives its page nothing to read.
func TestServerOnLoopbackKnowsItsNames(t *testing.T) {
	addr := serveForTest(t, newFakeProxy().Handler(), nil)
	f := func(host, path string, code int) {
		t.Helper()
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
		_, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host)
		require.NoError(t, err)
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		require.NoError(t, err)
		require.NoError(t, r.Body.Close())
		require.Equal(t, code, r.StatusCode)
	}
	f("localhost", "/cluster", 200)
	f(addr, "/cluster", 200)
	f("evil.example", "/cluster", 403)
	f("evil.example", "http://evil.example/cluster", 403)
	f("localhost", "http://evil.example/cluster", 403)
	f("evil.example", "/-/healthy", 200)
}
