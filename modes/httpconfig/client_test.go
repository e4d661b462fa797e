package httpconfig

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
)

// clientOf returns a client of a file with the text, in a directory with the other files.
func clientOf(t *testing.T, dir, text string) (*http.Client, error) {
	t.Helper()
	path := certtest.WriteFile(t, filepath.Join(dir, "http.yml"), []byte(text))
	c, _, err := Load(path, os.ReadFile)
	if err != nil {
		return nil, err
	}
	client, err := NewClient(c, &http.Transport{})
	if err == nil {
		t.Cleanup(client.CloseIdleConnections)
	}
	return client, err
}

func status(t *testing.T, client *http.Client, url string) (int, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, nil
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

// only answers requests of which the function says so, and 401 to others.
func only(allowed func(*http.Request) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !allowed(r) {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}
}

func TestClientsAreLetIn(t *testing.T) {
	dir := t.TempDir()
	certtest.WriteFile(t, filepath.Join(dir, "password"), []byte("planted-1\n"))
	certtest.WriteFile(t, filepath.Join(dir, "token"), []byte(" planted-2 \n"))
	f := func(text string, allowed func(*http.Request) bool) {
		t.Helper()
		server := serve(t, only(allowed))
		client, err := clientOf(t, dir, text)
		require.NoError(t, err)
		got, err := status(t, client, server.URL)
		require.NoError(t, err)
		require.Equal(t, 200, got)
		got, err = status(t, http.DefaultClient, server.URL)
		require.NoError(t, err)
		require.Equal(t, 401, got)
	}
	f("basic_auth: {username: u, password_file: password}", func(r *http.Request) bool {
		user, password, ok := r.BasicAuth()
		return ok && user == "u" && password == "planted-1"
	})
	bearer := func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer planted-2" }
	f("authorization: {credentials_file: token}", bearer)
	f("authorization: {credentials: planted-2}", bearer)
	f("bearer_token_file: token", bearer)
	f("authorization: {type: Key, credentials_file: token}", func(r *http.Request) bool { return r.Header.Get("Authorization") == "Key planted-2" })
	f("http_headers: {X-Key: {files: [token], values: [a]}}", func(r *http.Request) bool {
		return fmt.Sprint(r.Header["X-Key"]) == "[a planted-2]"
	})
}

// A server with a certificate of a private authority, that lets in those who have one, too.
func TestCertificates(t *testing.T) {
	ca, other := certtest.NewCA(t, "ours"), certtest.NewCA(t, "another")
	server := httptest.NewUnstartedServer(only(func(*http.Request) bool { return true }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, certtest.Leaf{DNS: []string{"node"}, Server: true}).TLS},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()}
	server.Config.ErrorLog = noLog()
	server.StartTLS()
	defer server.Close()
	dir := t.TempDir()
	ca.Write(t, dir, "ca")
	other.Write(t, dir, "another")
	ca.Issue(t, certtest.Leaf{Client: true}).Write(t, dir, "client")
	other.Issue(t, certtest.Leaf{Client: true}).Write(t, dir, "stranger")
	f := func(fields, want string) {
		t.Helper()
		client, err := clientOf(t, dir, "tls_config: {"+fields+"}")
		require.NoError(t, err)
		_, err = status(t, client, server.URL)
		if want == "" {
			require.NoError(t, err)
			return
		}
		require.ErrorContains(t, err, want)
	}
	own := "cert_file: client.crt, key_file: client.key"
	f("ca_file: ca.crt, server_name: node, "+own, "")
	f("insecure_skip_verify: true, "+own, "")
	f("ca_file: ca.crt, "+own, "certificate")
	f("ca_file: another.crt, server_name: node, "+own, "unknown authority")
	f("ca_file: ca.crt, server_name: node", "certificate required")
	f("ca_file: ca.crt, server_name: node, cert_file: stranger.crt, key_file: stranger.key", "certificate")
}

