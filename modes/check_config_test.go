package modes

import (
	"bytes"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
)

// checkConfig runs the command with files of the directory in the place of @NAME.
func (w *checkWorld) checkConfig(args ...string) (stdout string, err error) {
	for i, a := range args {
		if name, ok := strings.CutPrefix(a, "@"); ok {
			args[i] = w.path(name)
		}
	}
	o := run(w.t, nil, nil, append([]string{"check", "config"}, args...)...)
	require.Equal(w.t, exitClean, o.code, o.stderr)
	var out bytes.Buffer
	err = RunCheckConfig(w.t.Context(), o.config.(CheckedConfig), &out, &bytes.Buffer{})
	return strings.ReplaceAll(out.String(), w.dir+"/", ""), err
}

// reportLines returns the lines that begin with the word.
func reportLines(word, out string) (lines []string) {
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(line, word); ok {
			lines = append(lines, strings.TrimSpace(rest))
		}
	}
	return lines
}

func requireLines(t *testing.T, want, got []string, out string) {
	t.Helper()
	require.Len(t, got, len(want), out)
	for i := range want {
		require.Contains(t, got[i], want[i])
	}
}

func (w *checkWorld) write(name, text string) {
	certtest.WriteFile(w.t, w.path(name), []byte(text))
	require.NoError(w.t, os.Chmod(w.path(name), 0o600))
}

func TestCheckConfigOfAnAgent(t *testing.T) {
	w := newCheckWorld(t)
	w.write("scrape.yml", "scheme: https\nbasic_auth: {username: bob, password_file: password}\ntls_config: {ca_file: ca.crt}\nendpoints:\n- url: http://b/metrics\n  authorization: {credentials: hunter2}\n  tls_config: {insecure_skip_verify: true}\n")
	w.write("password", "hunter3")
	w.write("node.yml", "a: 1\n")
	require.NoError(t, os.Chmod(w.path("token"), 0o644))
	out, err := w.checkConfig("agent", "--node-id", "n1", "--node-role", "data", "--metrics-endpoint", "http://a/metrics", "--metrics-endpoint", "http://b/metrics",
		"--scrape-config-file", "@scrape.yml", "--proxy-addr", "p:1", "--proxy-addr", "q:1", "--proxy-tls", "--proxy-ca-file", "@ca.crt",
		"--proxy-cert-file", "@soon.crt", "--proxy-key-file", "@soon.key", "--proxy-token-file", "@token", "--node-config-file", "@node.yml",
		"--node-log-file", "@none.log", "--storage-dir", "@data/new")
	require.NoError(t, err, out)
	require.NotContains(t, out, "hunter")
	require.NotContains(t, out, "secret-of-agents")
	requireLines(t, []string{
		`the node is "n1" with the role "data"`,
		`scrapes https://a/metrics every 10s, with a user and a password (basic_auth), authorities of its own`,
		`scrapes http://b/metrics every 10s, with a secret of the type Bearer (authorization), the server's certificate not verified (insecure_skip_verify)`,
		`of the node's configuration "node.yml", 1 value would be sent`,
		`alerting rules`,
		`connects to the proxy p:1 with TLS 1.3 or newer; its certificate must be for "p" and of an authority in --proxy-ca-file; the agent shows the certificate of "n1", and shows the token of --proxy-token-file`,
		`connects to the proxy q:1 with TLS 1.3 or newer; its certificate must be for "q"`,
		`keeps what it records in "data/new", which it makes`,
		`answers HTTP on :17902 to all that reach it`,
		`the certificate of "ca" (--scrape-config-file) expires at 2100-01-01T00:00:00Z`,
		`the certificate of "ca" (--proxy-ca-file) expires at 2100-01-01T00:00:00Z`,
	}, reportLines("ok", out), out)
	requireLines(t, []string{
		`--scrape-config-file: http://b/metrics is scraped without a look at its certificate`,
		`--node-log-file: "none.log" cannot be read now: no such file or directory`,
		`--proxy-token-file: "token" can be read by all users of the machine (mode 0644): chmod o-r`,
		`--prometheus-listen-addr: HTTP is open on :17902`,
		`--proxy-cert-file: the certificate of "n1" expires at `,
	}, reportLines("warning", out), out)
	_, err = os.Stat(w.path("data"))
	require.ErrorIs(t, err, os.ErrNotExist, "nothing is made")
}

