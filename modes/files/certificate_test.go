package files

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// What names a certificate is of a bounded length and harmless, whatever it says of itself.
func TestSubject(t *testing.T) {
	node := &url.URL{Scheme: "fodc", Host: "node", Path: "/n"}
	ip := []net.IP{net.ParseIP("10.0.0.1")}
	f := func(want string, c x509.Certificate) {
		t.Helper()
		c.SerialNumber = big.NewInt(7)
		require.Equal(t, want, Subject(&c))
	}
	f("cn", x509.Certificate{Subject: pkix.Name{CommonName: "cn", Organization: []string{"o"}}, DNSNames: []string{"dns"}})
	f("dns", x509.Certificate{Subject: pkix.Name{Organization: []string{"o"}}, DNSNames: []string{"dns"}, URIs: []*url.URL{node}})
	f("fodc://node/n", x509.Certificate{URIs: []*url.URL{node}, IPAddresses: ip})
	f("10.0.0.1", x509.Certificate{Subject: pkix.Name{Organization: []string{"o"}}, IPAddresses: ip})
	f("OU=u,O=o", x509.Certificate{Subject: pkix.Name{Organization: []string{"o"}, OrganizationalUnit: []string{"u"}}})
	f("serial 7", x509.Certificate{})
	f(`a\n\u001b[31m\u202eb`, x509.Certificate{Subject: pkix.Name{CommonName: "a\n\x1b[31m\u202eb"}})
	f(`a\nb`, x509.Certificate{DNSNames: []string{"a\nb"}})
	f(`O=a\u001bb`, x509.Certificate{Subject: pkix.Name{Organization: []string{"a\x1bb"}}})
	f(`a\ufffdb`, x509.Certificate{Subject: pkix.Name{CommonName: "a\xffb"}})
	for _, long := range []string{strings.Repeat("x", 1000), "x" + strings.Repeat("ä", 1000), strings.Repeat("\x1b", 1000)} {
		name := Subject(&x509.Certificate{DNSNames: []string{long}})
		require.LessOrEqual(t, len(name), maxSubjectBytes)
		require.Greater(t, len(name), maxSubjectBytes-utf8.UTFMax)
		require.True(t, utf8.ValidString(name), name)
	}
}

// Of many certificates those are shown that expire first.
func TestCertificatesThatAreShown(t *testing.T) {
	var all []*x509.Certificate
	for i := range 2 * maxCertificates {
		all = append(all, &x509.Certificate{Subject: pkix.Name{CommonName: fmt.Sprint(i)}, NotAfter: time.Unix(int64(100-i), 0)})
	}
	shown := Certificates("f", all)
	require.Len(t, shown, maxCertificates)
	require.Equal(t, Certificate{Flag: "f", Subject: fmt.Sprint(2*maxCertificates - 1), NotAfter: all[2*maxCertificates-1].NotAfter}, shown[0])
	require.Empty(t, Certificates("f", nil))
}
