//go:build e2e && linux

package modes_test

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"

	"fodc/messages"
	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
)

// tokenLines returns the lines of a --grpc-agent-token-file.
func tokenLines(tokens ...string) []byte {
	var text strings.Builder
	for i, token := range tokens {
		text.WriteString(tokenLine(fmt.Sprint("agents-", i), "agent", token))
	}
	return []byte(text.String())
}

// Agents with certificates and tokens come in, and their page is whole. Who lacks one of them, or claims another node, is refused,
// and the log of the proxy says why.
func TestE2ESecurityMutualTLS(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, "n1", "n2", "n3")
	g.rename("proxy/tokens", tokenLines("planted-token"))
	g.rename("agent/token", []byte("planted-token\n"))
	g.rename("agent/wrong", []byte("planted-wrong\n"))
	proxy, node := startProxy(t, g.proxyFlags("--grpc-agent-token-file", g.path("proxy/tokens"))...), startNode(t, pageA)
	start := func(id, token string) *process {
		return startAgent(t, proxy, id, "liaison", node.endpoint(), g.agentFlags("--proxy-token-file", g.path(token))...)
	}
	first := start("n1", "agent/token")
	start("n2", "agent/token")
	start("n3", "agent/token")
	awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="n1"`, `requests_total{path="/a",node_id="n2"`, `requests_total{path="/a",node_id="n3"`)
	requireUndisturbed(t, proxy, 3)

	addr := proxy.addr("grpc")
	_, err := registerBaseline(t, addr, "p", nil)
	require.Error(t, err)
	awaitLogged(t, proxy, "a handshake of TLS has failed: the peer speaks no TLS (an agent needs --proxy-tls)", "peer", "127.0.0.1:")
	_, err = registerBaseline(t, addr, "p", g.bare())
	require.Error(t, err)
	awaitLogged(t, proxy, "a handshake of TLS has failed: the peer shows no certificate (an agent needs --proxy-cert-file, or this proxy --grpc-client-auth=optional)",
		"peer", "127.0.0.1:")
	_, err = registerBaseline(t, addr, "n3", g.client(g.ca.Issue(t, certtest.Leaf{DNS: []string{"n3"}})))
	require.ErrorContains(t, err, "token")
	awaitHealth(t, start("n1", "agent/wrong"), "the token is not one of --grpc-agent-token-file")
	awaitHealth(t, start("n9", "agent/token"), "is not in the certificate")
	bare := startAgent(t, proxy, "n4", "liaison", node.endpoint(), "--reconnect-interval", "1s")
	awaitHealth(t, bare, "the proxy may want TLS (--proxy-tls)")
	requireUndisturbed(t, proxy, 3)
	requireNothingPlanted(t, proxy, first)
}

// Where certificates are optional, baseline agents without one come in by TLS. One of an authority that is not trusted stays out.
func TestE2ESecurityOptionalCertificates(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, "n1")
	proxy, node := startProxy(t, g.proxyFlags("--grpc-client-auth", "optional")...), startNode(t, pageA)
	startAgent(t, proxy, "n1", "liaison", node.endpoint(), g.agentFlags()...)
	a, err := registerBaseline(t, proxy.addr("grpc"), "p", g.bare())
	require.NoError(t, err)
	a.serve(messages.StreamMetrics)
	awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="n1"`, "\nplayed{")
	requireUndisturbed(t, proxy, 2)
	require.Contains(t, page(t, proxy.addr("http"), "/metrics/self"), "fodc_proxy_agents_unverified 1\n")
	marked, _ := cluster(t, proxy)
	require.Equal(t, map[string]bool{"n1": true, "p": false}, map[string]bool{marked[0].NodeID: marked[0].Verified, marked[1].NodeID: marked[1].Verified})
	other := certtest.NewCA(t, "other")
	_, err = registerBaseline(t, proxy.addr("grpc"), "q", g.client(other.Issue(t, certtest.Leaf{DNS: []string{"q"}})))
	require.Error(t, err)
	awaitLogged(t, proxy, "a handshake of TLS has failed: the peer's certificate is of no authority in --grpc-client-ca-file", "reason", "unknown_authority")
	_, err = registerBaseline(t, proxy.addr("grpc"), "n1", g.bare())
	require.Error(t, err, "a node with a certificate is not taken by an agent without one")
	requireUndisturbed(t, proxy, 2)
}

