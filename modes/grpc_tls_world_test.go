package modes

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/agent"
	"fodc/actors/proxy"
	"fodc/messages"
	"fodc/modes/certtest"
	"fodc/modes/files"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// tlsWorld is a proxy and agents in a bubble of fake time, whose certificates are real files.
type tlsWorld struct {
	t   *testing.T
	dir string
	ca  *certtest.CA
	// server and link are the flags. All agents have the same.
	server GRPCTLSConfig
	link   LinkSecurityConfig
	// empty is a world without the first agent.
	empty bool

	watcher, agentWatcher *files.Watcher
	sys                   *actors.System // the proxy's
	proxy                 *proxy.Proxy
	secured               *grpcSecurity
	net                   *memoryNet
	logs, agentLogs       *observer.ObservedLogs // agentLogs is that of the newest agent
	agents                []*clusterAgent
}

// inTLSWorld runs the test with a proxy at the address proxy:17900 and an agent that trust each other. prepare changes
// files and flags before they are read.
func inTLSWorld(t *testing.T, prepare, test func(*testing.T, *tlsWorld)) {
	synctest.Test(t, func(t *testing.T) {
		w := &tlsWorld{t: t, dir: t.TempDir(), ca: certtest.NewCA(t, "ca"), net: newMemoryNet()}
		w.server = GRPCTLSConfig{CertFile: w.path("proxy.crt"), KeyFile: w.path("proxy.key"), ClientCAFile: w.path("clients.crt"), ClientAuth: clientAuthRequire}
		w.link = LinkSecurityConfig{TLS: true, CAFile: w.path("proxies.crt"), CertFile: w.path("agent.crt"), KeyFile: w.path("agent.key")}
		w.issueProxy(w.ca)
		w.issueAgent(w.ca)
		w.trust("clients", w.ca)
		w.trust("proxies", w.ca)
		prepare(t, w)
		require.NoError(t, w.server.validate())
		require.NoError(t, w.link.validate([]string{"proxy:17900"}))
		w.startProxy()
		if !w.empty {
			w.startAgents(1)
		}
		defer w.finish()
		w.pass(time.Second)
		test(t, w)
	})
}

func (w *tlsWorld) path(name string) string { return filepath.Join(w.dir, name) }

func (w *tlsWorld) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// issueProxy and issueAgent write certificates that are valid for a month.
func (w *tlsWorld) issueProxy(ca *certtest.CA) certtest.Issued {
	return w.issueProxyAs(ca, certtest.Leaf{DNS: []string{"proxy"}})
}

func (w *tlsWorld) issueProxyAs(ca *certtest.CA, l certtest.Leaf) certtest.Issued {
	if l.NotAfter.IsZero() {
		l.NotAfter = time.Now().AddDate(0, 1, 0)
	}
	issued := ca.Issue(w.t, l)
	issued.Write(w.t, w.dir, "proxy")
	return issued
}

func (w *tlsWorld) issueAgent(ca *certtest.CA) certtest.Issued {
	return w.issueAgentAs(ca, certtest.Leaf{CN: "agent"})
}

func (w *tlsWorld) issueAgentAs(ca *certtest.CA, l certtest.Leaf) certtest.Issued {
	if l.NotAfter.IsZero() {
		l.NotAfter = time.Now().AddDate(0, 1, 0)
	}
	l.DNS = []string{"n0", "n1", "n2"} // Each agent may be the node that it says it is.
	issued := ca.Issue(w.t, l)
	issued.Write(w.t, w.dir, "agent")
	return issued
}

// trust makes the authorities those of clients or of proxies.
func (w *tlsWorld) trust(whose string, all ...*certtest.CA) {
	var text []byte
	for _, ca := range all {
		text = append(text, ca.CertPEM...)
	}
	certtest.WriteFile(w.t, w.path(whose+".crt"), text)
}

func observedLog() (*zap.Logger, *observer.ObservedLogs) {
	core, logs := observer.New(zapcore.DebugLevel)
	return zap.New(core), logs
}

func (w *tlsWorld) startProxy() {
	var log *zap.Logger
	log, w.logs = observedLog()
	w.watcher, w.sys = files.NewWatcher(log), actors.NewSystem(log)
	w.agentWatcher = files.NewWatcher(log)
	p := &runningProxy{}
	secured, err := w.server.start(w.watcher, p.recheck)
	require.NoError(w.t, err)
	cfg := proxy.Config{
		Limits:            proxy.RegistryLimits{HeartbeatTimeout: 30 * time.Second, CleanupTimeout: 5 * time.Minute, MaxAgents: 100},
		HeartbeatInterval: 10 * time.Second, MaxCollections: 16, MaxMessageSize: 4 << 20, MaxAgentSeries: 100_000, MaxAnswersBytes: 1 << 30,
	}
	secured.configure(&cfg)
	w.secured = secured
	w.proxy = proxy.Start(w.sys, cfg)
	p.proxy = w.proxy
	p.started.Store(true)
	go func() { w.net.served <- w.proxy.Serve(w.net.listener) }()
}

