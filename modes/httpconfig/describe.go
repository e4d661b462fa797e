package httpconfig

import (
	"net/url"
	"strings"

	"github.com/prometheus/common/config"
)

// Describe says in words who lets a client in, and what it trusts: no secret, and no name of a user.
func Describe(c config.HTTPClientConfig) string {
	var parts []string
	add := func(is bool, text string) {
		if is {
			parts = append(parts, text)
		}
	}
	add(c.BasicAuth != nil, "a user and a password (basic_auth)")
	if c.Authorization != nil {
		parts = append(parts, "a secret of the type "+c.Authorization.Type+" (authorization)")
	}
	if c.OAuth2 != nil {
		parts = append(parts, "tokens of "+issuerHost(c.OAuth2.TokenURL)+" (oauth2)")
	}
	add(c.TLSConfig.Cert != "", "a client certificate")
	add(c.HTTPHeaders != nil && len(c.HTTPHeaders.Headers) > 0, "headers of its own")
	if len(parts) == 0 {
		parts = append(parts, "nothing that shows who asks")
	}
	if c.TLSConfig.InsecureSkipVerify {
		parts = append(parts, "the server's certificate not verified (insecure_skip_verify)")
	} else {
		add(c.TLSConfig.CA != "", "authorities of its own")
	}
	if c.ProxyURL.URL != nil && c.ProxyURL.Host != "" {
		parts = append(parts, "through the proxy "+c.ProxyURL.Host)
	}
	add(!c.FollowRedirects, "no redirects")
	return strings.Join(parts, ", ")
}

// issuerHost returns the host of a URL, whose path and user may be secrets.
func issuerHost(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "a server"
	}
	return u.Host
}
