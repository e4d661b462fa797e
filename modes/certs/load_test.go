package certs

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fodc/modes/certtest"
	"fodc/modes/files"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// secret is in files whose contents no error may show.
const secret = "hunter2"

// load loads a value of files.
func load[T any](t *testing.T, flag string, l files.Load[T]) (T, []files.Certificate, error) {
	t.Helper()
	w := files.NewWatcher(zap.NewNop())
	defer w.Stop()
	v, err := files.Watch(w, flag, l, nil)
	if err != nil {
		var none T
		return none, nil, err
	}
	return v.Get(), w.Statuses()[0].Certificates, nil
}

// requireOneLine requires an error that names the flag and a file, has the text, and shows nothing secret.
func requireOneLine(t *testing.T, err error, flag, path, text string) {
	t.Helper()
	require.Error(t, err)
	said := err.Error()
	require.True(t, strings.HasPrefix(said, "--"+flag+": "), said)
	require.Contains(t, said, fmt.Sprintf("%q", path))
	require.Contains(t, said, text)
	require.NotContains(t, said, "\n")
	require.NotContains(t, said, secret)
	require.NotContains(t, said, "PRIVATE KEY-")
	require.Less(t, len(said), 600)
}

func block(kind string, content []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content})
}

func joined(parts ...[]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func TestPairFailures(t *testing.T) {
	dir, ca := t.TempDir(), certtest.NewCA(t, "ca")
	good := ca.Issue(t, certtest.Leaf{CN: "proxy"})
	cert, key := File{"tls-cert", filepath.Join(dir, "a.crt")}, File{"tls-key", filepath.Join(dir, "a.key")}
	f := func(certPEM, keyPEM []byte, at File, text string) {
		t.Helper()
		certtest.WriteFile(t, cert.Path, certPEM)
		certtest.WriteFile(t, key.Path, keyPEM)
		_, _, err := load(t, cert.Flag, Pair(cert, key))
		requireOneLine(t, err, cert.Flag, at.Path, text)
		if at == key {
			require.ErrorContains(t, err, "--tls-key")
		}
	}
	f(nil, good.KeyPEM, cert, "has no certificate in PEM")
	f([]byte(secret), good.KeyPEM, cert, "has no certificate in PEM")
	f(good.Cert.Raw, good.KeyPEM, cert, "has no certificate in PEM") // in DER
	f(good.KeyPEM, good.KeyPEM, cert, "has no certificate in PEM")
	f(good.CertPEM[:len(good.CertPEM)/2], good.KeyPEM, cert, "is cut short, or broken: a block of PEM has no end")
	f(joined(good.CertPEM, ca.CertPEM[:100]), good.KeyPEM, cert, "is cut short, or broken: a block of PEM has no end")
	f(block("CERTIFICATE", []byte(secret)), good.KeyPEM, cert, "certificate 1 in ")
	f(joined(good.CertPEM, block("CERTIFICATE", good.Cert.Raw[:200])), good.KeyPEM, cert, "certificate 2 in ")
	f(good.CertPEM, nil, key, "has no key in PEM")
	f(good.CertPEM, []byte(secret+"\n"+secret), key, "has no key in PEM")
	f(good.CertPEM, block(secret, nil), key, "has no key in PEM")
	f(good.CertPEM, good.KeyPEM[:len(good.KeyPEM)/2], key, "is cut short, or broken: a block of PEM has no end")
	f(good.CertPEM, good.CertPEM, key, "has certificates, and no key")
	f(good.CertPEM, block("PRIVATE KEY", []byte(secret)), key, "does not fit the certificate in")
	f(good.CertPEM, ca.Issue(t, certtest.Leaf{}).KeyPEM, key, "does not fit the certificate in")
	f(joined(ca.CertPEM, good.CertPEM), good.KeyPEM, key, "does not fit the certificate in") // in the wrong order
	f(good.CertPEM, block("ENCRYPTED PRIVATE KEY", []byte(secret)), key, "has a key that is encrypted with a passphrase")
	old := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte(secret), Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC," + secret}}
	f(good.CertPEM, pem.EncodeToMemory(old), key, "has a key that is encrypted with a passphrase")
	for _, kind := range otherKeys(t) {
		f(good.CertPEM, kind, key, "does not fit the certificate in")
	}
	expired := ca.Issue(t, certtest.Leaf{CN: "proxy", NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)})
	f(expired.CertPEM, expired.KeyPEM, cert, `the certificate of "proxy" in `)
	f(expired.CertPEM, expired.KeyPEM, cert, `has expired at 2001-02-03T04:05:06Z`)
	early := ca.Issue(t, certtest.Leaf{CN: "a\nb", NotBefore: time.Date(2091, 2, 3, 4, 5, 6, 0, time.UTC), NotAfter: time.Date(2092, 1, 1, 0, 0, 0, 0, time.UTC)})
	f(early.CertPEM, early.KeyPEM, cert, `the certificate of "a\\nb" in `)
	f(early.CertPEM, early.KeyPEM, cert, `is not valid before 2091-02-03T04:05:06Z`)

	for _, missing := range []File{cert, key} {
		good.Write(t, dir, "a")
		_, _, err := load(t, cert.Flag, Pair(without(missing, cert), without(missing, key)))
		requireOneLine(t, err, cert.Flag, missing.Path+".gone", "no such file")
		require.ErrorContains(t, err, missing.Flag)
	}
}