// A standalone process speaks TLS with its own agent, too, and lets no stranger in.
func TestE2ESecurityStandalone(t *testing.T) {
	t.Parallel()
	g, node := newGuarded(t, "n2"), startNode(t, pageA)
	p := start(t, append([]string{"standalone", "--grpc-listen-addr", "127.0.0.1:0", "--http-listen-addr", "127.0.0.1:0", "--prometheus-listen-addr", "127.0.0.1:0",
		"--node-id", "n1", "--metrics-endpoint", node.endpoint(), "--poll-metrics-interval", "1s", "--host-telemetry=false"}, g.proxyFlags()...)...)
	startAgent(t, p, "n2", "liaison", node.endpoint(), g.agentFlags()...)
	awaitPage(t, p, "/metrics", `requests_total{path="/a",node_id="n1"`, `requests_total{path="/a",node_id="n2"`)
	awaitStatuses(t, p, "n1", "online", "n2", "online")
	_, err := registerBaseline(t, p.addr("grpc"), "p", g.bare())
	require.Error(t, err)
	_, err = registerBaseline(t, p.addr("grpc"), "n1", g.client(g.ca.Issue(t, g.agent)))
	require.Error(t, err, "the node of the process is its agent's")
	awaitStatuses(t, p, "n1", "online", "n2", "online")
}

// Neither side goes on with an older version or without encryption, with another authority, or with another name.
func TestE2ESecurityRefusals(t *testing.T) {
	t.Parallel()
	g, other := newGuarded(t, "n1", "n2"), certtest.NewCA(t, "other")
	proxy, plain, node := startProxy(t, g.proxyFlags()...), startProxy(t), startNode(t, pageA)
	addr, agent := proxy.addr("grpc"), g.ca.Issue(t, g.agent)
	older := g.client(agent)
	older.MaxVersion = tls.VersionTLS12
	_, err := handshake(t, addr, older)
	require.ErrorContains(t, err, "protocol version")
	_, err = handshake(t, addr, g.client(other.Issue(t, g.agent)))
	require.ErrorContains(t, err, "unknown certificate authority")
	_, err = handshake(t, addr, g.client(g.ca.Issue(t, g.server)))
	require.Error(t, err, "the certificate of a server is none of an agent")
	_, err = handshake(t, addr, g.client(agent))
	require.NoError(t, err)
	for _, reason := range []string{"version", "unknown_authority", "other"} {
		awaitPage(t, proxy, "/metrics/self", fmt.Sprintf("fodc_proxy_handshakes_failed_total{reason=%q} 1\n", reason))
	}

	refused := func(says, addr string, more ...string) {
		t.Helper()
		a := start(t, agentArgs(addr, "n1", "liaison", node.endpoint(), g.agentFlags(more...)...)...)
		awaitHealth(t, a, says)
	}
	refused("the proxy speaks no version of TLS that --proxy-tls-min-version allows, or the other way around", olderServer(t, g.ca.Issue(t, g.server)))
	refused("the proxy speaks no TLS: it needs --grpc-tls-cert-file, or this agent no --proxy-tls", plain.addr("grpc"))
	refused("the proxy's certificate is of no authority that is trusted", addr, "--proxy-ca-file", other.Write(t, g.dir, "other"))
	refused("the proxy's certificate is for 127.0.0.1, and not for", addr, "--proxy-server-name", "proxy.example")
	cert, key := other.Issue(t, g.agent).Write(t, g.dir, "strange")
	refused("the proxy trusts the authority of no certificate in --proxy-cert-file", addr, "--proxy-cert-file", cert, "--proxy-key-file", key)
	require.Empty(t, statuses(t, proxy))
	require.Empty(t, statuses(t, plain))
}

// An agent whose authority is removed loses its session and comes back with a certificate of another one; others stay.
func TestE2ESecurityRevocationByRemoval(t *testing.T) {
	t.Parallel()
	g, good := newGuarded(t, "n1"), certtest.NewCA(t, "good")
	g.rename("proxy/ca.crt", authorities([]*certtest.CA{g.ca, good}))
	proxy, node := startProxy(t, g.proxyFlags()...), startNode(t, pageA)
	agent := startAgent(t, proxy, "n1", "liaison", node.endpoint(), g.agentFlags()...)
	playSteadyAgents(t, proxy.addr("grpc"), 1, secureDial(g.client(good.Issue(t, certtest.Leaf{DNS: []string{steadyName(0)}}))))
	awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="n1"`, "\nsteady{")
	g.rename("proxy/ca.crt", good.CertPEM)
	within(t, seenSoon+patience, "the agent is out", func() error {
		if got := statuses(t, proxy)["n1"]; got != "unconnected" {
			return fmt.Errorf("it is %s", got)
		}
		return nil
	})
	awaitHealth(t, agent, "the proxy trusts the authority of no certificate in --proxy-cert-file")
	body := page(t, proxy.addr("http"), "/metrics")
	require.Equal(t, loadSeries, strings.Count(body, "\nsteady{"))
	require.NotContains(t, body, `requests_total{path="/a",node_id="n1"`)
	g.renamePair("agent", good.Issue(t, g.agent))
	awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="n1"`, "\nsteady{")
	require.Contains(t, page(t, proxy.addr("http"), "/metrics/self"), "fodc_proxy_sessions_opened_total 3\n", "the other one has lost nothing")
}