// startAgents starts further agents.
func (w *tlsWorld) startAgents(n int) {
	security, err := w.link.start(w.agentWatcher)
	require.NoError(w.t, err)
	for range n {
		w.startAgent(messages.Registration{NodeID: fmt.Sprintf("n%d", len(w.agents)), Role: "liaison"}, security)
	}
}

func (w *tlsWorld) startAgent(registration messages.Registration, security linkSecurity) *clusterAgent {
	log, logs := observedLog()
	w.agentLogs = logs
	a := &clusterAgent{id: registration.NodeID, sys: actors.NewSystem(log)}
	a.agent = agent.Start(a.sys, agent.Config{
		Registration: registration, ProxyAddrs: []string{"proxy:17900"},
		Targets: []agent.Target{{URL: "http://node/metrics"}}, ScrapeInterval: clusterScrapes, HeartbeatInterval: 10 * time.Second,
		ReconnectInterval: clusterReconnect, MemoryBudget: 8 << 20, Version: "test", Dial: w.net.dial, Security: security,
		Fetch: func(context.Context, string) ([]byte, string, error) { return plainPage(a.id, 1), "text/plain", nil },
	})
	w.agents = append(w.agents, a)
	return a
}

func (w *tlsWorld) finish() {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	w.watcher.Stop()
	w.agentWatcher.Stop()
	for _, a := range w.agents {
		_ = a.agent.Stop(ctx)
		a.sys.Shutdown()
	}
	_ = w.proxy.Stop(ctx)
	<-w.net.served
	w.sys.Shutdown()
	w.pass(10 * time.Second)
}

// linkError is why the first agent has no session.
func (w *tlsWorld) linkError() string { return w.linkErrorOf(w.agents[0]) }

func (w *tlsWorld) linkErrorOf(a *clusterAgent) string {
	h, err := a.agent.Health(w.t.Context())
	require.NoError(w.t, err)
	return h.Proxies[0].Error
}

// online returns the nodes that are online.
func (w *tlsWorld) online() (ids []string) {
	c, err := w.proxy.Cluster(w.t.Context(), messages.NodeFilter{})
	require.NoError(w.t, err)
	for _, n := range c.Nodes {
		if n.Status == messages.StatusOnline {
			ids = append(ids, n.Identity.NodeID)
		}
	}
	return ids
}

func (w *tlsWorld) requireOnline(n int) {
	w.t.Helper()
	require.Len(w.t, w.online(), n, "the first agent: %s", w.linkError())
}

// requireWhole requires that a collection has the answers of all nodes.
func (w *tlsWorld) requireWhole() {
	w.t.Helper()
	c, err := w.proxy.Collect(w.t.Context(), messages.Query{Deadline: time.Now().Add(clusterPatience), Selection: messages.Selection{Names: []string{"g"}}})
	require.NoError(w.t, err)
	require.Len(w.t, c.Nodes, len(w.agents))
	for _, n := range c.Nodes {
		require.Empty(w.t, n.Missing, n.Identity.NodeID)
	}
}

// opened is how many sessions there were since the start.
// counts returns what the proxy has counted once all is quiet: a client may know of its refusal before that is counted.
func (w *tlsWorld) counts() messages.ProxyCounts {
	synctest.Wait()
	return w.proxy.Counts()
}

func (w *tlsWorld) opened() uint64 { return w.counts().SessionsOpened }

// seen returns the certificate of the proxy that a new connection sees.
func (w *tlsWorld) seen(cfg *tls.Config) (*x509.Certificate, error) {
	raw, err := w.net.dial(w.t.Context(), "")
	require.NoError(w.t, err)
	defer raw.Close()
	conn := tls.Client(raw, cfg)
	if err := conn.Handshake(); err != nil {
		return nil, err
	}
	// What the server thinks of the client's certificate comes behind the handshake.
	_, err = conn.Read(make([]byte, 1))
	return conn.ConnectionState().PeerCertificates[0], err
}

func stranger(of certtest.Issued) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &of.TLS, nil }}
}

// status is what became of the files of a flag, of the proxy or of the agents.
func (w *tlsWorld) status(flag string) files.Status {
	all := append(w.watcher.Statuses(), w.agentWatcher.Statuses()...)
	i := slices.IndexFunc(all, func(s files.Status) bool { return s.Flag == flag })
	require.GreaterOrEqual(w.t, i, 0, flag)
	return all[i]
}
