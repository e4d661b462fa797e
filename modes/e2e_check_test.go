//go:build e2e && linux

package modes_test

import (
	"crypto/tls"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
)

// runCheck runs fodc check with the arguments. Files with "planted-" in them are secrets: nothing of them is shown.
func runCheck(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	text, err := exec.Command(binary, append([]string{"check"}, args...)...).CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		require.NoError(t, err)
	}
	require.NotContains(t, string(text), "planted-", "no secret is shown")
	return code, string(text)
}

// requireTexts requires the texts in their order.
func requireTexts(t *testing.T, out string, texts ...string) {
	t.Helper()
	rest := out
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		require.True(t, found, "%q is not in, or not in this order:\n%s", text, out)
		rest = after
	}
}

// checkFiles are those of a proxy that has settings of all kinds, and of an agent that it lets in.
type checkFiles struct {
	*guarded
	web *webFiles
}

func newCheckFiles(t *testing.T) *checkFiles {
	c := &checkFiles{newGuarded(t, "n1"), newWebFiles(t)}
	c.rename("proxy/tokens", tokenLines("planted-token"))
	c.rename("token", []byte("planted-token\n"))
	c.rename("scrape.yml", []byte("scheme: https\nbasic_auth: {username: bob, password_file: password}\n"))
	c.rename("password", []byte("planted-password"))
	c.web.swap(version{own: c.web.ca.Issue(t, c.web.leaf), users: c.web.usersOf("alice"), tokens: webTokens("planted-reader")})
	return c
}

func (c *checkFiles) proxy() []string {
	return c.proxyFlags("--grpc-agent-token-file", c.path("proxy/tokens"), "--web-config-file", c.web.config, "--bearer-token-file", c.web.tokens,
		"--grpc-listen-addr", "127.0.0.1:0", "--http-listen-addr", "127.0.0.1:0")
}

func (c *checkFiles) agent(proxy string) []string {
	return c.agentFlags("--node-id", "n1", "--node-role", "data", "--proxy-addr", proxy, "--proxy-token-file", c.path("token"), "--scrape-config-file", c.path("scrape.yml"),
		"--metrics-endpoint", "http://127.0.0.1:1/metrics", "--web-config-file", c.web.config, "--prometheus-listen-addr", "127.0.0.1:0")
}

// fodc check says of files that a proxy and its agents run with what is open and closed. Of a proxy it says in words why an agent
// could not use it, with the exit code 1, and leaves nothing there.
func TestE2ECheckProxy(t *testing.T) {
	t.Parallel()
	c := newCheckFiles(t)
	code, out := runCheck(t, append([]string{"config", "proxy"}, c.proxy()...)...)
	require.Zero(t, code, out)
	requireTexts(t, out, `ok       agents connect to 127.0.0.1:0 with TLS 1.3 or newer, and the certificate of "proxy": those with a certificate of an authority in `+
		"--grpc-client-ca-file whose names allow the node id (--grpc-node-id-from any), and the token in --grpc-agent-token-file may register\n",
		"ok       keeps everything in memory only\n", "ok       answers HTTPS on 127.0.0.1:0 to 1 token, 1 user with a password\n", `ok       the certificate of "ca" (--grpc-client-ca-file) expires at 2100-01-01`,
		`warning  --grpc-tls-cert-file: the certificate of "proxy" expires at `, ", in less than 1 day\n")
	proxy := start(t, append([]string{"proxy"}, c.proxy()...)...)
	addr := proxy.addr("grpc")
	code, out = runCheck(t, append([]string{"config", "agent"}, c.agent(addr)...)...)
	require.Zero(t, code, out)
	requireTexts(t, out, `ok       the node is "n1" with the role "data"`, "ok       scrapes https://127.0.0.1:1/metrics every 10s, with a user and a password (basic_auth)\n",
		"ok       connects to the proxy "+addr+` with TLS 1.3 or newer; its certificate must be for "127.0.0.1" and of an authority in --proxy-ca-file; `+
			`the agent shows the certificate of "agents", and shows the token of --proxy-token-file`, "ok       answers HTTPS on 127.0.0.1:0 to 1 user with a password\n")
	plain, field := startProxy(t), startBaselineProxy(t)
	c.failures(addr, plain.addr("grpc"), field.grpc)
	answer, err := c.web.ask(proxy.addr("http"), "/cluster", webReader{user: "alice"})
	require.NoError(t, err)
	require.Contains(t, answer, `"nodes":[]`)
	require.Empty(t, statuses(t, plain))
	self, err := c.web.ask(proxy.addr("http"), "/metrics/self", webReader{user: "alice"})
	require.NoError(t, err)
	for _, line := range []string{"accepted_total 1", `refused_total{reason="certificate"} 1`, `refused_total{reason="token"} 2`} {
		require.Contains(t, self, "\nfodc_proxy_registration_checks_"+line+"\n")
	}
	require.NotEmpty(t, proxy.said("a registration that was only tried would be refused"))
	field.mu.Lock()
	defer field.mu.Unlock()
	require.Empty(t, field.agents)
}

