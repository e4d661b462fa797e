package httpconfig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/common/config"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const (
	// tokenTimeout bounds the request of a token, beside the deadline of the request that it is for.
	tokenTimeout = 10 * time.Second
	// maxTokenHeader bounds the header of the answer with a token. The library bounds its body.
	maxTokenHeader = 64 << 10
	idleIssuer     = 10 * time.Second
)

// jwtGrant is the grant type for which a key signs the request of a token.
const jwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// TokenError says why there is no token.
type TokenError struct{ error }

// IsTokenError marks the error for those who cannot import this package.
func (TokenError) IsTokenError() {}

func (e TokenError) Unwrap() error { return e.error }

// tokenTransport adds an OAuth2 token to each request. It is used for requests that have a deadline: while the issuer
// does not answer, they end by it.
type tokenTransport struct {
	next, issuer http.RoundTripper
	source       interface {
		TokenSource(ctx context.Context) oauth2.TokenSource
	}
	host string // of the issuer

	turn  chan struct{} // who has it may use token
	token *oauth2.Token
}

func newTokenTransport(o *config.OAuth2, next http.RoundTripper) (*tokenTransport, error) {
	at, err := url.Parse(o.TokenURL)
	if err != nil || at.Host == "" {
		return nil, errors.New("token_url is not a URL")
	}
	issuer := &http.Transport{DialContext: (&net.Dialer{}).DialContext, MaxResponseHeaderBytes: maxTokenHeader,
		MaxIdleConnsPerHost: 1, IdleConnTimeout: idleIssuer}
	if err := prepare(issuer, &o.TLSConfig, &o.ProxyConfig); err != nil {
		return nil, err
	}
	t := &tokenTransport{next: next, issuer: issuer, host: at.Host, turn: make(chan struct{}, 1)}
	params := url.Values{}
	for name, value := range o.EndpointParams {
		params.Set(name, value)
	}
	if o.GrantType != jwtGrant {
		t.source = &clientcredentials.Config{ClientID: o.ClientID, ClientSecret: string(o.ClientSecret), Scopes: o.Scopes,
			TokenURL: o.TokenURL, EndpointParams: params}
		return t, nil
	}
	signer := &config.JwtGrantTypeConfig{PrivateKey: []byte(o.ClientCertificateKey), PrivateKeyID: o.ClientCertificateKeyID,
		Scopes: o.Scopes, TokenURL: o.TokenURL, SigningAlgorithm: jwt.SigningMethodRS256, Iss: o.Iss, Subject: o.ClientID,
		Audience: o.Audience, PrivateClaims: o.Claims, EndpointParams: params}
	if signer.Iss == "" {
		signer.Iss = o.ClientID
	}
	switch o.SignatureAlgorithm {
	case "RS384":
		signer.SigningAlgorithm = jwt.SigningMethodRS384
	case "RS512":
		signer.SigningAlgorithm = jwt.SigningMethodRS512
	}
	if _, err := jwt.ParseRSAPrivateKeyFromPEM(signer.PrivateKey); err != nil {
		return nil, errors.New("client_certificate_key is not an RSA key in PEM")
	}
	t.source = signer
	return t, nil
}

// RoundTrip sends the request with a token. A token that is refused is not used again.
func (t *tokenTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := t.current(req.Context())
	if err != nil {
		return nil, TokenError{fmt.Errorf("no token from the OAuth2 issuer %s: %w", t.host, err)}
	}
	with := req.Clone(req.Context())
	token.SetAuthHeader(with)
	resp, err := t.next.RoundTrip(with)
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		t.drop(req.Context(), token)
	}
	return resp, err
}

// current returns a token that is valid, a new one if need be.
func (t *tokenTransport) current(ctx context.Context) (*oauth2.Token, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return nil, errNoAnswer
	}
	if t.token.Valid() {
		return t.token, nil
	}
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	client := &http.Client{
		// Not all grants pass the context on to their request.
		Transport:     roundTripper(func(r *http.Request) (*http.Response, error) { return t.issuer.RoundTrip(r.WithContext(ctx)) }),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	token, err := t.source.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, client)).Token()
	switch {
	case ctx.Err() != nil && err != nil:
		return nil, errNoAnswer
	case err != nil:
		return nil, withoutSecrets(err)
	}
	t.token = token
	return token, nil
}

// drop forgets a token.
func (t *tokenTransport) drop(ctx context.Context, token *oauth2.Token) {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	if t.token == token {
		t.token = nil
	}
	<-t.turn
}

// CloseIdleConnections closes connections that nobody uses.
func (t *tokenTransport) CloseIdleConnections() {
	for _, of := range []http.RoundTripper{t.next, t.issuer} {
		if c, ok := of.(interface{ CloseIdleConnections() }); ok {
			c.CloseIdleConnections()
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

var (
	errNoAnswer = errors.New("no whole answer in time")
	// errorCode is what an issuer may say of an error that is shown.
	errorCode = regexp.MustCompile(`^[a-z_]{1,40}$`)
)

// withoutSecrets returns an error of the library without what the issuer has said: it may be the secret.
func withoutSecrets(err error) error {
	var refused *oauth2.RetrieveError
	var of *url.Error
	var op *net.OpError
	switch {
	case errors.As(err, &refused) && refused.Response != nil:
		text := fmt.Sprintf("it answered %d", refused.Response.StatusCode)
		if errorCode.MatchString(refused.ErrorCode) {
			text += ": " + refused.ErrorCode
		}
		return errors.New(text)
	case errors.As(err, &op):
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	case errors.As(err, &of):
		return of.Err
	default:
		return errors.New("its answer has no token")
	}
}