func TestCheckConfigOfAProxy(t *testing.T) {
	w := newCheckWorld(t)
	w.write("web.yml", "basic_auth_users: {alice: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi}\n")
	w.write("http.yml", "bearer_token: hunter2\n")
	require.NoError(t, os.Chmod(w.path("proxy.key"), 0o600))
	require.NoError(t, os.Chmod(w.path("tokens"), 0o600))
	out, err := w.checkConfig("proxy", "--grpc-tls-cert-file", "@proxy.crt", "--grpc-tls-key-file", "@proxy.key", "--grpc-client-ca-file", "@ca.crt",
		"--grpc-agent-token-file", "@tokens", "--web-config-file", "@web.yml", "--alertmanager-url", "http://u:hunter2@am:9093", "--alertmanager-config-file", "@http.yml")
	require.NoError(t, err, out)
	require.NotContains(t, out, "hunter")
	requireLines(t, []string{
		`agents connect to :17900 with TLS 1.3 or newer, and the certificate of "the proxy": those with a certificate of an authority in --grpc-client-ca-file whose names allow the node id (--grpc-node-id-from any), and the token in --grpc-agent-token-file may register`,
		`tells the Alertmanager http://am:9093 of incidents, with a secret of the type Bearer (authorization)`,
		`keeps everything in memory only`,
		`answers HTTP on :17901 to 1 user with a password`,
		`the certificate of "the proxy" (--grpc-tls-cert-file) expires at`,
		`the certificate of "ca" (--grpc-client-ca-file) expires at`,
	}, reportLines("ok", out), out)
	requireLines(t, []string{`--web-config-file: passwords can be read on the network`}, reportLines("warning", out), out)
	out, err = w.checkConfig("proxy", "--grpc-agent-token-file", "@tokens", "--http-listen-addr", "127.0.0.1:0")
	require.NoError(t, err, out)
	requireLines(t, []string{"--grpc-agent-token-file: agents show tokens without TLS"}, reportLines("warning", out), out)
	out, err = w.checkConfig("standalone", "--grpc-listen-addr", "127.0.0.1:0", "--http-listen-addr", "127.0.0.1:1", "--prometheus-listen-addr", "127.0.0.1:2", "--storage-dir", "@data")
	require.NoError(t, err, out)
	require.Empty(t, reportLines("warning", out), out)
}