// What is wrong with a file or with those that it names is said by their names, and without what is in them.
func TestFilesThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	ca := certtest.NewCA(t, "ours")
	ca.Issue(t, certtest.Leaf{}).Write(t, dir, "a")
	ca.Issue(t, certtest.Leaf{}).Write(t, dir, "b")
	for name, content := range map[string]string{"empty": " \n", "two": "planted\nplanted\n", "text": "planted"} {
		certtest.WriteFile(t, filepath.Join(dir, name), []byte(content))
	}
	f := func(text, want string) {
		t.Helper()
		_, err := clientOf(t, dir, text)
		require.ErrorContains(t, err, fmt.Sprintf("%q: ", filepath.Join(dir, "http.yml")))
		require.ErrorContains(t, err, strings.ReplaceAll(want, "DIR", dir))
		require.NotContains(t, err.Error(), "planted")
		require.NotContains(t, err.Error(), "\n")
	}
	f("authorization: {credentials_file: absent}", "DIR/absent")
	f("authorization: {credentials_file: empty}", `"DIR/empty" is empty`)
	f("basic_auth: {username: u, password_file: two}", `"DIR/two" has more than one line`)
	f("http_headers: {X-Key: {files: [two]}}", `"DIR/two" has more than one line`)
	f("http_headers: {X-Key: {secrets: [\"planted\\nx\"]}}", `a secret of the header "X-Key"`)
	f("tls_config: {ca_file: text}", `"DIR/text" has no certificate`)
	f("tls_config: {ca: planted}", `tls_config: ca has no certificate`)
	f("tls_config: {cert_file: a.crt, key_file: b.key}", `"DIR/a.crt" and "DIR/b.key" are no certificate and its key`)
	f("tls_config: {cert_file: text, key_file: text}", `are no certificate and its key`)
	f("tls_config: {cert_file: a.crt}", `exactly one of key or key_file must be configured`)
	f("tls_config: {min_version: TLS13, max_version: TLS12}", `max_version is less than min_version`)
	f("basic_auth: {username: u, password_ref: planted}", "need a secret manager")
	f("proxy_url: planted:3128", "proxy_url must be http://HOST:PORT")
	f("oauth2: {client_id: a, token_url: planted}", "token_url is not a URL")
}

func TestRequestsGoThroughTheProxy(t *testing.T) {
	var asked []string
	proxy := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		user, _, _ := strings.Cut(r.Header.Get("Proxy-Authorization"), " ")
		asked = append(asked, r.URL.String()+" "+user)
	})
	client, err := clientOf(t, t.TempDir(), "proxy_url: "+strings.Replace(proxy.URL, "http://", "http://u:planted@", 1))
	require.NoError(t, err)
	got, err := status(t, client, "http://node.invalid/metrics")
	require.NoError(t, err)
	require.Equal(t, 200, got)
	require.Equal(t, []string{"http://node.invalid/metrics Basic"}, asked)
}

// What lets the client in is not sent to another host.
func TestRedirects(t *testing.T) {
	stranger := serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("another host was asked: %v", r.Header) })
	mux := http.NewServeMux()
	server := serve(t, mux.ServeHTTP)
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, stranger.URL, http.StatusFound) })
	mux.HandleFunc("/there", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/here", http.StatusFound) })
	mux.HandleFunc("/round", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/round", http.StatusFound) })
	mux.HandleFunc("/here", only(func(r *http.Request) bool { return r.Header.Get("Authorization") != "" && r.Header.Get("X-Key") != "" }))
	text := "authorization: {credentials: planted}\nhttp_headers: {X-Key: {secrets: [planted]}}\n"
	client, err := clientOf(t, t.TempDir(), text)
	require.NoError(t, err)
	_, err = status(t, client, server.URL+"/away")
	require.ErrorContains(t, err, "a redirect to another host, which is not followed: from "+server.URL+" to "+stranger.URL)
	_, err = status(t, client, server.URL+"/round")
	require.ErrorContains(t, err, "too many redirects: at most 5 are followed")
	got, err := status(t, client, server.URL+"/there")
	require.NoError(t, err)
	require.Equal(t, 200, got)
	client, err = clientOf(t, t.TempDir(), text+"follow_redirects: false\n")
	require.NoError(t, err)
	got, err = status(t, client, server.URL+"/there")
	require.NoError(t, err)
	require.Equal(t, 302, got)
}
