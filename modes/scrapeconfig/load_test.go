package scrapeconfig

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fodc/actors/agent"
	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
)

const (
	one = "http://node:2121/metrics"
	two = "https://node:2122/metrics?a=b&token=planted-0"
)

func load(t *testing.T, dir, text string) (*Config, error) {
	t.Helper()
	path := certtest.WriteFile(t, filepath.Join(dir, "scrape.yml"), []byte(text))
	c, _, err := Load(path, []string{one, two}, os.ReadFile)
	return c, err
}

// shown is the settings as a text, without the transport.
func shown(s *agent.EndpointSettings) string {
	return fmt.Sprintf("%s redirects=%v honor=%v %d %d %d", s.URL, !s.NoRedirects, s.HonorLabels, s.SampleLimit, s.LabelLimit, s.BodyLimit)
}

func TestSettingsOfEndpoints(t *testing.T) {
	f := func(text, wantOne, wantTwo string) {
		t.Helper()
		c, err := load(t, t.TempDir(), text)
		require.NoError(t, err)
		require.Equal(t, wantOne, shown(c.Settings(one)))
		require.Equal(t, wantTwo, shown(c.Settings(two)))
		require.Nil(t, c.Settings("http://other/"))
	}
	f("", one+" redirects=true honor=false 0 0 0", two+" redirects=true honor=false 0 0 0")
	f("# nothing\n", one+" redirects=true honor=false 0 0 0", two+" redirects=true honor=false 0 0 0")
	all := "scheme: https\nparams: {a: [c, d], x: [y z]}\nhonor_labels: true\nsample_limit: 5\nlabel_limit: 6\nbody_size_limit: 10MB\nfollow_redirects: false\n"
	f(all, "https://node:2121/metrics?a=c&a=d&x=y+z redirects=false honor=true 5 6 10485760",
		"https://node:2122/metrics?a=c&a=d&token=planted-0&x=y+z redirects=false honor=true 5 6 10485760")
	f(all+"endpoints:\n- url: "+one+"\n  sample_limit: 7\n", one+" redirects=true honor=false 7 0 0",
		"https://node:2122/metrics?a=c&a=d&token=planted-0&x=y+z redirects=false honor=true 5 6 10485760")
	f("endpoints:\n- {url: \""+two+"\", body_size_limit: 0}\n", one+" redirects=true honor=false 0 0 0", two+" redirects=true honor=false 0 0 0")
}

func TestFaultsOfTheFile(t *testing.T) {
	dir := t.TempDir()
	f := func(text, want string) {
		t.Helper()
		_, err := load(t, dir, text)
		require.EqualError(t, err, fmt.Sprintf("%q: %s", filepath.Join(dir, "scrape.yml"), want))
	}
	f("sample_limits: 1", `line 1: unknown field "sample_limits"`)
	f("endpoints:\n- url: "+one+"\n  basic_aut: {password: planted}", `line 3: unknown field "basic_aut"`)
	f("endpoints:\n- url: "+one+"\n  basic_auth: {passwd: planted}", `line 3: unknown field "passwd"`)
	f("endpoints:\n- url: "+one+"\n  basic_auth: {username: a, password=planted}", `line 3: unknown field "password"`)
	f("endpoints:\n- url: "+one+"\n  basic_auth: {username: a, 'password planted'}", `line 3: unknown field`)
	f("sample_limit: -1", `line 1: a whole number of 0 or more is needed here`)
	f("sample_limit: planted", `line 1: a whole number of 0 or more is needed here`)
	f("body_size_limit: 10", `body_size_limit must be a size with a unit, such as 10MB, or 0 for none, and is "10"`)
	f("scheme: ftp", `scheme must be http or https`)
	f("params: {a: b}", `line 1: a list is needed here`)
	f("endpoints:\n- sample_limit: 1", `an entry of endpoints has no url`)
	f("endpoints:\n- url: http://other/?token=planted", `the url "http://other/?token=***" is none of --metrics-endpoint`)
	f("endpoints:\n- url: "+one+"\n- url: "+one, `the url "`+one+`" is there twice`)
	f("endpoints:\n- url: "+one+"\n  bearer_token: a\n  basic_auth: {username: a}", `at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured`)
	f("endpoints:\n- url: "+one+"\n  endpoints: []", `line 3: unknown field "endpoints"`)
	f("url: "+one, `line 1: unknown field "url"`)
}

// An endpoint gets what lets in of its own entry alone.
func TestEndpointsHaveTheirOwnSecrets(t *testing.T) {
	got := map[string]string{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got[r.URL.Path] = strings.TrimSpace(r.Header.Get("Authorization") + " " + r.Header.Get("X-Key"))
	}))
	defer server.Close()
	dir := t.TempDir()
	certtest.WriteFile(t, filepath.Join(dir, "token"), []byte("b\n"))
	path := certtest.WriteFile(t, filepath.Join(dir, "scrape.yml"), []byte("authorization: {credentials: a}\nendpoints:\n"+
		"- {url: "+server.URL+"/b, authorization: {credentials_file: token}}\n- {url: "+server.URL+"/c, http_headers: {X-Key: {values: [c]}}}\n"))
	urls := []string{server.URL + "/a", server.URL + "/b", server.URL + "/c"}
	c, _, err := Load(path, urls, os.ReadFile)
	require.NoError(t, err)
	defer c.Close()
	for _, u := range urls {
		s := c.Settings(u)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, http.NoBody)
		require.NoError(t, err)
		resp, err := s.Transport.RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	require.Equal(t, map[string]string{"/a": "Bearer a", "/b": "Bearer b", "/c": "c"}, got)
}

// The certificates are returned, so that somebody is warned before they expire; each once.
func TestCertificatesAreReturned(t *testing.T) {
	dir := t.TempDir()
	ca := certtest.NewCA(t, "ours")
	ca.Write(t, dir, "ca")
	ca.Issue(t, certtest.Leaf{CN: "agent", Client: true}).Write(t, dir, "agent")
	tls := "tls_config: {ca_file: ca.crt, cert_file: agent.crt, key_file: agent.key}"
	path := certtest.WriteFile(t, filepath.Join(dir, "scrape.yml"), []byte(tls+"\nendpoints:\n- {url: "+one+", "+tls+"}\n"))
	_, certificates, err := Load(path, []string{one, two}, os.ReadFile)
	require.NoError(t, err)
	var names []string
	for _, c := range certificates {
		names = append(names, c.Subject.CommonName)
	}
	require.Equal(t, []string{"ours", "agent"}, names)
}