// failures checks proxies as agents that are not set up as they should be.
func (c *checkFiles) failures(secured, plain, field string) {
	other := certtest.NewCA(c.t, "other")
	c.rename("other.crt", other.CertPEM)
	c.rename("wrong-token", []byte("planted-wrong\n"))
	old := certtest.Leaf{CN: "n1", IPs: []string{"127.0.0.1"}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-24 * time.Hour)}
	c.ca.Issue(c.t, old).Write(c.t, c.dir, "old")
	other.Issue(c.t, certtest.Leaf{CN: "n1"}).Write(c.t, c.dir, "stranger")
	nothing := freeAddr(c.t)
	f := func(addr, id string, code int, flags []string, texts ...string) {
		c.t.Helper()
		got, out := runCheck(c.t, append([]string{"proxy", addr, "--node-id", id, "--node-role", "data"}, flags...)...)
		require.Equal(c.t, code, got, out)
		requireTexts(c.t, out, texts...)
	}
	authority := []string{"--proxy-tls", "--proxy-ca-file", c.path("agent/ca.crt")}
	certificate := func(name string) []string {
		return append(authority[:3:3], "--proxy-cert-file", c.path(name+".crt"), "--proxy-key-file", c.path(name+".key"))
	}
	own := certificate("agent/tls")
	token := func(name string) []string { return append(own[:len(own):len(own)], "--proxy-token-file", c.path(name)) }
	answers := "ok       TCP: " + secured + " answers within "
	f(secured, "n1", 0, token("token"), answers, `warning  TLS: TLS 1.3, the proxy's certificate is that of "proxy" for 127.0.0.1, issued by "ca", and expires at `,
		`that of "agents" for "n1", issued by "ca"`, `ok       registration: node_id "n1" would be accepted for "n1" in the certificate and the token "agents-0"; the proxy does not know the node yet`)
	f(secured, "n2", 1, token("token"), `FAILED   registration: the proxy would refuse it: node_id "n2" is not in the certificate, which has "n1"`)
	f(secured, "n1", 1, own, "FAILED   registration: the proxy would refuse it: an agent's token is needed: the agent must name a file with one (--proxy-token-file)")
	f(secured, "n1", 1, token("wrong-token"), "FAILED   registration: the proxy would refuse it: the token is not one of --grpc-agent-token-file")
	f(secured, "n1", 1, []string{"--proxy-tls", "--proxy-ca-file", c.path("other.crt")}, answers,
		"FAILED   TLS: the proxy's certificate is of no authority that is trusted: --proxy-ca-file names the file of its authority; it is that of \"proxy\" for 127.0.0.1, issued by \"ca\"")
	f(secured, "n1", 1, append(token("token"), "--proxy-server-name", "elsewhere.example"), answers,
		`FAILED   TLS: the proxy's certificate is for 127.0.0.1, and not for "elsewhere.example": --proxy-server-name names the one that it has`)
	f(secured, "n1", 1, certificate("old"), `PROBLEM  --proxy-cert-file: the certificate of "n1" in "`+c.path("old.crt")+`" has expired at `)
	f(secured, "n1", 1, certificate("stranger"), answers, "FAILED   certificate: the proxy trusts the authority of no certificate in --proxy-cert-file (its --grpc-client-ca-file)", `issued by "other"`)
	f(secured, "n1", 1, authority, answers, "FAILED   certificate: the proxy wants a certificate of this agent: --proxy-cert-file and --proxy-key-file")
	f(secured, "n1", 1, nil, answers, "FAILED   HTTP/2: the server ends the connection: EOF. Look at: whether the proxy wants TLS (--proxy-tls), and the port: ")
	f(staleServer(c.t, c.ca.Issue(c.t, old)), "n1", 1, authority, "FAILED   TLS: the proxy's certificate cannot be used: it has expired at ")
	f(plain, "n1", 1, authority, "ok       TCP: "+plain+" answers within ", "FAILED   TLS: the proxy speaks no TLS: it needs --grpc-tls-cert-file, or this agent no --proxy-tls\n")
	f(plain, "n1", 0, nil, `ok       registration: node_id "n1" would be accepted; the proxy does not know the node yet`)
	f(nothing, "n1", 1, nil, "FAILED   TCP: no connection: "+nothing+": connection refused. Look at: whether a proxy runs there, and listens on this port")
	f(field, "n1", 0, nil, "-        registration: not tried: the proxy is of a version that cannot say whether it would accept one: nothing was registered")
	f("no-port", "n1", 2, nil, `ADDRESS "no-port": must be HOST:PORT`)
}

