//go:build e2e && linux

package modes_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
)

// pageOfClients has what the requests of testdata/grafana.txt ask for.
const pageOfClients = pageA + "# TYPE depth gauge\ndepth 3\n# TYPE latency histogram\nlatency_bucket{le=\"1\"} 1\nlatency_bucket{le=\"+Inf\"} 2\nlatency_sum 3\nlatency_count 2\n"

// startForClients starts a proxy behind TLS, passwords and tokens. Its agents need neither.
func startForClients(t *testing.T) *secured {
	t.Helper()
	s := &secured{t: t, dir: t.TempDir(), ca: certtest.NewCA(t, "cluster")}
	s.ca.Write(t, s.dir, "ca")
	s.issue(s.ca, "proxy", certtest.Leaf{CN: "proxy", IPs: []string{"127.0.0.1"}})
	s.writeUsers("alice", securedPassword)
	s.write("http.tokens", tokenLine("grafana", "read", readToken)+tokenLine("oncall", "operate", operateToken))
	s.client = &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.ca.Pool()}}}
	s.proxy = startProxy(t, s.http()...)
	return s
}

// TestE2EClientsOfAGuardedProxy: Grafana with a token, promtool and the commands of this program with a password are answered
// by a proxy behind TLS, and refused without.
func TestE2EClientsOfAGuardedProxy(t *testing.T) {
	t.Parallel()
	s := startForClients(t)
	startAgent(t, s.proxy, "n1", "liaison", startNode(t, pageOfClients).endpoint())
	s.await("/metrics", `latency_count{node_id="n1"`)
	t.Run("grafana", func(t *testing.T) { s.with(t).answersGrafana() })
	t.Run("promtool", func(t *testing.T) { s.with(t).answersPromtool() })
	t.Run("commands", func(t *testing.T) { s.with(t).answersCommands() })
}

// grafanaCall is a request of Grafana, and the status of its answer. httpapi/promapi/testdata/grafana.txt describes the form.
type grafanaCall struct {
	about, method, path, form string
	status                    int
	shape                     string
}

var grafanaTimes = regexp.MustCompile(`\{now(_ms|\.5)?(-\d+)?\}`)

func grafanaCalls(t *testing.T) (all []grafanaCall) {
	t.Helper()
	text, err := os.ReadFile("../httpapi/promapi/testdata/grafana.txt")
	require.NoError(t, err)
	now := time.Now().Unix()
	filled := grafanaTimes.ReplaceAllStringFunc(string(text), func(in string) string {
		found := grafanaTimes.FindStringSubmatch(in)
		ago, _ := strconv.ParseInt(found[2], 10, 64)
		return strconv.FormatInt(now+ago, 10) + map[string]string{"_ms": "000", ".5": ".5"}[found[1]]
	})
	filled = strings.NewReplacer("{counter}", "requests_total", "{gauge}", "depth", "{histogram}", "latency", "{label}", "node_id", "{value}", "n1").Replace(filled)
	var c grafanaCall
	for lines := bufio.NewScanner(strings.NewReader(filled)); lines.Scan(); {
		line := lines.Text()
		method, path, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(line, "# "):
			c = grafanaCall{about: line}
		case method == http.MethodGet || method == http.MethodPost:
			c.method, c.path = method, path
		case method == "form:":
			c.form = path
		case method == "=>":
			status, shape, _ := strings.Cut(path, " ")
			c.status, err = strconv.Atoi(status)
			require.NoError(t, err, line)
			c.shape, _, _ = strings.Cut(shape, " ")
			all = append(all, c)
		}
	}
	return all
}