// All problems are listed, a line each, with the flag, the file, the reason and what to look at.
func TestCheckConfigProblems(t *testing.T) {
	w := newCheckWorld(t)
	f := func(args []string, want ...string) {
		t.Helper()
		out, err := w.checkConfig(args...)
		require.Error(t, err, out)
		require.NotContains(t, out, "hunter")
		problems := reportLines("PROBLEM", out)
		requireLines(t, want, problems, out)
		for _, p := range problems {
			require.Contains(t, p, ". Look at: ")
		}
	}
	w.write("empty", "")
	w.write("file", "x")
	w.write("two-words", "hunter2 hunter2\n")
	w.write("bad.yml", "basic_auth: {user: hunter2}\n")
	w.write("bad.json", "{")
	w.write("bad-tokens", "name operate hunter2\n")
	w.issue("old", certtest.Leaf{CN: "old", NotBefore: time.Now().Add(-2 * day), NotAfter: time.Now().Add(-day)})
	agent := []string{"agent", "--node-id", "n1", "--node-role", "data", "--proxy-tls"}
	f(append(agent, "--scrape-config-file", "@bad.yml", "--proxy-ca-file", "@none", "--proxy-cert-file", "@old.crt", "--proxy-key-file", "@old.key", "--proxy-token-file", "@two-words",
		"--node-config-file", "@bad.json", "--node-config-file", "@none.yml", "--storage-dir", "@file/x", "--web-config-file", "@bad.yml", "--bearer-token-file", "@bad-tokens"),
		`--scrape-config-file: "bad.yml": `,
		`--node-config-file: bad.json: not valid JSON: it ends too early. Look at: fodc check mask`,
		`--node-config-file: open none.yml: no such file or directory. Look at: whether the path is right`,
		`--proxy-token-file: "two-words" has more than a token`,
		`--proxy-ca-file: read "none": no such file or directory. Look at: whether the path is right`,
		`--proxy-cert-file: the certificate of "old" in "old.crt" has expired at `,
		`--storage-dir: `,
		`--bearer-token-file: "bad-tokens": line 1: the hash`,
		`--web-config-file: "bad.yml": yaml: unmarshal errors: line 1: field basic_auth not found in type web.Config. Look at: `,
	)
	out, _ := w.checkConfig("proxy", "--bearer-token-file", "@bad-tokens")
	requireLines(t, []string{"all that reach the address may register", "in memory only", "answers HTTP on :17901 to those with a token"}, reportLines("ok", out), out)
	f([]string{"proxy", "--grpc-tls-cert-file", "@proxy.crt", "--grpc-tls-key-file", "@n1.key", "--grpc-client-ca-file", "@empty", "--grpc-agent-token-file", "@empty",
		"--alertmanager-url", "http://am", "--alertmanager-config-file", "@bad.yml"},
		`--grpc-tls-cert-file: the key of --grpc-tls-key-file in "n1.key" does not fit the certificate in "proxy.crt"`,
		`--grpc-client-ca-file: "empty" `,
		`--grpc-agent-token-file: "empty": the file is empty`,
		`--alertmanager-config-file: "bad.yml": `,
	)
	f([]string{"standalone", "--storage-dir", "@file", "--grpc-tls-cert-file", "@none", "--grpc-tls-key-file", "@none"},
		`--grpc-tls-cert-file: read "none"`, `--storage-dir: "file" is no directory. Look at: the path`)
	if runtime.GOOS == "linux" && os.Getuid() != 0 {
		require.NoError(t, os.Mkdir(w.path("read-only"), 0o500))
		f([]string{"standalone", "--storage-dir", "@read-only/x"}, `--storage-dir: "read-only" cannot be written to by the user`)
	}
}

func TestCheckConfigCommandLine(t *testing.T) {
	o := run(t, nil, []string{"FODC_NODE_ID=n1"}, "check", "config", "agent", "--node-role", "data")
	require.Equal(t, exitClean, o.code, o.stderr)
	require.Equal(t, "n1", o.config.(CheckedConfig).Agent.NodeID, "variables count")
	mode := run(t, nil, []string{"FODC_NODE_ID=n1"}, "agent", "--node-role", "data").config.(AgentConfig)
	require.Equal(t, mode, *o.config.(CheckedConfig).Agent, "it is what the mode would be run with")
	bad := func(words string, args ...string) {
		t.Helper()
		wrong(t, run(t, nil, nil, append([]string{"check", "config"}, args...)...), "fodc check config", words)
	}
	bad("a command is missing: must be agent, proxy or standalone")
	bad(`unknown command "x": must be agent, proxy or standalone`, "x")
	bad("agent: --node-id is missing", "agent", "--node-role", "data")
	bad(`proxy: --max-agents "0": must be a whole number from 1 to 1000000; --collect-timeout "x": must be a duration`, "proxy", "--collect-timeout", "x", "--max-agents", "0")
	bad(`proxy: unknown flag "--x"`, "proxy", "--x", "1")
	bad("proxy: stray argument", "proxy", "x")
}
