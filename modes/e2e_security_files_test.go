//go:build e2e && linux

package modes_test

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
)

// No version of a file that cannot be used is taken: what was there before stays in force, log and metrics say what is wrong.
func TestE2ESecurityBrokenFiles(t *testing.T) {
	t.Parallel()
	g, other := newGuarded(t, "n1"), certtest.NewCA(t, "other")
	g.rename("proxy/tokens", tokenLines("one"))
	g.rename("agent/token", []byte("one"))
	proxy, node := startProxy(t, append(g.proxyFlags("--grpc-agent-token-file", g.path("proxy/tokens")), patientFlags...)...), startNode(t, pageA)
	agent := startAgent(t, proxy, "n1", "liaison", node.endpoint(), g.agentFlags("--proxy-token-file", g.path("agent/token"))...)
	awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="n1"`)
	addr, comes := proxy.addr("grpc"), g.client(g.ca.Issue(t, g.agent))
	before, err := handshake(t, addr, comes)
	require.NoError(t, err)
	broken := func(p *process, server, flag, why string) {
		t.Helper()
		p.kill(syscall.SIGHUP)
		awaitLogged(t, p, brokenFiles, "error", why)
		awaitFile(t, p, server, flag, false)
	}
	both := func(why string, spoil func(l certtest.Leaf) certtest.Issued) {
		t.Helper()
		g.renamePair("proxy", spoil(g.server))
		g.renamePair("agent", spoil(g.agent))
		broken(proxy, "proxy", "grpc-tls-cert-file", why)
		broken(agent, "agent", "proxy-cert-file", why)
		state, err := handshake(t, addr, comes)
		require.NoError(t, err, why)
		require.True(t, state.PeerCertificates[0].Equal(before.PeerCertificates[0]), why)
	}
	both("has expired at", func(l certtest.Leaf) certtest.Issued {
		l.NotBefore, l.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		return g.ca.Issue(t, l)
	})
	both("is not valid before", func(l certtest.Leaf) certtest.Issued {
		l.NotBefore = time.Now().Add(time.Hour)
		return g.ca.Issue(t, l)
	})
	both("does not fit the certificate", func(l certtest.Leaf) certtest.Issued {
		i := g.ca.Issue(t, l)
		i.KeyPEM = g.ca.Issue(t, l).KeyPEM
		return i
	})
	both("is cut short, or broken", func(l certtest.Leaf) certtest.Issued {
		i := g.ca.Issue(t, l)
		i.CertPEM = i.CertPEM[:len(i.CertPEM)/2]
		return i
	})
	for why, text := range map[string][]byte{"ca.crt\" has no certificate in PEM": nil, "ca.crt\" is cut short, or broken": other.CertPEM[:200],
		"and none of an authority": g.ca.Issue(t, g.agent).CertPEM} {
		g.rename("proxy/ca.crt", text)
		g.rename("agent/ca.crt", text)
		broken(proxy, "proxy", "grpc-client-ca-file", why)
		broken(agent, "agent", "proxy-ca-file", why)
		_, err := handshake(t, addr, comes)
		require.NoError(t, err)
	}
	g.rename("proxy/tokens", []byte("one two"))
	g.rename("agent/token", nil)
	broken(proxy, "proxy", "grpc-agent-token-file", "line 1")
	broken(agent, "agent", "proxy-token-file", "is empty")
	requireUndisturbed(t, proxy, 1)
	requireMended(t, g, proxy, agent)
}

// requireMended repairs all files, and requires that they are in use.
func requireMended(t *testing.T, g *guarded, proxy, agent *process) {
	t.Helper()
	g.renamePair("proxy", g.ca.Issue(t, g.server))
	g.renamePair("agent", g.ca.Issue(t, g.agent))
	g.rename("proxy/ca.crt", g.ca.CertPEM)
	g.rename("agent/ca.crt", g.ca.CertPEM)
	g.rename("proxy/tokens", tokenLines("one"))
	g.rename("agent/token", []byte("one"))
	for _, flag := range []string{"grpc-tls-cert-file", "grpc-client-ca-file", "grpc-agent-token-file"} {
		awaitFile(t, proxy, "proxy", flag, true)
	}
	for _, flag := range []string{"proxy-cert-file", "proxy-ca-file", "proxy-token-file"} {
		awaitFile(t, agent, "agent", flag, true)
	}
	requireUndisturbed(t, proxy, 1)
}

// Certificates that are of another name or authority can be read: which ones the other side wants, no process knows of itself. Who
// lives stays. Whoever connects anew is refused: logs and metrics of both sides say why, and the right ones mend it.
func TestE2ESecurityCertificatesForOthers(t *testing.T) {
	t.Parallel()
	g, other := newGuarded(t, "n1", "n2"), certtest.NewCA(t, "other")
	proxy, node := startProxy(t, g.proxyFlags()...), startNode(t, pageA)
	agent := startAgent(t, proxy, "n1", "liaison", node.endpoint(), g.agentFlags()...)
	awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="n1"`)
	refused := func(health, counter string) {
		t.Helper()
		late := startAgent(t, proxy, "n2", "liaison", node.endpoint(), g.agentFlags()...)
		awaitHealth(t, late, health)
		awaitLogged(t, late, "cannot register with the proxy", "cause", health)
		within(t, patience, counter, func() error {
			n, err := valueOf(page(t, proxy.addr("http"), "/metrics/self"), counter)
			if err == nil && n == 0 {
				err = errors.New("nothing is counted")
			}
			return err
		})
		late.kill(syscall.SIGKILL)
		requireUndisturbed(t, proxy, 1)
	}
	for health, own := range map[string]certtest.Issued{
		"and not for": g.ca.Issue(t, certtest.Leaf{CN: "proxy", DNS: []string{"elsewhere"}}),
		"the proxy's certificate is of no authority that is trusted": other.Issue(t, g.server),
	} {
		g.renamePair("proxy", own)
		proxy.kill(syscall.SIGHUP)
		anyone := g.client(g.ca.Issue(t, g.agent))
		anyone.InsecureSkipVerify = true
		awaitShown(t, proxy.addr("grpc"), anyone, own)
		refused(health, `fodc_proxy_handshakes_failed_total{reason="other"}`)
	}
	own := g.ca.Issue(t, g.server)
	g.renamePair("proxy", own)
	proxy.kill(syscall.SIGHUP)
	awaitShown(t, proxy.addr("grpc"), g.client(g.ca.Issue(t, g.agent)), own)
	for _, c := range []struct {
		own             certtest.Issued
		health, counter string
	}{
		{other.Issue(t, g.agent), "the proxy trusts the authority of no certificate in --proxy-cert-file", `fodc_proxy_handshakes_failed_total{reason="unknown_authority"}`},
		{g.ca.Issue(t, certtest.Leaf{DNS: []string{"n9"}}), "is not in the certificate", `fodc_proxy_registrations_refused_total{reason="certificate"}`},
	} {
		g.renamePair("agent", c.own)
		refused(c.health, c.counter)
	}
	g.renamePair("agent", g.ca.Issue(t, g.agent))
	startAgent(t, proxy, "n2", "liaison", node.endpoint(), g.agentFlags()...)
	awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="n1"`, `requests_total{path="/a",node_id="n2"`)
	requireUndisturbed(t, proxy, 2)
	require.Empty(t, agent.said(brokenFiles))
}

// A file that cannot be used ends a process at its start with 1. The last line names the flag, the file and the reason.
func TestE2ESecurityFilesAtTheStart(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, "n1")
	certtest.WriteFile(t, g.path("short"), g.ca.CertPEM[:200])
	proxy := []string{"proxy", "--grpc-listen-addr", "127.0.0.1:0", "--http-listen-addr", "127.0.0.1:0"}
	standalone := append([]string{"standalone", "--prometheus-listen-addr", "127.0.0.1:0"}, proxy[1:]...)
	agent := agentArgs("127.0.0.1:1", "n1", "data", "http://127.0.0.1:1/metrics")
	f := func(flag, file, reason string, args ...string) {
		t.Helper()
		requireNoStart(t, args, "--"+flag+": ", g.path(file), reason)
	}
	with := func(args, flags []string, more ...string) []string {
		return append(append(append([]string{}, args...), flags...), more...)
	}
	f("grpc-tls-cert-file", "gone", "no such file", with(proxy, g.proxyFlags(), "--grpc-tls-cert-file", g.path("gone"))...)
	f("grpc-tls-cert-file", "agent/tls.key", "does not fit", with(standalone, g.proxyFlags(), "--grpc-tls-key-file", g.path("agent/tls.key"))...)
	past, future := g.server, g.server
	past.NotBefore, past.NotAfter, future.NotBefore = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	for name, l := range map[string]certtest.Leaf{"has expired at": past, "is not valid before": future} {
		cert, key := g.ca.Issue(t, l).Write(t, g.dir, "times")
		f("grpc-tls-cert-file", "times.crt", name, with(proxy, g.proxyFlags(), "--grpc-tls-cert-file", cert, "--grpc-tls-key-file", key)...)
		f("proxy-cert-file", "times.crt", name, with(agent, g.agentFlags(), "--proxy-cert-file", cert, "--proxy-key-file", key)...)
	}
	f("grpc-client-ca-file", "short", "is cut short", with(proxy, g.proxyFlags(), "--grpc-client-ca-file", g.path("short"))...)
	f("grpc-agent-token-file", "short", "line 1", with(proxy, g.proxyFlags(), "--grpc-agent-token-file", g.path("short"))...)
	f("proxy-ca-file", "short", "is cut short", with(agent, g.agentFlags(), "--proxy-ca-file", g.path("short"))...)
	f("proxy-cert-file", "gone", "no such file", with(agent, g.agentFlags(), "--proxy-cert-file", g.path("gone"))...)
	f("proxy-token-file", "short", "has more than a token", with(agent, g.agentFlags(), "--proxy-token-file", g.path("short"))...)
}

// requireNoStart requires that a process ends at once with 1, and that the error in its log has all texts.
func requireNoStart(t *testing.T, args []string, texts ...string) {
	t.Helper()
	p := start(t, args...)
	code, _ := p.exitCode(patience)
	require.Equal(t, 1, code, p.log())
	failed := p.said("ended by a failure")
	require.Len(t, failed, 1)
	for _, text := range texts {
		require.Contains(t, failed[0]["error"], text)
	}
}