// without returns the file, or one that is not there instead if it is the one that is missing.
func without(missing, f File) File {
	if f == missing {
		f.Path += ".gone"
	}
	return f
}

// otherKeys are keys of all kinds that fit no certificate of these tests.
func otherKeys(t *testing.T) (all [][]byte) {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	ec, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	require.NoError(t, err)
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	for _, k := range []any{r, ed, ec, x} {
		der, err := x509.MarshalPKCS8PrivateKey(k)
		require.NoError(t, err)
		all = append(all, block("PRIVATE KEY", der))
	}
	sec1, err := x509.MarshalECPrivateKey(ec)
	require.NoError(t, err)
	return append(all, block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(r)), block("EC PRIVATE KEY", sec1))
}

// A file may have the certificates between, text, and the key, in the forms in which tools write them.
func TestPairForms(t *testing.T) {
	dir, ca := t.TempDir(), certtest.NewCA(t, "ca")
	good := ca.Issue(t, certtest.Leaf{CN: "proxy", NotAfter: time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)})
	sec1, err := x509.MarshalECPrivateKey(good.TLS.PrivateKey.(*ecdsa.PrivateKey))
	require.NoError(t, err)
	f := func(certPEM, keyPEM []byte, chain int) {
		t.Helper()
		cert := File{"tls-cert", certtest.WriteFile(t, filepath.Join(dir, "a.crt"), certPEM)}
		key := File{"tls-key", certtest.WriteFile(t, filepath.Join(dir, "a.key"), keyPEM)}
		pair, ends, err := load(t, cert.Flag, Pair(cert, key))
		require.NoError(t, err)
		require.Len(t, pair.Certificate, chain)
		require.Equal(t, good.Cert.Raw, pair.Leaf.Raw)
		require.Len(t, ends, chain)
		require.Equal(t, files.Certificate{Flag: "tls-cert", Subject: "proxy", NotAfter: good.Cert.NotAfter}, ends[0], "the first to expire")
	}
	f(good.CertPEM, good.KeyPEM, 1)
	f(joined(good.CertPEM, ca.CertPEM), good.KeyPEM, 2)
	f(joined([]byte("subject=CN = proxy\n"), good.CertPEM, []byte("\ntext\n"), ca.CertPEM), good.KeyPEM, 2)
	both := joined(good.KeyPEM, good.CertPEM)
	f(both, both, 1)
	f(good.CertPEM, block("EC PRIVATE KEY", sec1), 1)
	f(good.CertPEM, joined(block("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}), block("EC PRIVATE KEY", sec1)), 1)
	f(joined([]byte(strings.ReplaceAll(string(good.CertPEM), "\n", "\r\n"))), good.KeyPEM, 1)
}

func TestPool(t *testing.T) {
	dir := t.TempDir()
	file := File{"ca-file", filepath.Join(dir, "ca.crt")}
	ca, second := certtest.NewCA(t, "ca"), certtest.NewCA(t, "second")
	leaf := ca.Issue(t, certtest.Leaf{CN: "proxy"})
	fails := func(content []byte, text string) {
		t.Helper()
		certtest.WriteFile(t, file.Path, content)
		_, _, err := load(t, file.Flag, Pool(file))
		requireOneLine(t, err, file.Flag, file.Path, text)
	}
	fails(nil, "has no certificate in PEM")
	fails([]byte("\n \n"), "has no certificate in PEM")
	fails([]byte(secret), "has no certificate in PEM")
	fails(leaf.KeyPEM, "has no certificate in PEM")
	fails(ca.CertPEM[:300], "is cut short, or broken")
	fails(joined(ca.CertPEM, second.CertPEM[:300]), "is cut short, or broken")
	fails(block("CERTIFICATE", []byte(secret)), "certificate 1 in ")
	fails(leaf.CertPEM, `has the certificate of "proxy", and none of an authority: that of the one that has issued it belongs here`)
	_, _, err := load(t, file.Flag, Pool(File{"ca-file", file.Path + ".gone"}))
	requireOneLine(t, err, file.Flag, file.Path+".gone", "no such file")

	works := func(content []byte, of certtest.Issued, subjects ...string) {
		t.Helper()
		certtest.WriteFile(t, file.Path, content)
		pool, ends, err := load(t, file.Flag, Pool(file))
		require.NoError(t, err)
		var shown []string
		for _, c := range ends {
			shown = append(shown, c.Subject)
		}
		require.Equal(t, subjects, shown)
		_, err = of.Cert.Verify(x509.VerifyOptions{Roots: pool})
		require.NoError(t, err)
	}
	works(ca.CertPEM, leaf, "ca")
	works(joined(second.CertPEM, []byte("text\n"), ca.CertPEM), leaf, "second", "ca")
	works(joined(leaf.CertPEM, ca.CertPEM), leaf, "proxy", "ca")
	own, err := InMemory("n1") // It has issued itself.
	require.NoError(t, err)
	certtest.WriteFile(t, file.Path, block("CERTIFICATE", own.Certificate[0]))
	_, _, err = load(t, file.Flag, Pool(file))
	require.NoError(t, err)
}

// An authority that has expired does not spoil those that have not.
func TestPoolWithExpiredAuthorities(t *testing.T) {
	file := File{"ca-file", filepath.Join(t.TempDir(), "ca.crt")}
	ca := certtest.NewCA(t, "ca")
	loadAt := func(l files.Load[*x509.CertPool], at time.Time) files.Load[*x509.CertPool] {
		return func(r *files.Reader, _ time.Time) (files.Loaded[*x509.CertPool], error) { return l(r, at) }
	}
	certtest.WriteFile(t, file.Path, ca.CertPEM)
	_, _, err := load(t, file.Flag, loadAt(Pool(file), time.Date(2101, 1, 1, 0, 0, 0, 0, time.UTC)))
	requireOneLine(t, err, file.Flag, file.Path, "has expired at 2100-01-01T00:00:00Z")
	_, _, err = load(t, file.Flag, loadAt(Pool(file), time.Date(1989, 1, 1, 0, 0, 0, 0, time.UTC)))
	requireOneLine(t, err, file.Flag, file.Path, "is not valid before 1990-01-01T00:00:00Z")
	lasting, err := InMemory("lasting")
	require.NoError(t, err)
	certtest.WriteFile(t, file.Path, joined(ca.CertPEM, block("CERTIFICATE", lasting.Certificate[0])))
	_, ends, err := load(t, file.Flag, loadAt(Pool(file), lasting.Leaf.NotAfter.Add(-time.Hour)))
	require.NoError(t, err)
	require.Len(t, ends, 1)
	require.Equal(t, "lasting", ends[0].Subject)
}

func TestToken(t *testing.T) {
	file := File{"token-file", filepath.Join(t.TempDir(), "token")}
	f := func(content, text string) {
		t.Helper()
		certtest.WriteFile(t, file.Path, []byte(content))
		_, _, err := load(t, file.Flag, Token(file))
		requireOneLine(t, err, file.Flag, file.Path, text)
	}
	f("", "is empty")
	f(" \n\t\n", "is empty")
	f(secret+" "+secret, "has more than a token: white space, or what is not ASCII")
	f(secret+"\n"+secret, "has more than a token")
	f(secret+"\x00", "has more than a token")
	f(secret+"ä", "has more than a token")
	f(secret+strings.Repeat("x", maxTokenBytes), "has more than 4096 bytes")
	_, _, err := load(t, file.Flag, Token(File{"token-file", file.Path + ".gone"}))
	requireOneLine(t, err, file.Flag, file.Path+".gone", "no such file")
	for _, content := range []string{secret, secret + "\n", " " + secret + "\r\n"} {
		certtest.WriteFile(t, file.Path, []byte(content))
		token, _, err := load(t, file.Flag, Token(file))
		require.NoError(t, err)
		require.Equal(t, secret, token)
	}
}

// A client takes the name of the proxy from its address, unless it is given one.
func TestClientName(t *testing.T) {
	f := func(want, name, address string) {
		t.Helper()
		require.Equal(t, want, Client{Name: name, MinVersion: tls.VersionTLS13}.Config(address).ServerName)
	}
	f("proxy", "", "proxy:17900")
	f("10.0.0.1", "", "10.0.0.1:17900")
	f("fe80::1%eth0", "", "[fe80::1%eth0]:17900")
	f("other", "other", "proxy:17900")
}