// answersGrafana: Grafana's server asks with the token of the data source, and passes on headers of the browser, whose page has
// another host.
func (s *secured) answersGrafana() {
	s.t.Helper()
	passedOn := []string{"User-Agent", "Grafana/12.0.0", "X-Grafana-Org-Id", "1", "X-Grafana-User", "admin", "X-Dashboard-Uid", "d1", "X-Panel-Id", "4", "X-Datasource-Uid", "p1",
		"X-Query-Group-Id", "q1", "FromAlert", "false", "Origin", "https://grafana.example", "Referer", "https://grafana.example/d/d1/fodc?orgId=1", "X-Forwarded-For", "192.0.2.7",
		"X-Forwarded-Host", "grafana.example", "Sec-Fetch-Site", "cross-site"}
	calls := grafanaCalls(s.t)
	require.Greater(s.t, len(calls), 45)
	for _, c := range calls {
		header := passedOn
		if c.method == http.MethodPost {
			header = append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)
		}
		for _, login := range []string{"", "Bearer " + readToken[1:], "Bearer"} {
			a := s.ask(c.method, s.proxy.addr("http"), c.path, c.form, append([]string{"Authorization", login}, header...)...)
			require.Equal(s.t, http.StatusUnauthorized, a.status, "%s: %s", c.about, a.body)
			require.Equal(s.t, []string{`Basic realm="fodc", charset="UTF-8"`, `Bearer realm="fodc"`}, a.header.Values("WWW-Authenticate"), c.about)
			require.NotContains(s.t, a.body, "n1")
		}
		a := s.ask(c.method, s.proxy.addr("http"), c.path, c.form, append([]string{"Authorization", "Bearer " + readToken}, header...)...)
		require.Equal(s.t, c.status, a.status, "%s: %s", c.about, a.body)
		var envelope struct{ Status string }
		if c.shape != "notfound" {
			require.NoError(s.t, json.Unmarshal([]byte(a.body), &envelope), "%s: %s", c.about, a.body)
			require.Equal(s.t, c.shape == "error", envelope.Status == "error", "%s: %s", c.about, a.body)
		}
	}
}

// answersPromtool: promtool takes a password from the URL, and trusts the authorities of the system.
func (s *secured) answersPromtool() {
	s.t.Helper()
	ask := func(login string) (string, error) {
		cmd := exec.Command("promtool", "query", "instant", "https://"+login+s.proxy.addr("http"), "requests_total")
		cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+s.path("ca.crt"))
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	said, err := ask("alice:" + securedPassword + "@")
	require.NoError(s.t, err, said)
	require.Contains(s.t, said, `node_id="n1"`)
	for _, login := range []string{"", "alice:wrong@", "alice@"} {
		said, err = ask(login)
		require.Error(s.t, err, said)
		require.NotContains(s.t, said, "n1")
	}
}

// answersCommands: the commands of this program take a file with the settings that a job of Prometheus has.
func (s *secured) answersCommands() {
	s.t.Helper()
	s.write("password", securedPassword+"\n")
	s.write("token", readToken+"\n")
	trust := "tls_config: {ca_file: ca.crt}\n"
	good := []string{s.write("password.yml", trust+"basic_auth: {username: alice, password_file: password}\n"), s.write("token.yml", trust+"authorization: {credentials_file: token}\n")}
	bad := map[string]string{"": "certificate", s.write("nobody.yml", trust): "who are you", s.write("wrong.yml", trust+"basic_auth: {username: alice, password: wrong}\n"): "the password is wrong",
		s.write("stranger.yml", "tls_config: {}\nbasic_auth: {username: alice, password_file: password}\n"): "certificate"}
	run := func(file string, args ...string) (stdout, stderr string, err error) {
		if file != "" {
			args = append(args, "--http-config-file", file)
		}
		cmd := exec.Command(binary, append(args, "--proxy-url", "https://"+s.proxy.addr("http"))...)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		err = cmd.Run()
		return out.String(), errs.String(), err
	}
	for _, c := range []struct {
		args []string
		has  string
	}{{[]string{"query", "requests_total"}, "n1"}, {[]string{"incidents", "list", "--output", "json"}, "[]"}} {
		for _, file := range good {
			stdout, stderr, err := run(file, c.args...)
			require.NoError(s.t, err, stderr)
			require.Contains(s.t, stdout, c.has)
		}
		for file, says := range bad {
			stdout, stderr, err := run(file, c.args...)
			require.Error(s.t, err, file)
			require.Empty(s.t, stdout)
			require.Contains(s.t, stderr, says, file)
			require.NotContains(s.t, stderr, securedPassword)
		}
	}
}
