package modes

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"fodc/httpapi"
	"fodc/messages"
	"fodc/messages/wire"
	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// inIdentityWorld is inTLSWorld without a first agent.
func inIdentityWorld(t *testing.T, prepare, test func(*testing.T, *tlsWorld)) {
	t.Helper()
	inTLSWorld(t, func(t *testing.T, w *tlsWorld) {
		w.empty = true
		prepare(t, w)
	}, test)
}

// joining is an agent with what it shows.
type joining struct {
	node, pod string
	leaf      *certtest.Leaf // its certificate; nil: it has none
	tokenFile string         // empty: it has none
}

func named(dns ...string) *certtest.Leaf { return &certtest.Leaf{DNS: dns} }

// join starts an agent, and gives it time to register.
func (w *tlsWorld) join(j joining) *clusterAgent {
	w.t.Helper()
	link := LinkSecurityConfig{TLS: true, CAFile: w.path("proxies.crt"), TokenFile: j.tokenFile}
	if j.leaf != nil {
		link.CertFile, link.KeyFile = w.ca.Issue(w.t, *j.leaf).Write(w.t, w.dir, fmt.Sprint("own", len(w.agents)))
	}
	security, err := link.start(w.agentWatcher)
	require.NoError(w.t, err)
	a := w.startAgent(messages.Registration{NodeID: j.node, PodName: j.pod, Role: "liaison"}, security)
	w.pass(time.Second)
	return a
}

// requireRefused requires that the newest agent has no session, and that both sides say why.
func (w *tlsWorld) requireRefused(a *clusterAgent, reason, why string) {
	w.t.Helper()
	require.Contains(w.t, w.linkErrorOf(a), fmt.Sprintf("the proxy refuses the registration: %q", why))
	require.NotZero(w.t, w.counts().Refused[reason], "%v", w.counts().Refused)
	for _, line := range w.logs.FilterMessage("registration refused").All() {
		if fields := line.ContextMap(); fields["reason"] == reason && fields["error"] == why {
			return
		}
	}
	require.Fail(w.t, "the proxy's log does not say why", "%v", w.logs.FilterMessage("registration refused").All())
}

// writeTokens makes the tokens, name by name, those that are good.
func (w *tlsWorld) writeTokens(nameAndToken ...string) {
	text := "# of agents\n"
	for i := 0; i < len(nameAndToken); i += 2 {
		text += fmt.Sprintf("%s agent sha256:%x\n", nameAndToken[i], sha256.Sum256([]byte(nameAndToken[i+1])))
	}
	certtest.WriteFile(w.t, w.path("tokens"), []byte(text))
}

// writeToken makes the token that of an agent's file, and returns the path.
func (w *tlsWorld) writeToken(name, token string) string {
	return certtest.WriteFile(w.t, w.path(name+".token"), []byte(token+"\n"))
}

// wantTokens lets a proxy in a world have a file of tokens.
func wantTokens(nameAndToken ...string) func(*testing.T, *tlsWorld) {
	return func(_ *testing.T, w *tlsWorld) {
		w.server.TokenFile = w.path("tokens")
		w.writeTokens(nameAndToken...)
	}
}

func certificatesOptional(_ *testing.T, w *tlsWorld) { w.server.ClientAuth = clientAuthOptional }

// handler is the proxy's HTTP API.
func (w *tlsWorld) handler() http.Handler {
	a := &httpapi.ProxyAPI{Collect: w.proxy.Collect, Cluster: w.proxy.Cluster, Configs: w.proxy.Configs, Crashes: w.proxy.Crashes, Consistency: w.proxy.Consistency,
		Tree: w.sys.Tree, Counts: w.sys.Counts, ProxyCounts: w.proxy.Counts, Process: processUsage, MaxInFlightBytes: 1 << 30,
		Ready: func() bool { return true }, CollectTimeout: clusterPatience, StartedAt: time.Now(), Log: zap.NewNop()}
	return a.Handler()
}

// get returns an answer of the proxy over HTTP.
func (w *tlsWorld) get(target string) string {
	w.t.Helper()
	answer := httptest.NewRecorder()
	w.handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, target, nil))
	require.Equal(w.t, http.StatusOK, answer.Code, answer.Body.String())
	return answer.Body.String()
}

// client is a connection of somebody who speaks the contract, with or without a certificate.
func (w *tlsWorld) client(cfg *tls.Config) *grpc.ClientConn {
	conn, err := grpc.NewClient("passthrough:///proxy", grpc.WithTransportCredentials(credentials.NewTLS(cfg)),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return w.net.dial(ctx, "") }))
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// withoutCertificate is how a baseline agent behind a tunnel connects.
func withoutCertificate() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// register registers on a connection with a role, and returns the answer.
func (w *tlsWorld) register(ctx context.Context, conn *grpc.ClientConn, r *wire.RegisterAgentRequest) (grpc.BidiStreamingClient[wire.RegisterAgentRequest, wire.RegisterAgentResponse], *wire.RegisterAgentResponse) {
	w.t.Helper()
	r.NodeRole = "data"
	s, err := wire.NewFODCServiceClient(conn).RegisterAgent(ctx)
	require.NoError(w.t, err)
	require.NoError(w.t, s.Send(r))
	welcome, err := s.Recv()
	require.NoError(w.t, err)
	return s, welcome
}
