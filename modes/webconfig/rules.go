package webconfig

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/crypto/bcrypt"
)

// Limits of users. A hash of cost 18 takes seconds, and each step doubles that.
const (
	maxUsers     = 1000
	maxNameBytes = 128
	maxCost      = 18
)

// headers are those that may be set, with the values that are allowed; none: any.
var headers = map[string][]string{
	"Strict-Transport-Security": nil,
	"X-Content-Type-Options":    {"nosniff"},
	"X-Frame-Options":           {"deny", "sameorigin"},
	"X-XSS-Protection":          nil,
	"Content-Security-Policy":   nil,
}

func checkRules(c *web.Config) error {
	return cmp.Or(checkHeaders(c.HTTPConfig.Header), checkLimit(c.RateLimiterConfig), checkCiphers(c))
}

func checkHeaders(set map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(set)) {
		values, known := headers[name]
		switch {
		case !known:
			return fmt.Errorf("headers: %q is not one of %s", name, strings.Join(slices.Sorted(maps.Keys(headers)), ", "))
		case len(values) > 0 && !slices.Contains(values, set[name]):
			return fmt.Errorf("headers: %s is %q: allowed is %s", name, set[name], strings.Join(values, " or "))
		case strings.ContainsFunc(set[name], func(c rune) bool { return c < ' ' || c == 0x7f }):
			return fmt.Errorf("headers: %s: one line without control characters is allowed", name)
		}
	}
	return nil
}

func checkLimit(c web.RateLimiterConfig) error {
	if c.Interval < 0 || c.Burst < 0 {
		return errors.New("rate_limit: interval and burst are at least 0")
	}
	return nil
}

// checkCiphers refuses ciphers without one that HTTP/2 needs, as the toolkit does.
func checkCiphers(c *web.Config) error {
	t := c.TLSConfig
	switch {
	case t.MinVersion > t.MaxVersion:
		return errors.New("tls_server_config: min_version is above max_version")
	case !c.HTTPConfig.HTTP2 || len(t.CipherSuites) == 0 || t.MinVersion >= tls.VersionTLS13:
		return nil
	case slices.Contains(t.CipherSuites, web.Cipher(tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)),
		slices.Contains(t.CipherSuites, web.Cipher(tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)):
		return nil
	}
	return errors.New("tls_server_config: cipher_suites: HTTP/2 needs TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 or TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256; without them, http2 must be false")
}

// usersOf returns the hashes of the users, which have been checked as far as that can be done without a password.
func usersOf(c *web.Config) (map[string][]byte, error) {
	if len(c.Users) > maxUsers {
		return nil, fmt.Errorf("basic_auth_users: there are %d, at most %d are allowed", len(c.Users), maxUsers)
	}
	users := make(map[string][]byte, len(c.Users))
	for _, name := range slices.Sorted(maps.Keys(c.Users)) {
		hash := []byte(c.Users[name])
		cost, err := bcrypt.Cost(hash)
		switch {
		case len(name) > maxNameBytes || name == "" || strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == 0x7f || c == ':' }):
			return nil, fmt.Errorf("basic_auth_users: the name of a user has 1 to %d bytes, without control characters and colons", maxNameBytes)
		case err != nil:
			return nil, fmt.Errorf("basic_auth_users: %q: the password must be a hash of bcrypt, such as htpasswd -nBC 10 prints", name)
		case cost > maxCost:
			return nil, fmt.Errorf("basic_auth_users: %q: the hash has the cost %d, at most %d is allowed", name, cost, maxCost)
		}
		users[name] = hash
	}
	return users, nil
}
