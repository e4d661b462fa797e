package certs

import (
	"crypto/x509"
	"testing"
	"time"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
)

// A session outlives its certificate, and ends with its authority. What else an agent has shown does not matter.
func TestVerify(t *testing.T) {
	ca, other := certtest.NewCA(t, "ca"), certtest.NewCA(t, "other")
	long, now := ca.Cert.NotBefore, time.Now()
	valid := ca.Issue(t, certtest.Leaf{DNS: []string{"n1"}, NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(time.Hour)}).Cert
	expired := ca.Issue(t, certtest.Leaf{DNS: []string{"n1"}, NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(-time.Hour)}).Cert
	old := other.Issue(t, certtest.Leaf{CN: "old", NotBefore: long, NotAfter: long.Add(time.Hour)}).Cert
	f := func(trusted *certtest.CA, works bool, shown ...*x509.Certificate) {
		t.Helper()
		err := Server{Clients: trusted.Pool}.Verify(shown)
		require.Equal(t, works, err == nil, "%v", err)
	}
	f(ca, true, valid)
	f(ca, true, expired)
	f(ca, true, valid, old)
	f(ca, true, expired, old)
	f(other, false, valid)
	f(other, false, expired, old)
	serves := ca.Issue(t, certtest.Leaf{DNS: []string{"n1"}, Server: true}).Cert
	f(ca, false, serves)
}
