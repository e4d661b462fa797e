package httpconfig

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

func noLog() *log.Logger { return log.New(io.Discard, "", 0) }

// issuer is an OAuth2 issuer, and a server that lets in those who have its newest token.
type issuer struct {
	given  atomic.Int64
	answer func(w http.ResponseWriter, r *http.Request) bool // nil, or false: a token is given
}

func (i *issuer) token(w http.ResponseWriter, r *http.Request) {
	if i.answer != nil && i.answer(w, r) {
		return
	}
	if id, secret, _ := r.BasicAuth(); (id != "me" || secret != "planted") && r.FormValue("assertion") == "" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":"invalid_client","error_description":"not %s"}`, secret)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":60}`, i.given.Add(1))
}

func (i *issuer) node(r *http.Request) bool {
	return r.Header.Get("Authorization") == fmt.Sprintf("Bearer token-%d", i.given.Load())
}

func TestTokens(t *testing.T) {
	i := &issuer{}
	at, node := serve(t, i.token), serve(t, only(i.node))
	dir := t.TempDir()
	certtest.WriteFile(t, filepath.Join(dir, "secret"), []byte("planted\n"))
	client, err := clientOf(t, dir, "oauth2: {client_id: me, client_secret_file: secret, token_url: \""+at.URL+"\"}")
	require.NoError(t, err)
	ask := func(want int) {
		t.Helper()
		got, err := status(t, client, node.URL)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	ask(200)
	ask(200)
	require.EqualValues(t, 1, i.given.Load(), "a token is used until it expires")
	i.given.Add(1) // What was given is not accepted any more.
	ask(401)
	ask(200)
	require.EqualValues(t, 3, i.given.Load(), "what was refused is not used again")
}

// Errors of the issuer have its status, and nothing that it may have of the secret.
func TestNoToken(t *testing.T) {
	i := &issuer{}
	at, node := serve(t, i.token), serve(t, only(i.node))
	f := func(secret, want string) {
		t.Helper()
		client, err := clientOf(t, t.TempDir(), "oauth2: {client_id: me, client_secret: "+secret+", token_url: \""+at.URL+"/?key=planted\"}")
		require.NoError(t, err)
		_, err = status(t, client, node.URL)
		require.ErrorContains(t, err, "no token from the OAuth2 issuer "+at.Listener.Addr().String()+": "+want)
		require.NotContains(t, err.Error(), "planted")
		var is interface{ IsTokenError() }
		require.ErrorAs(t, err, &is)
	}
	f("planted-wrong", "it answered 401: invalid_client")
	i.answer = func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = io.WriteString(w, `{"x":"planted"}`)
		return true
	}
	f("planted", "its answer has no token")
	i.answer = func(w http.ResponseWriter, _ *http.Request) bool { _, _ = io.WriteString(w, `planted`); return true }
	f("planted", "its answer has no token")
	i.answer = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, "http://planted.invalid/", http.StatusTemporaryRedirect)
		return true
	}
	f("planted", "it answered 307")
	at.Close()
	f("planted", "dial: ")
}

// A key signs the request of a token.
func TestTokensForAKey(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	dir := t.TempDir()
	certtest.WriteFile(t, filepath.Join(dir, "key"), pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	i := &issuer{}
	at, node := serve(t, i.token), serve(t, only(i.node))
	text := "oauth2: {client_id: me, grant_type: \"urn:ietf:params:oauth:grant-type:jwt-bearer\", client_certificate_key_file: key, token_url: \"" + at.URL + "\"}"
	client, err := clientOf(t, dir, text)
	require.NoError(t, err)
	got, err := status(t, client, node.URL)
	require.NoError(t, err)
	require.Equal(t, 200, got)
	certtest.WriteFile(t, filepath.Join(dir, "key"), []byte("planted"))
	_, err = clientOf(t, dir, text)
	require.ErrorContains(t, err, "client_certificate_key is not an RSA key in PEM")
}

// sourceFunc gives tokens.
type sourceFunc func(ctx context.Context) (*oauth2.Token, error)

type source struct {
	ctx context.Context
	f   sourceFunc
}

func (f sourceFunc) TokenSource(ctx context.Context) oauth2.TokenSource { return source{ctx, f} }
func (s source) Token() (*oauth2.Token, error)                          { return s.f(s.ctx) }

// A token is renewed when it expires; an issuer that does not answer costs a request no more than its deadline.
func TestTokensInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		given, hangs := 0, false
		tr := &tokenTransport{host: "issuer", turn: make(chan struct{}, 1), source: sourceFunc(func(ctx context.Context) (*oauth2.Token, error) {
			if hangs {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			given++
			return &oauth2.Token{AccessToken: fmt.Sprint(given), Expiry: time.Now().Add(time.Minute)}, nil
		}), next: roundTripper(func(r *http.Request) (*http.Response, error) {
			require.Equal(t, fmt.Sprintf("Bearer %d", given), r.Header.Get("Authorization"))
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
		})}
		ask := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://node/", http.NoBody)
			require.NoError(t, err)
			resp, err := tr.RoundTrip(req)
			if err == nil {
				err = resp.Body.Close()
			}
			require.Empty(t, req.Header, "the caller's request stays as it is")
			return err
		}
		require.NoError(t, ask())
		time.Sleep(45 * time.Second)
		require.NoError(t, ask())
		require.Equal(t, 1, given)
		time.Sleep(6 * time.Second) // A token that expires in less than ten seconds is renewed.
		require.NoError(t, ask())
		require.Equal(t, 2, given)
		time.Sleep(time.Minute)
		hangs = true
		began := time.Now()
		others := make(chan error, 1)
		go func() { others <- ask() }()
		require.EqualError(t, ask(), "no token from the OAuth2 issuer issuer: no whole answer in time")
		require.Equal(t, 3*time.Second, time.Since(began))
		require.True(t, errors.Is(<-others, errNoAnswer))
		hangs = false
		require.NoError(t, ask())
	})
}
