package agent

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/status"
)

// The alerts of TLS with which a proxy says what it thinks of an agent (RFC 8446, section 6).
const (
	alertHandshakeFailure    tls.AlertError = 40 // TLS 1.2 has no other one for a certificate that is missing
	alertBadCertificate      tls.AlertError = 42
	alertUnsupportedCert     tls.AlertError = 43
	alertCertificateExpired  tls.AlertError = 45
	alertCertificateUnknown  tls.AlertError = 46
	alertUnknownAuthority    tls.AlertError = 48
	alertProtocolVersion     tls.AlertError = 70
	alertCertificateRequired tls.AlertError = 116
)

// maxNames bounds the names of a proxy's certificate that an error shows.
const maxNames = 3

// explainTLS says why TLS with a proxy has failed, and what to do about it.
func explainTLS(err error, now time.Time) string {
	var wrongName x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var noTLS tls.RecordHeaderError
	alert, isAlert := alertOf(err)
	switch {
	case errors.As(err, &wrongName):
		return fmt.Sprintf("the proxy's certificate is for %s, and not for %q: --proxy-server-name names the one that it has",
			namesOf(wrongName.Certificate), wrongName.Host)
	case errors.As(err, &unknown):
		return "the proxy's certificate is of no authority that is trusted: --proxy-ca-file names the file of its authority"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		return "the proxy's certificate cannot be used: " + validity(invalid.Cert, now)
	case errors.As(err, &noTLS):
		return "the proxy speaks no TLS: it needs --grpc-tls-cert-file, or this agent no --proxy-tls"
	case isAlert:
		return explainAlert(alert)
	}
	return "TLS with the proxy: " + err.Error()
}

// alertOf returns the alert that a proxy has sent. Package tls has a type of its own for it, whose text is that of an
// AlertError.
func alertOf(err error) (alert tls.AlertError, ok bool) {
	var sent *net.OpError
	if !errors.As(err, &sent) || sent.Op != "remote error" {
		return 0, false
	}
	for code := range 256 {
		if alert = tls.AlertError(code); alert.Error() == sent.Err.Error() {
			return alert, true
		}
	}
	return 0, false
}

// explainAlert says what a proxy has said.
func explainAlert(alert tls.AlertError) string {
	switch alert {
	case alertCertificateRequired:
		return "the proxy wants a certificate of this agent: --proxy-cert-file and --proxy-key-file"
	case alertUnknownAuthority:
		return "the proxy trusts the authority of no certificate in --proxy-cert-file (its --grpc-client-ca-file)"
	case alertCertificateExpired:
		return "the proxy says that the certificate in --proxy-cert-file has expired, or is not valid yet"
	case alertHandshakeFailure, alertBadCertificate, alertUnsupportedCert, alertCertificateUnknown:
		return "the proxy refuses the certificate in --proxy-cert-file, or wants one where there is none: its log says why"
	case alertProtocolVersion:
		return "the proxy speaks no version of TLS that --proxy-tls-min-version allows, or the other way around"
	}
	return "the proxy ends the connection: " + alert.Error()
}

// explain adds to an error of a connection without TLS what it may be.
func (s LinkSecurity) explain(err error) error {
	st, _ := status.FromError(err)
	if s.TLS == nil && strings.Contains(st.Message(), "error reading server preface") {
		return status.Error(st.Code(), st.Message()+": the proxy may want TLS (--proxy-tls)")
	}
	return err
}

func validity(c *x509.Certificate, now time.Time) string {
	if now.Before(c.NotBefore) {
		return "it is not valid before " + c.NotBefore.UTC().Format(time.RFC3339)
	}
	return "it has expired at " + c.NotAfter.UTC().Format(time.RFC3339)
}

// namesOf returns the names of a certificate, at most maxNames of them.
func namesOf(c *x509.Certificate) string {
	var names []string
	for _, name := range c.DNSNames {
		names = append(names, strconv.Quote(name))
	}
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	switch {
	case len(names) == 0 && c.Subject.CommonName == "":
		return "no host"
	case len(names) == 0:
		return "no host (its common name, which does not count, is " + strconv.Quote(c.Subject.CommonName) + ")"
	case len(names) > maxNames:
		names = append(slices.Clone(names[:maxNames]), "others")
	}
	return strings.Join(names, " and ")
}
