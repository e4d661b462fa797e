package modes

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fodc/actors"
	"fodc/actors/proxy"
	"fodc/modes/certtest"
	"fodc/modes/files"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/grpc"
)

// checkWorld has certificates, and servers of all kinds on this machine.
type checkWorld struct {
	t   *testing.T
	dir string
	ca  *certtest.CA
}

func newCheckWorld(t *testing.T) *checkWorld {
	w := &checkWorld{t, t.TempDir(), certtest.NewCA(t, "ca")}
	w.ca.Write(t, w.dir, "ca")
	certtest.NewCA(t, "other ca").Write(t, w.dir, "other")
	w.issue("proxy", certtest.Leaf{CN: "the proxy", DNS: []string{"proxy.example"}, IPs: []string{"127.0.0.1"}, NotAfter: time.Now().Add(30 * day)})
	w.issue("n1", certtest.Leaf{CN: "n1", NotAfter: time.Now().Add(30 * day)})
	w.issue("soon", certtest.Leaf{CN: "n1", NotAfter: time.Now().Add(2 * day)})
	certtest.NewCA(t, "stranger").Issue(t, certtest.Leaf{CN: "n1"}).Write(t, w.dir, "stranger")
	certtest.WriteFile(t, w.path("token"), []byte("secret-of-agents\n"))
	certtest.WriteFile(t, w.path("bad-token"), []byte("another-secret\n"))
	certtest.WriteFile(t, w.path("tokens"), fmt.Appendf(nil, "all agent sha256:%x\n", sha256.Sum256([]byte("secret-of-agents"))))
	return w
}

func (w *checkWorld) path(name string) string { return filepath.Join(w.dir, name) }

func (w *checkWorld) issue(name string, l certtest.Leaf) certtest.Issued {
	issued := w.ca.Issue(w.t, l)
	issued.Write(w.t, w.dir, name)
	return issued
}

// proxy starts a proxy and returns its address.
func (w *checkWorld) proxy(c GRPCTLSConfig) (string, *proxy.Proxy) {
	watcher, sys := files.NewWatcher(zap.NewNop()), actors.NewSystem(zap.NewNop())
	secured, err := c.start(watcher, func() {})
	require.NoError(w.t, err)
	cfg, err := ProxyConfig{MaxAnswersMemoryPercent: 20, HeartbeatTimeout: 30 * time.Second, CleanupTimeout: time.Minute, MaxAgents: 10, MaxCollections: 1,
		GRPCMaxMsgSize: 4 << 20, MaxAgentSeries: 1, HeartbeatInterval: time.Second}.actors()
	require.NoError(w.t, err)
	secured.configure(&cfg)
	p := proxy.Start(sys, cfg)
	l := w.listen()
	served := make(chan error, 1)
	go func() { served <- p.Serve(l) }()
	w.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = p.Stop(ctx)
		<-served
		sys.Shutdown()
		watcher.Stop()
	})
	return l.Addr().String(), p
}

func (w *checkWorld) listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(w.t, err)
	return l
}

