package files

import (
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"fodc/modes/logsink"
)

const (
	// maxSubjectBytes bounds the name of a certificate, as logs and labels show it.
	maxSubjectBytes = 128
	// maxCertificates bounds the certificates of a flag whose end is watched. A file may have those of all public authorities.
	maxCertificates = 16
)

// Certificate is one that expires.
type Certificate struct {
	// Flag is the flag of the file, without dashes.
	Flag string
	// Subject is what the certificate is for: its name.
	Subject  string
	NotAfter time.Time
}

// Certificates returns when the certificates of a flag's files expire, the first ones first, at most maxCertificates.
func Certificates(flag string, all []*x509.Certificate) []Certificate {
	list := make([]Certificate, 0, len(all))
	for _, c := range all {
		list = append(list, Certificate{Flag: flag, Subject: Subject(c), NotAfter: c.NotAfter})
	}
	slices.SortStableFunc(list, func(a, b Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
	return list[:min(len(list), maxCertificates)]
}

// Subject returns the name of a certificate for people: its common name, else its first other name, else its distinguished
// name. It is of a bounded length, and has no control characters.
func Subject(c *x509.Certificate) string {
	name := c.Subject.CommonName
	switch {
	case name != "":
	case len(c.DNSNames) > 0:
		name = c.DNSNames[0]
	case len(c.URIs) > 0:
		name = c.URIs[0].String()
	case len(c.IPAddresses) > 0:
		name = c.IPAddresses[0].String()
	default:
		name = c.Subject.String()
	}
	if name == "" {
		name = "serial " + c.SerialNumber.String()
	}
	name = logsink.Printable(name)
	return strings.ToValidUTF8(name[:min(len(name), maxSubjectBytes)], "")
}
