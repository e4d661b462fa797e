package httpconfig

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/config"
)

// ReadFile returns what is in a file. The error names the file.
type ReadFile func(path string) ([]byte, error)

// errReference is of a field for which Prometheus has a secret manager.
var errReference = errors.New("fields that end in _ref need a secret manager: name a file instead")

// Inline replaces the names of files by what is in them. Relative names are relative to dir. It returns the certificates.
func Inline(c *config.HTTPClientConfig, dir string, read ReadFile) ([]*x509.Certificate, error) {
	c.SetDirectory(dir)
	in := &inliner{read: read}
	in.proxy(&c.ProxyConfig)
	if a := c.BasicAuth; a != nil {
		in.refuse(a.UsernameRef, a.PasswordRef)
		in.text(&a.Username, &a.UsernameFile)
		in.secret(&a.Password, &a.PasswordFile)
	}
	if a := c.Authorization; a != nil {
		in.refuse(a.CredentialsRef)
		in.secret(&a.Credentials, &a.CredentialsFile)
	}
	if o := c.OAuth2; o != nil {
		o.ClientCertificateKeyFile = config.JoinDir(dir, o.ClientCertificateKeyFile) // SetDirectory forgets it.
		in.refuse(o.ClientSecretRef, o.ClientCertificateKeyRef)
		in.secret(&o.ClientSecret, &o.ClientSecretFile)
		in.pem((*string)(&o.ClientCertificateKey), &o.ClientCertificateKeyFile)
		in.tls(&o.TLSConfig)
		in.proxy(&o.ProxyConfig)
		in.issuer(o)
	}
	if c.HTTPHeaders != nil {
		in.headers(c.HTTPHeaders)
	}
	in.tls(&c.TLSConfig)
	return in.certificates, in.err
}

// inliner reads files until one has an error.
type inliner struct {
	read         ReadFile
	certificates []*x509.Certificate
	err          error
}

func (in *inliner) fail(format string, args ...any) {
	if in.err == nil {
		in.err = fmt.Errorf(format, args...)
	}
}

func (in *inliner) refuse(references ...string) {
	for _, r := range references {
		if r != "" {
			in.fail("%w", errReference)
		}
	}
}

func (in *inliner) content(path string) []byte {
	if in.err != nil {
		return nil
	}
	content, err := in.read(path)
	if err != nil {
		in.fail("%w", err)
	}
	return content
}

// line returns the one line of a file: white space at its ends does not count.
func (in *inliner) line(path string) string {
	text := strings.TrimSpace(string(in.content(path)))
	switch {
	case text == "":
		in.fail("%q is empty", path)
	case strings.ContainsFunc(text, isControl):
		in.fail("%q has more than one line, or a control character in it", path)
	}
	return text
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func (in *inliner) text(value, file *string) {
	if *file != "" {
		*value, *file = in.line(*file), ""
	}
}

func (in *inliner) secret(value *config.Secret, file *string) { in.text((*string)(value), file) }

func (in *inliner) pem(value, file *string) {
	if *file != "" {
		*value, *file = string(in.content(*file)), ""
	}
}

func (in *inliner) headers(h *config.Headers) {
	for name, of := range h.Headers {
		for _, path := range of.Files {
			of.Secrets = append(of.Secrets, config.Secret(in.line(path)))
		}
		of.Files = nil
		h.Headers[name] = of
		for _, s := range of.Secrets {
			if strings.ContainsFunc(string(s), isControl) {
				in.fail("a secret of the header %q has more than one line, or a control character in it", name)
			}
		}
	}
}

// proxy checks a URL of a proxy, which has a password in it often.
func (in *inliner) proxy(c *config.ProxyConfig) {
	if u := c.ProxyURL.URL; u != nil && u.String() != "" && (u.Host == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme)) {
		in.fail("proxy_url must be http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT")
	}
}

// issuer checks what a request of a token is made of.
func (in *inliner) issuer(o *config.OAuth2) {
	if in.err == nil {
		if _, err := newTokenTransport(o, nil); err != nil {
			in.fail("oauth2: %w", err)
		}
	}
}

// tls reads the files of a TLS configuration, and checks them.
func (in *inliner) tls(c *config.TLSConfig) {
	in.refuse(c.CARef, c.CertRef, c.KeyRef)
	ca, cert, key := inlineOr(c.CAFile, "ca"), inlineOr(c.CertFile, "cert"), inlineOr(c.KeyFile, "key")
	in.pem(&c.CA, &c.CAFile)
	in.pem(&c.Cert, &c.CertFile)
	in.pem((*string)(&c.Key), &c.KeyFile)
	if in.err != nil {
		return
	}
	if c.CA != "" {
		all := certificatesOf(c.CA)
		if len(all) == 0 {
			in.fail("%s has no certificate", ca)
		}
		in.certificates = append(in.certificates, all...)
	}
	if c.Cert != "" {
		pair, err := tls.X509KeyPair([]byte(c.Cert), []byte(c.Key))
		if err != nil {
			in.fail("%s and %s are no certificate and its key: %w", cert, key, err)
			return
		}
		in.certificates = append(in.certificates, pair.Leaf)
	}
	if c.MinVersion != 0 && c.MaxVersion != 0 && c.MaxVersion < c.MinVersion {
		in.fail("tls_config: max_version is less than min_version")
	}
}

func inlineOr(path, field string) string {
	if path == "" {
		return "tls_config: " + field
	}
	return fmt.Sprintf("%q", path)
}

// certificatesOf returns the certificates of a text in PEM.
func certificatesOf(text string) (all []*x509.Certificate) {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return all
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" && !slices.ContainsFunc(all, c.Equal) {
			all = append(all, c)
		}
	}
}