// tlsServer starts a server that has a certificate, and says nothing after the handshake.
func (w *checkWorld) tlsServer(issued certtest.Issued, protocols ...string) string {
	l := tls.NewListener(w.listen(), &tls.Config{Certificates: []tls.Certificate{issued.TLS}, NextProtos: protocols})
	w.t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.(*tls.Conn).Handshake()
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

// grpcServer starts a server of gRPC that knows no method of ours.
func (w *checkWorld) grpcServer() string {
	l, s := w.listen(), grpc.NewServer()
	w.t.Cleanup(s.Stop)
	go func() { _ = s.Serve(l) }()
	return l.Addr().String()
}

// check runs the command with files of the directory in the place of @NAME.
func (w *checkWorld) check(address string, args ...string) (stdout string, err error) {
	for i, a := range args {
		if name, ok := strings.CutPrefix(a, "@"); ok {
			args[i] = w.path(name)
		}
	}
	o := run(w.t, nil, nil, append([]string{"check", "proxy", address}, args...)...)
	require.Equal(w.t, exitClean, o.code, o.stderr)
	var out bytes.Buffer
	err = RunCheckProxy(w.t.Context(), o.config.(CheckProxyConfig), &out, &bytes.Buffer{})
	return strings.ReplaceAll(strings.ReplaceAll(out.String(), w.dir+"/", ""), address, "ADDRESS"), err
}

func TestCheckProxyFailures(t *testing.T) {
	w := newCheckWorld(t)
	closed := w.listen()
	require.NoError(t, closed.Close())
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	open, _ := w.proxy(GRPCTLSConfig{})
	secured, _ := w.proxy(GRPCTLSConfig{CertFile: w.path("proxy.crt"), KeyFile: w.path("proxy.key")})
	mutual, _ := w.proxy(GRPCTLSConfig{CertFile: w.path("proxy.crt"), KeyFile: w.path("proxy.key"), ClientCAFile: w.path("ca.crt")})
	tokens, _ := w.proxy(GRPCTLSConfig{TokenFile: w.path("tokens")})
	expired := w.tlsServer(w.ca.Issue(t, certtest.Leaf{CN: "old", IPs: []string{"127.0.0.1"}, NotBefore: time.Now().Add(-2 * day), NotAfter: time.Now().Add(-day)}))
	https := w.tlsServer(w.issue("https", certtest.Leaf{IPs: []string{"127.0.0.1"}}))
	f := func(address string, args []string, step, text string) {
		t.Helper()
		out, err := w.check(address, args...)
		require.Error(t, err, out)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		require.Equal(t, 1, strings.Count("\n"+out, "\nFAILED")+strings.Count("\n"+out, "\nPROBLEM"), out)
		require.Regexp(t, "^(FAILED|PROBLEM) +"+step+": ", lines[len(lines)-1], "it is the last line")
		require.Contains(t, lines[len(lines)-1], text)
		for _, secret := range []string{"secret-of-agents", "another-secret"} {
			require.NotContains(t, out, secret)
		}
	}
	withTLS := func(args ...string) []string {
		return append([]string{"--proxy-tls", "--proxy-ca-file", "@ca.crt"}, args...)
	}

	f("name.invalid:17900", nil, "DNS", `"name.invalid" has no address: `)
	f(closed.Addr().String(), nil, "TCP", "no connection: ADDRESS: connection refused. Look at: whether a proxy runs there, and listens on this port")
	f(web.Listener.Addr().String(), nil, "HTTP/2", "a server of HTTP/1 answers, and none of gRPC. Look at: the port: agents connect to --grpc-listen-addr (17900 by default)")
	f(secured, nil, "HTTP/2", "the server ends the connection: EOF. Look at: whether the proxy wants TLS (--proxy-tls)")
	f(open, withTLS(), "TLS", "the proxy speaks no TLS: it needs --grpc-tls-cert-file, or this agent no --proxy-tls")
	f(secured, []string{"--proxy-tls"}, "TLS", `is of no authority that is trusted: --proxy-ca-file names the file of its authority; it is that of "the proxy" for "proxy.example" and 127.0.0.1, issued by "ca", and expires at `)
	f(secured, []string{"--proxy-tls", "--proxy-ca-file", "@other.crt"}, "TLS", "is of no authority that is trusted")
	f(secured, withTLS("--proxy-server-name", "db"), "TLS", `the proxy's certificate is for "proxy.example" and 127.0.0.1, and not for "db": --proxy-server-name names the one that it has`)
	f(expired, withTLS(), "TLS", "the proxy's certificate cannot be used: it has expired at ")
	f(https, withTLS(), "HTTP/2", "the server ends the connection: EOF. Look at: the port")
	f(mutual, withTLS(), "certificate", "the proxy wants a certificate of this agent: --proxy-cert-file and --proxy-key-file")
	f(mutual, withTLS("--proxy-cert-file", "@stranger.crt", "--proxy-key-file", "@stranger.key"), "certificate",
		`the proxy trusts the authority of no certificate in --proxy-cert-file (its --grpc-client-ca-file); it is that of "n1" for no host (its common name, which does not count, is "n1"), issued by "stranger"`)
	f(mutual, withTLS("--proxy-cert-file", "@n1.crt", "--proxy-key-file", "@n1.key", "--node-id", "n2"), "registration",
		`the proxy would refuse it: node_id "n2" is not in the certificate, which has "n1"`)
	f(tokens, []string{"--node-id", "n1"}, "registration", "the proxy would refuse it: an agent's token is needed: the agent must name a file with one (--proxy-token-file)")
	f(tokens, []string{"--node-id", "n1", "--proxy-token-file", "@bad-token"}, "registration", "the proxy would refuse it: the token is not one of --grpc-agent-token-file")
	f(open, []string{"--node-id", "n1", "--node-role", "1"}, "registration", `node_role "1": a letter`)
	f(open, []string{"--proxy-token-file", "@none"}, "--proxy-token-file", `read "none": no such file or directory. Look at: whether the path is right`)
	f(secured, withTLS("--proxy-cert-file", "@n1.crt", "--proxy-key-file", "@soon.key"), "--proxy-cert-file", "does not fit the certificate")
}

func TestCheckProxyThatWouldWork(t *testing.T) {
	w := newCheckWorld(t)
	open, _ := w.proxy(GRPCTLSConfig{})
	mutual, p := w.proxy(GRPCTLSConfig{CertFile: w.path("proxy.crt"), KeyFile: w.path("proxy.key"), ClientCAFile: w.path("ca.crt"), TokenFile: w.path("tokens")})
	f := func(address string, args []string, want ...string) {
		t.Helper()
		out, err := w.check(address, args...)
		require.NoError(t, err, out)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		require.Len(t, lines, len(want), out)
		for i, line := range lines {
			require.Contains(t, line, want[i])
		}
	}
	f(open, []string{"--node-id", "n1"}, "-        DNS: 127.0.0.1 is an address, and no name", "ok       TCP: ADDRESS answers within ",
		"-        TLS: not used, since --proxy-tls is not given", "ok       HTTP/2: ", `ok       registration: node_id "n1" would be accepted; the proxy does not know the node yet`)
	f(open, nil, "DNS", "TCP", "TLS", "HTTP/2", "-        registration: not tried: --node-id says as which node")
	f(w.grpcServer(), []string{"--pod-name", "n1"}, "DNS", "TCP", "TLS", "HTTP/2",
		"-        registration: not tried: the proxy is of a version that cannot say whether it would accept one: nothing was registered")
	f(mutual, []string{"--proxy-tls", "--proxy-ca-file", "@ca.crt", "--proxy-cert-file", "@soon.crt", "--proxy-key-file", "@soon.key", "--proxy-token-file", "@token", "--node-id", "n1"},
		`warning  --proxy-cert-file: the certificate of "n1" expires at `, "DNS", "TCP", `ok       TLS: TLS 1.3, the proxy's certificate is that of "the proxy" for "proxy.example" and 127.0.0.1, issued by "ca", and expires at `,
		`warning  certificate: the proxy asks for one; this agent's is that of "n1"`, "HTTP/2",
		`ok       registration: node_id "n1" would be accepted for "n1" in the certificate and the token "all"; the proxy does not know the node yet`)
	counts := p.Counts()
	require.Zero(t, counts.SessionsOpened, "nothing was registered")
}

// The variables of an agent count, so that the check of a container is that of the agent in it.
func TestCheckProxyCommandLine(t *testing.T) {
	o := run(t, nil, []string{"FODC_NODE_ID=n1", "FODC_PROXY_TLS=true", "FODC_PROXY_SERVER_NAME=p"}, "check", "proxy", "proxy:17900", "--node-role", "data")
	require.Equal(t, exitClean, o.code, o.stderr)
	c := o.config.(CheckProxyConfig)
	require.Equal(t, []string{"proxy:17900", "n1", "data", "p", fmt.Sprint(true)}, []string{c.Address, c.Agent.NodeID, c.Agent.NodeRole, c.Agent.Security.ServerName, fmt.Sprint(c.Agent.Security.TLS)})
	bad := func(words string, args ...string) {
		t.Helper()
		wrong(t, run(t, nil, nil, append([]string{"check", "proxy"}, args...)...), "fodc check proxy", words)
	}
	bad("ADDRESS is missing: that of the gRPC server of a proxy, host:port")
	bad(`ADDRESS "proxy": must be HOST:PORT`, "proxy")
	bad("one ADDRESS is allowed", "a:1", "b:1")
	bad(`--proxy-ca-file "x": needs --proxy-tls`, "a:1", "--proxy-ca-file", "x")
	bad(`--proxy-token-file "x": needs --proxy-tls, since --proxy-addr "a:1" is not on this machine`, "a:1", "--proxy-token-file", "x")
}
