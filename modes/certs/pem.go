package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"fodc/modes/files"
)

// parse returns the certificates of a file, of which there is at least one.
func parse(path string, text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d in %q cannot be read: %w", len(all)+1, path, err)
		}
		all = append(all, c)
	}
	switch {
	case bytes.Contains(text, []byte("-----BEGIN")):
		return nil, fmt.Errorf("%q is cut short, or broken: a block of PEM has no end", path)
	case len(all) == 0:
		return nil, fmt.Errorf("%q has no certificate in PEM", path)
	}
	return all, nil
}

// checkKey says what a file has instead of a key that can be used; empty: it has a key. No text of the file is shown.
func checkKey(text []byte) (why string) {
	certificates := 0
	for {
		block, rest := pem.Decode(text)
		switch {
		case block == nil && bytes.Contains(text, []byte("-----BEGIN")):
			return "is cut short, or broken: a block of PEM has no end"
		case block == nil && certificates > 0:
			return "has certificates, and no key"
		case block == nil:
			return "has no key in PEM"
		case block.Type == "ENCRYPTED PRIVATE KEY", strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return "has a key that is encrypted with a passphrase, and must have one that is not"
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return ""
		case block.Type == "CERTIFICATE":
			certificates++
		}
		text = rest
	}
}

// isAuthority reports whether others can trust what the certificate has issued, or the certificate itself as it has issued
// itself.
func isAuthority(c *x509.Certificate) bool {
	issuedItself := bytes.Equal(c.RawIssuer, c.RawSubject)
	mayIssue := c.KeyUsage == 0 || c.KeyUsage&x509.KeyUsageCertSign != 0
	return issuedItself || c.BasicConstraintsValid && c.IsCA && mayIssue
}

// checkTime returns an error unless the certificate is valid now.
func checkTime(path string, c *x509.Certificate, now time.Time) error {
	switch {
	case now.After(c.NotAfter):
		return fmt.Errorf("the certificate of %q in %q has expired at %s", files.Subject(c), path, c.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(c.NotBefore):
		return fmt.Errorf("the certificate of %q in %q is not valid before %s", files.Subject(c), path, c.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}
