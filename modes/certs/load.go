package certs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"fodc/modes/files"
)

// maxTokenBytes bounds a token.
const maxTokenBytes = 4096

// File is the file of a flag.
type File struct {
	// Flag has no dashes.
	Flag, Path string
}

// Pair loads a certificate, with those between it and its authority behind it, and its key. The certificate must be valid.
func Pair(cert, key File) files.Load[*tls.Certificate] {
	return func(r *files.Reader, now time.Time) (files.Loaded[*tls.Certificate], error) {
		var none files.Loaded[*tls.Certificate]
		certPEM, certErr := r.Read(cert.Path)
		keyPEM, keyErr := r.Read(key.Path) // Both are read whatever comes: a change of either is one.
		if certErr != nil {
			return none, certErr
		}
		if keyErr != nil {
			return none, fmt.Errorf("its key, of --%s: %w", key.Flag, keyErr)
		}
		chain, err := parse(cert.Path, certPEM)
		if err != nil {
			return none, err
		}
		if why := checkKey(keyPEM); why != "" {
			return none, fmt.Errorf("its key, of --%s: %q %s", key.Flag, key.Path, why)
		}
		pair, err := tls.X509KeyPair(certPEM, keyPEM)
		if err != nil {
			return none, fmt.Errorf("the key of --%s in %q does not fit the certificate in %q: %s", key.Flag, key.Path, cert.Path,
				strings.TrimPrefix(err.Error(), "tls: "))
		}
		if err := checkTime(cert.Path, chain[0], now); err != nil {
			return none, err
		}
		return files.Loaded[*tls.Certificate]{Value: &pair, Certificates: files.Certificates(cert.Flag, chain)}, nil
	}
}

// Pool loads the certificates of authorities, of which at least one must be valid. Those that have expired trust nobody,
// and their end is not watched.
func Pool(file File) files.Load[*x509.CertPool] {
	return func(r *files.Reader, now time.Time) (files.Loaded[*x509.CertPool], error) {
		text, err := r.Read(file.Path)
		if err != nil {
			return files.Loaded[*x509.CertPool]{}, err
		}
		all, err := parse(file.Path, text)
		if err != nil {
			return files.Loaded[*x509.CertPool]{}, err
		}
		if !slices.ContainsFunc(all, isAuthority) {
			return files.Loaded[*x509.CertPool]{}, fmt.Errorf("%q has the certificate of %q, and none of an authority: "+
				"that of the one that has issued it belongs here", file.Path, files.Subject(all[0]))
		}
		pool := x509.NewCertPool()
		for _, c := range all {
			pool.AddCert(c)
		}
		valid := slices.DeleteFunc(slices.Clone(all), func(c *x509.Certificate) bool { return checkTime(file.Path, c, now) != nil })
		if len(valid) == 0 {
			return files.Loaded[*x509.CertPool]{}, checkTime(file.Path, all[0], now)
		}
		return files.Loaded[*x509.CertPool]{Value: pool, Certificates: files.Certificates(file.Flag, valid)}, nil
	}
}

// Token loads a secret of one line. Errors do not show it.
func Token(file File) files.Load[string] {
	return func(r *files.Reader, _ time.Time) (files.Loaded[string], error) {
		text, err := r.Read(file.Path)
		if err != nil {
			return files.Loaded[string]{}, err
		}
		token := strings.TrimSpace(string(text))
		switch {
		case token == "":
			return files.Loaded[string]{}, fmt.Errorf("%q is empty", file.Path)
		case len(token) > maxTokenBytes:
			return files.Loaded[string]{}, fmt.Errorf("the token in %q has more than %d bytes", file.Path, maxTokenBytes)
		case strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' }):
			return files.Loaded[string]{}, fmt.Errorf("%q has more than a token: white space, or what is not ASCII", file.Path)
		}
		return files.Loaded[string]{Value: token}, nil
	}
}
