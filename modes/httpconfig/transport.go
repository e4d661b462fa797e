package httpconfig

import (
	"fmt"
	"net/http"

	"github.com/prometheus/common/config"
)

// NewTransport returns a transport that sends requests as the configuration says, which Inline has completed. base has
// the limits; it is changed.
func NewTransport(c config.HTTPClientConfig, base *http.Transport) (http.RoundTripper, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := prepare(base, &c.TLSConfig, &c.ProxyConfig); err != nil {
		return nil, err
	}
	base.ForceAttemptHTTP2 = c.EnableHTTP2
	if !c.EnableHTTP2 {
		base.Protocols = new(http.Protocols)
		base.Protocols.SetHTTP1(true)
	}
	var t http.RoundTripper = base
	if a := c.Authorization; a != nil {
		t = config.NewAuthorizationCredentialsRoundTripper(a.Type, inline(a.Credentials), t)
	}
	if a := c.BasicAuth; a != nil {
		t = config.NewBasicAuthRoundTripper(inline(config.Secret(a.Username)), inline(a.Password), t)
	}
	if c.OAuth2 != nil {
		tokens, err := newTokenTransport(c.OAuth2, t)
		if err != nil {
			return nil, fmt.Errorf("oauth2: %w", err)
		}
		t = tokens
	}
	if c.HTTPHeaders != nil {
		t = config.NewHeadersRoundTripper(c.HTTPHeaders, t)
	}
	return t, nil
}

func inline(s config.Secret) config.SecretReader { return config.NewInlineSecret(string(s)) }

func prepare(t *http.Transport, c *config.TLSConfig, proxy *config.ProxyConfig) (err error) {
	t.TLSClientConfig, err = config.NewTLSConfig(c)
	t.Proxy, t.ProxyConnectHeader = proxy.Proxy(), proxy.GetProxyConnectHeader()
	return err
}

// NewClient returns a client that sends requests as the configuration says, which Inline has completed. base has the
// limits; it is changed. The client follows redirects within a host alone.
func NewClient(c config.HTTPClientConfig, base *http.Transport) (*http.Client, error) {
	t, err := NewTransport(c, base)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: t, CheckRedirect: redirects(c.FollowRedirects)}, nil
}
