package modes

import (
	"bytes"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fodc/modes/certtest"
	"fodc/modes/files"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// guarded is a server behind TLS that wants a password.
func guarded(t *testing.T, h http.HandlerFunc) (url string, ca *certtest.CA) {
	t.Helper()
	ca = certtest.NewCA(t, "ours")
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "u" || password != "planted" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		h(w, r)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, certtest.Leaf{IPs: []string{"127.0.0.1"}, Server: true}).TLS}}
	server.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, ca
}

func TestCommandsAskAGuardedProxy(t *testing.T) {
	url, ca := guarded(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/incidents" {
			answerJSON(200, `[]`)(w, r)
			return
		}
		answerJSON(200, oneSeries+`}`)(w, r)
	})
	dir := t.TempDir()
	ca.Write(t, dir, "ca")
	certtest.WriteFile(t, filepath.Join(dir, "password"), []byte("planted\n"))
	file := certtest.WriteFile(t, filepath.Join(dir, "client.yml"), []byte("basic_auth: {username: u, password_file: password}\ntls_config: {ca_file: ca.crt}\n"))

	stdout, _, err := askServer(t, QueryCommandConfig{ProxyURL: url, HTTPConfigFile: file, Output: "csv"})
	require.NoError(t, err)
	require.Contains(t, stdout, "1,up")
	_, _, err = askServer(t, QueryCommandConfig{ProxyURL: url, Output: "csv"})
	require.ErrorContains(t, err, "certificate")

	list := func(file string) error {
		var out, errs bytes.Buffer
		return RunIncidents(t.Context(), IncidentsConfig{Do: IncidentsList, ProxyURL: url, HTTPConfigFile: file, Output: "table", Timeout: time.Minute}, &out, &errs)
	}
	require.NoError(t, list(file))
	require.ErrorContains(t, list(""), "certificate")
	certtest.WriteFile(t, file, []byte("basic_auth: {username: u, pasword: planted}\n"))
	err = list(file)
	require.EqualError(t, err, `--http-config-file: "`+file+`": line 1: unknown field "pasword"`)
}

func TestHTTPConfigFileWithDir(t *testing.T) {
	wrong(t, run(t, nil, nil, "query", "up", "--dir", "d", "--http-config-file", "f"), `--http-config-file "f": must not be given with --dir`)
	wrong(t, run(t, nil, nil, "incidents", "list", "--http-config-file", "a\nb"), `--http-config-file`, settingsFileAllowed)
}

// The client for Alertmanagers is that of the newest version of the file that can be used.
func TestTheClientForAlertmanagersIsReadAgain(t *testing.T) {
	var got atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got.Store(r.Header.Get("Authorization")) }))
	defer server.Close()
	w := files.NewWatcher(zap.NewNop())
	defer w.Stop()
	dir := t.TempDir()
	certtest.SwapDir(t, dir, map[string][]byte{"token": []byte("one\n"), "am.yml": []byte("authorization: {credentials_file: token}\n")})
	c := ProxyConfig{AlertmanagerConfigFile: filepath.Join(dir, "am.yml")}
	client, err := c.watchAlertmanagerClient(w)
	require.NoError(t, err)
	ask := func() string {
		resp, err := client().Get(server.URL)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return got.Load().(string)
	}
	require.Equal(t, "Bearer one", ask())
	certtest.SwapDir(t, dir, map[string][]byte{"token": []byte("two\n"), "am.yml": []byte("authorization: {credentials_file: token}\n")})
	w.Check()
	require.Eventually(t, func() bool { return ask() == "Bearer two" }, 10*time.Second, 10*time.Millisecond)
	none, err := ProxyConfig{}.watchAlertmanagerClient(nil)
	require.NoError(t, err)
	require.Nil(t, none)
	certtest.SwapDir(t, dir, map[string][]byte{"token": nil, "am.yml": []byte("authorization: {credentials_file: token}\n")})
	_, err = c.watchAlertmanagerClient(w)
	require.EqualError(t, err, `--alertmanager-config-file: "`+dir+`/am.yml": "`+dir+`/token" is empty`)
}

// A broken version of the settings of scrapes leaves those before in force, and says so.
func TestScrapeSettingsAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := files.NewWatcher(zap.NewNop())
		defer w.Stop()
		path := filepath.Join(dir, "scrape.yml")
		write := func(text string) { certtest.WriteFile(t, path, []byte(text)) }
		write("sample_limit: 1\n")
		c := AgentConfig{ScrapeConfigFile: path, Targets: []TargetConfig{{URL: "http://node/metrics"}}}
		settings, err := c.watchScrapeConfig(w)
		require.NoError(t, err)
		is := func(want int) {
			t.Helper()
			require.Equal(t, want, settings("http://node/metrics").SampleLimit)
		}
		is(1)
		write("sample_limit: 2\n")
		time.Sleep(10 * time.Second)
		is(2)
		write("sample_limit: planted\n")
		time.Sleep(10 * time.Second)
		is(2)
		failed := w.Statuses()[0].Failed
		require.Contains(t, failed, `"`+path+`": line 1: a whole number of 0 or more is needed here`)
		require.NotContains(t, failed, "planted")
		write("sample_limit: 3\n")
		time.Sleep(10 * time.Second)
		is(3)
		require.Empty(t, w.Statuses()[0].Failed)
	})
}