// staleServer is a server whose certificate has expired.
func staleServer(t *testing.T, of certtest.Issued) string {
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{of.TLS}, NextProtos: []string{"h2"}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.(*tls.Conn).Handshake()
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

// Of a file that cannot be used, fodc check config names the flag, the file and the reason, in the words with which the mode ends.
func TestE2ECheckConfig(t *testing.T) {
	t.Parallel()
	c := newCheckFiles(t)
	proxy, agent := append([]string{"proxy"}, c.proxy()...), append([]string{"agent"}, c.agent("127.0.0.1:1")...)
	c.rename("empty", nil)
	c.rename("words", []byte("planted-one planted-two\n"))
	c.rename("settings.yml", []byte("basic_auth: {user: planted-user}\n"))
	c.rename("web.yml", []byte("tls_server_config: {cert_file: none.crt, key_file: none.key}\n"))
	c.ca.Issue(t, certtest.Leaf{CN: "old", NotAfter: time.Now().Add(-time.Minute)}).Write(t, c.dir, "old")
	f := func(args []string, flag, file, reason string, more ...string) {
		t.Helper()
		args = append(append(args[:len(args):len(args)], "--"+flag, c.path(file)), more...)
		code, out := runCheck(t, append([]string{"config"}, args...)...)
		require.Equal(t, 1, code, out)
		require.Equal(t, 1, strings.Count(out, "\nPROBLEM  "), out)
		_, problem, _ := strings.Cut(out, "\nPROBLEM  ")
		said, next, found := strings.Cut(problem, ". Look at: ")
		require.True(t, found, out)
		require.NotEmpty(t, strings.TrimSpace(next))
		require.True(t, strings.HasPrefix(said, "--"+flag+": "), said)
		require.Contains(t, said, c.path(file))
		require.Contains(t, said, reason)
		mode := start(t, args...)
		code, _ = mode.exitCode(patience)
		require.Equal(t, 1, code)
		require.NotEmpty(t, mode.said("ended by a failure"))
		require.Equal(t, said, mode.said("ended by a failure")[0]["error"])
	}
	f(proxy, "grpc-tls-cert-file", "old.crt", " has expired at ", "--grpc-tls-key-file", c.path("old.key"))
	f(proxy, "grpc-client-ca-file", "empty", "has no certificate in PEM")
	f(proxy, "grpc-agent-token-file", "words", "line 1: it has 2 words, allowed is a name, a role and sha256:HEX")
	f(proxy, "web-config-file", "web.yml", "no such file or directory")
	f(proxy, "bearer-token-file", "none", "no such file or directory")
	f(proxy, "alertmanager-config-file", "settings.yml", "line 1: ", "--alertmanager-url", "http://127.0.0.1:1")
	f(agent, "proxy-cert-file", "old.crt", " has expired at ", "--proxy-key-file", c.path("old.key"))
	f(agent, "proxy-ca-file", "token", "has no certificate in PEM")
	f(agent, "proxy-token-file", "words", "has more than a token")
	f(agent, "scrape-config-file", "settings.yml", "line 1: ")
}
