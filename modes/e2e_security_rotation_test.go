//go:build e2e && linux

package modes_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// rotated is how many light agents are connected while files change.
const rotated = 50

// secureDial is how light agents connect with TLS.
func secureDial(cfg *tls.Config) grpc.DialOption {
	return grpc.WithTransportCredentials(credentials.NewTLS(cfg))
}

// patientFlags let a proxy wait for agents that get no processor: what these tests look for is lost, and not late.
var patientFlags = []string{"--collect-timeout", "12s", "--http-write-timeout", "14s", "--agent-heartbeat-timeout", "2m"}

// asker asks for a page each second.
type asker struct {
	stop  chan struct{}
	done  sync.WaitGroup
	pages int
	wrong []string
}

// askEachSecond asks at once, and each second until the end of the test. Each page must have all light agents, and the texts.
func askEachSecond(addr string, light int, texts ...string) *asker {
	a := &asker{stop: make(chan struct{})}
	a.done.Go(func() {
		for tick := time.NewTicker(time.Second); ; {
			_, body, header, err := get(addr, "/metrics")
			if got := strings.Count(body, "\nsteady{"); got != light*loadSeries {
				err = errors.Join(err, fmt.Errorf("%d samples, missing: %s", got, header.Get("X-Fodc-Missing")))
			}
			for _, text := range texts {
				if !strings.Contains(body, text) {
					err = errors.Join(err, fmt.Errorf("no %s, missing: %s", text, header.Get("X-Fodc-Missing")))
				}
			}
			if a.pages++; err != nil && len(a.wrong) < 10 {
				a.wrong = append(a.wrong, fmt.Sprintf("page %d: %v", a.pages, err))
			}
			select {
			case <-a.stop:
				tick.Stop()
				return
			case <-tick.C:
			}
		}
	})
	return a
}

func (a *asker) requireAllWhole(t *testing.T) {
	t.Helper()
	close(a.stop)
	a.done.Wait()
	t.Logf("%d pages", a.pages)
	require.Empty(t, a.wrong)
	require.Positive(t, a.pages)
}

// steadyNames are the light agents.
func steadyNames(n int) (names []string) {
	for i := range n {
		names = append(names, steadyName(i))
	}
	return names
}

// rotation is a proxy and its agents whose certificates change.
type rotation struct {
	t      *testing.T
	g      *guarded
	proxy  *process
	agents []*process
	all    *x509.CertPool // that of a client which trusts all authorities of the test
	ends   time.Time
}

// comes returns how a client connects with a certificate of the authority.
func (r *rotation) comes(ca *certtest.CA) *tls.Config {
	c := r.g.client(ca.Issue(r.t, r.g.agent))
	c.RootCAs = r.all
	return c
}

// rotate replaces the certificates of both sides by ones of an authority that expire so many days later, and waits until a client
// of another authority sees that of the proxy, and until the metrics of all say when they expire.
func (r *rotation) rotate(days int, of, connects *certtest.CA, replace func(proxy, agent certtest.Issued)) {
	r.t.Helper()
	server, agent := r.g.server, r.g.agent
	server.NotAfter = r.ends.Add(time.Duration(days) * 24 * time.Hour)
	agent.NotAfter = server.NotAfter
	own, theirs := of.Issue(r.t, server), of.Issue(r.t, agent)
	replace(own, theirs)
	awaitShown(r.t, r.proxy.addr("grpc"), r.comes(connects), own)
	awaitExpiry(r.t, r.proxy, "proxy", "grpc-tls-cert-file", "proxy", own.Cert.NotAfter)
	for _, a := range r.agents {
		awaitExpiry(r.t, a, "agent", "proxy-cert-file", "agents", theirs.Cert.NotAfter)
	}
}

// All files of both sides change while 52 agents are connected and asked each second, by swapped links and by rename. No session
// is lost, no page misses a node, and new connections soon see the new ones.
func TestE2ESecurityRotation(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, append(steadyNames(rotated), "n1", "n2", "n3", "n4")...)
	next, third := certtest.NewCA(t, "next"), certtest.NewCA(t, "third")
	g.swapTokens("one")
	proxy, node := startProxy(t, append(g.proxyFlags("--grpc-agent-token-file", g.path("tokens/proxy")), patientFlags...)...), startNode(t, pageA)
	agents := make([]*process, 2)
	for i := range agents {
		agents[i] = startAgent(t, proxy, fmt.Sprint("n", i+1), "liaison", node.endpoint(), g.agentFlags("--proxy-token-file", g.path("tokens/agent"))...)
	}
	addr := proxy.addr("grpc")
	playSteadyAgents(t, addr, rotated, secureDial(g.client(g.ca.Issue(t, g.agent))), grpc.WithPerRPCCredentials(bearer("one")))
	texts := []string{`requests_total{path="/a",node_id="n1"`, `requests_total{path="/a",node_id="n2"`}
	awaitPage(t, proxy, "/metrics", append(texts, "\nsteady{")...)
	asked := askEachSecond(proxy.addr("http"), rotated, texts...)

	r := &rotation{t, g, proxy, agents, x509.NewCertPool(), time.Now().Add(30 * 24 * time.Hour).Truncate(time.Second)}
	for _, ca := range []*certtest.CA{g.ca, next, third} {
		r.all.AddCert(ca.Cert)
	}
	swap := func(proxy, agent certtest.Issued) {
		g.swapProxy(proxy, g.ca, next)
		g.swapAgent(agent, g.ca, next)
	}
	rename := func(proxy, agent certtest.Issued) {
		g.renamePair("proxy", proxy)
		g.renamePair("agent", agent)
	}
	r.rotate(0, g.ca, g.ca, swap)
	r.rotate(1, next, next, swap)
	r.rotate(2, next, g.ca, rename)
	g.rename("proxy/ca.crt", authorities([]*certtest.CA{g.ca, next, third}))
	g.rename("agent/ca.crt", authorities([]*certtest.CA{g.ca, next, third}))
	within(t, seenSoon, "an agent of the new authority comes in", func() error {
		_, err := handshake(t, addr, r.comes(third))
		return err
	})
	awaitExpiry(t, agents[0], "agent", "proxy-ca-file", "third", third.Cert.NotAfter)
	awaitExpiry(t, proxy, "proxy", "grpc-client-ca-file", "third", third.Cert.NotAfter)
	r.rotate(3, third, third, rename)
	g.swapTokens("one", "two")
	late := func(id string) {
		t.Helper()
		startAgent(t, proxy, id, "liaison", node.endpoint(), g.agentFlags("--proxy-token-file", g.path("tokens/agent"))...)
		awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="`+id+`"`)
	}
	late("n3")
	g.rename("tokens/proxy", tokenLines("one", "two", "three"))
	g.rename("tokens/agent", []byte("three"))
	late("n4")

	asked.requireAllWhole(t)
	self := page(t, proxy.addr("http"), "/metrics/self")
	require.Contains(t, self, fmt.Sprintf("fodc_proxy_sessions_opened_total %d\n", rotated+4))
	for _, line := range linesWith(self, "fodc_proxy_sessions_ended_total{") {
		require.True(t, strings.HasSuffix(line, " 0"), line)
	}
	for _, p := range append(agents, proxy) {
		require.Empty(t, p.said(brokenFiles))
		require.NotEmpty(t, p.said(goodFiles))
	}
}
