package webconfig

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"fodc/modes/files"

	"github.com/prometheus/common/config"
	"github.com/prometheus/exporter-toolkit/web"
)

// madeTLS is what becomes of the settings of TLS.
type madeTLS struct {
	config       *tls.Config
	certificates []files.Certificate
	// verifyClient is nil where a client's certificate is not verified, or by authorities that are not in the file.
	verifyClient        func(certs []*x509.Certificate, now time.Time) error
	certificateRequired bool
}

func makeTLS(c *web.Config, r *files.Reader, now time.Time) (made madeTLS, err error) {
	t := c.TLSConfig
	if err := inline(&t, r); err != nil {
		return made, err
	}
	if err := checkPair(t, now); err != nil {
		return made, fmt.Errorf("%s%w", placeOf(c.TLSConfig), err)
	}
	cfg, err := web.ConfigToTLSConfig(&t)
	if err != nil {
		return made, err
	}
	own, err := cfg.GetCertificate(nil)
	if err != nil {
		return made, err
	}
	made.certificates = files.Certificates(Flag, []*x509.Certificate{own.Leaf})
	// The toolkit would parse it for each connection.
	cfg.GetCertificate, cfg.Certificates = nil, []tls.Certificate{*own}
	cfg.NextProtos = []string{"http/1.1"}
	if c.HTTPConfig.HTTP2 {
		cfg.NextProtos = []string{"h2", "http/1.1"}
	}
	checkSANs := cfg.VerifyPeerCertificate
	if checkSANs != nil {
		cfg.VerifyPeerCertificate = func(raw [][]byte, chains [][]*x509.Certificate) error {
			if len(raw) == 0 { // There need not be one, and the toolkit's function needs one.
				return nil
			}
			return checkSANs(raw, chains)
		}
	}
	if t.ClientCAsText != "" && cfg.ClientAuth >= tls.VerifyClientCertIfGiven {
		made.verifyClient, made.certificateRequired = clientVerifier(cfg), cfg.ClientAuth == tls.RequireAndVerifyClientCert
	}
	made.config = cfg
	return made, nil
}

// inline reads the files, and puts what is in them into the place where it may stand in the configuration itself.
func inline(t *web.TLSConfig, r *files.Reader) error {
	for _, f := range []struct {
		what, path string
		put        func(string)
	}{
		{"cert_file", t.TLSCertPath, func(s string) { t.TLSCert, t.TLSCertPath = s, "" }},
		{"key_file", t.TLSKeyPath, func(s string) { t.TLSKey, t.TLSKeyPath = config.Secret(s), "" }},
		{"client_ca_file", t.ClientCAs, func(s string) { t.ClientCAsText, t.ClientCAs = s, "" }},
	} {
		if f.path == "" {
			continue
		}
		content, err := r.Read(f.path)
		if err != nil {
			return fmt.Errorf("%s: %w", f.what, err)
		}
		switch {
		case len(content) == 0:
			return fmt.Errorf("%s: %q is empty", f.what, f.path)
		case isCut(content):
			return fmt.Errorf("%s: %q is cut short, or broken: a block of PEM has no end", f.what, f.path)
		}
		f.put(string(content))
	}
	if t.ClientCAsText != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(t.ClientCAsText)) {
		return errors.New("client_ca_file or client_ca has no certificate in PEM")
	}
	return nil
}

// isCut reports whether what is in a file ends within a block of PEM. Libraries would pass over such a block, and with it over an
// authority.
func isCut(content []byte) bool {
	for {
		block, rest := pem.Decode(content)
		if block == nil {
			return bytes.Contains(rest, []byte("-----BEGIN"))
		}
		content = rest
	}
}

// checkPair checks the server's own certificate. What is missing is for the toolkit to say.
func checkPair(t web.TLSConfig, now time.Time) error {
	if t.TLSCert == "" || t.TLSKey == "" {
		return nil
	}
	own, err := tls.X509KeyPair([]byte(t.TLSCert), []byte(t.TLSKey))
	if err != nil {
		return err
	}
	return checkTime(own.Leaf, now)
}

// placeOf says for an error in which files the certificate and its key are, unless they are in the configuration itself.
func placeOf(t web.TLSConfig) (text string) {
	if t.TLSCertPath != "" {
		text = fmt.Sprintf("cert_file %q", t.TLSCertPath)
	}
	if t.TLSKeyPath != "" {
		text = strings.TrimPrefix(fmt.Sprintf("%s, key_file %q", text, t.TLSKeyPath), ", ")
	}
	if text != "" {
		text += ": "
	}
	return text
}

// clientVerifier checks a client's certificate as the handshake does.
func clientVerifier(cfg *tls.Config) func([]*x509.Certificate, time.Time) error {
	return func(certs []*x509.Certificate, now time.Time) error {
		o := x509.VerifyOptions{Roots: cfg.ClientCAs, CurrentTime: now, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
		for _, c := range certs[1:] {
			o.Intermediates.AddCert(c)
		}
		chains, err := certs[0].Verify(o)
		if err != nil || cfg.VerifyPeerCertificate == nil {
			return err
		}
		return cfg.VerifyPeerCertificate([][]byte{certs[0].Raw}, chains)
	}
}

func checkTime(c *x509.Certificate, now time.Time) error {
	switch {
	case now.Before(c.NotBefore):
		return fmt.Errorf("the certificate of %q is not valid before %s", files.Subject(c), c.NotBefore.UTC().Format(time.RFC3339))
	case now.After(c.NotAfter):
		return fmt.Errorf("the certificate of %q has expired at %s", files.Subject(c), c.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}
