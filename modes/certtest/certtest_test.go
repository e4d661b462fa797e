package certtest

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestIssuedCertificatesAreWhatTheySay(t *testing.T) {
	ca, other := NewCA(t, "nodes"), NewCA(t, "others")
	now := time.Now()
	verify := func(l Leaf, roots *CA, name string, usage x509.ExtKeyUsage) error {
		t.Helper()
		_, err := ca.Issue(t, l).Cert.Verify(x509.VerifyOptions{DNSName: name, Roots: roots.Pool(), KeyUsages: []x509.ExtKeyUsage{usage}})
		return err
	}
	server, client := x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth
	require.NoError(t, verify(Leaf{DNS: []string{"node"}}, ca, "node", server))
	require.NoError(t, verify(Leaf{IPs: []string{"127.0.0.1"}}, ca, "127.0.0.1", client))
	require.NoError(t, verify(Leaf{CN: "node-1", Client: true}, ca, "", client))
	require.Error(t, verify(Leaf{CN: "node-1", Client: true}, ca, "", server), "a client's alone")
	require.Error(t, verify(Leaf{CN: "node-1", Server: true}, ca, "", client), "a server's alone")
	require.Error(t, verify(Leaf{DNS: []string{"node"}}, ca, "another", server))
	require.Error(t, verify(Leaf{DNS: []string{"node"}}, other, "node", server))
	require.Error(t, verify(Leaf{NotAfter: now.Add(-time.Minute)}, ca, "", server), "expired")
	require.Error(t, verify(Leaf{NotBefore: now.Add(time.Minute)}, ca, "", server), "not valid yet")
	uri := ca.Issue(t, Leaf{URIs: []string{"spiffe://cluster/node-1"}}).Cert
	require.Equal(t, "spiffe://cluster/node-1", uri.URIs[0].String())
}

func TestASwappedDirectoryHasTheNewFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "secret")
	for _, token := range []string{"first", "second"} {
		SwapDir(t, dir, map[string][]byte{"token": []byte(token)})
		read, err := os.ReadFile(filepath.Join(dir, "token"))
		require.NoError(t, err)
		require.Equal(t, token, string(read))
	}
}
