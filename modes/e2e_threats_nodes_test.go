//go:build e2e && linux

package modes_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fodc/messages/wire"
	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// A node whose agent's certificate and token are stolen stays one node.
func nodeCannotBeAnotherNode(t *testing.T, s *secured) {
	node := startNode(t, "forged 1\n")
	for _, id := range []string{"data-0", "data-9"} {
		agent := s.agent(id, "data-1", node.endpoint())
		s.linkError(agent, id)
		s.linkError(agent, "is not in the certificate, which has")
	}
	s.await("/cluster", `"data-0"`, `"data-1"`)
	require.NotContains(t, s.await("/cluster", ""), "data-9")
}

// The key of a session is of no use on another connection, not even with the certificate of the same node.
func nodeCannotUseTheSessionOfAnother(t *testing.T, s *secured) {
	own := s.ca.Issue(t, certtest.Leaf{DNS: []string{"data-8"}})
	j, err := s.register(s.trusting(own.TLS), agentToken, &wire.RegisterAgentRequest{NodeId: "data-8"})
	require.NoError(t, err)
	for _, creds := range []credentials.TransportCredentials{s.trusting(own.TLS), s.trusting(s.ca.Issue(t, certtest.Leaf{DNS: []string{"data-1"}}).TLS)} {
		ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), "agent_id", j.welcome.GetAgentId()), patience)
		defer cancel()
		metrics, err := s.dial(creds).StreamMetrics(ctx)
		require.NoError(t, err)
		_, err = metrics.Recv()
		require.Equal(t, codes.PermissionDenied, status.Code(err), "%v", err)
	}
	require.NotContains(t, s.proxy.log(), j.welcome.GetAgentId())
}

// evilText would be lines of their own, and steer a terminal, if it went anywhere as it is.
const evilText = "x\r\nX-Forged: 1\n{\"msg\":\"forged\"}\x1b[2J\u202e\u009b"

// What a node says of itself writes no line of its own, and steers no terminal: not in the log, not in answers, not in headers.
func nodeCannotWriteControlCharacters(t *testing.T, s *secured) {
	own := s.trusting(s.ca.Issue(t, certtest.Leaf{DNS: []string{"data-8"}}).TLS)
	let := 0
	for _, first := range []*wire.RegisterAgentRequest{{NodeId: evilText}, {NodeId: "data-8", PodName: evilText}, {NodeId: "data-8", NodeRole: evilText},
		{NodeId: "data-8", Labels: map[string]string{"zone": evilText}}, {NodeId: "data-8", Labels: map[string]string{evilText: "1"}},
		{NodeId: "data-8", AgentVersion: evilText}, {NodeId: "data-8", ContainerNames: []string{evilText}},
		{NodeId: "data-8", PrimaryAddress: &wire.Address{Ip: evilText, Port: 1}}} {
		if j, err := s.register(own, agentToken, first); err == nil {
			let++
			defer func() { _ = j.stream.CloseSend() }()
		}
	}
	t.Logf("%d registrations of 8 were let in", let)
	log, err := os.OpenFile(s.open.log, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	defer log.Close()
	_, err = fmt.Fprintf(log, "panic: tried\x1b[2J and \u202e\u009b and \r{\"msg\":\"forged\"}\n\ngoroutine 1 [running]:\nmain.main()\n\t/node/main.go:1 +0x1\nexit status 2\n")
	require.NoError(t, err)
	awaitPage(t, s.open.proxy, "/diagnostics", `"panic_value":"tried`)
	for _, path := range []string{"/cluster", "/metrics", "/sd", "/health", "/debug/actors?format=text", "/diagnostics"} {
		secured := s.ask(http.MethodGet, s.proxy.addr("http"), path, "", "Authorization", "Bearer "+readToken)
		status, body, header, err := get(s.open.proxy.addr("http"), path)
		require.NoError(t, err)
		for _, a := range []answer{secured, {status, body, header}} {
			require.Equal(t, http.StatusOK, a.status, path)
			require.Empty(t, a.header.Get("X-Forged"))
			require.False(t, strings.ContainsAny(a.body, "\x1b\r\u009b\u202e"), "%s: %q", path, a.body)
			require.NotContains(t, a.body, "\nX-Forged")
			require.NotContains(t, a.body, "\n{\"msg\"")
		}
	}
	for _, p := range []*process{s.proxy, s.open.proxy, s.open.agent} {
		require.Empty(t, p.said("forged"))
		require.False(t, strings.ContainsAny(p.log(), "\x1b\r\u202e\u009b"), "the log steers a terminal")
	}
}

// A node that leads its agent to another host does not get it to show its password there.
func nodeCannotSendPasswordsElsewhere(t *testing.T, s *secured) {
	var elsewhere atomic.Int64
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(thief.Close)
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(node.Close)
	scrape := s.write("redirected.yml", "basic_auth: {username: fodc, password: "+plantedSecret+"}\n")
	agent := start(t, agentArgs(s.open.proxy.addr("grpc"), "data-7", "datanode-hot", node.URL+"/metrics", "--scrape-config-file", scrape)...)
	eventually(t, "a scrape that is led elsewhere", func() error {
		_, body, _, err := get(agent.addr("agent"), "/health")
		if err == nil && !strings.Contains(body, strings.TrimPrefix(thief.URL, "http://")) {
			err = fmt.Errorf("the health is %s", body)
		}
		return err
	})
	require.Zero(t, elsewhere.Load())
}

// A session ends within seconds when no token of its name is left, and cannot be opened again.
func removedTokenCannotKeepItsSession(t *testing.T, s *secured) {
	creds := s.trusting(s.ca.Issue(t, certtest.Leaf{DNS: []string{"data-8"}}).TLS)
	j, err := s.register(creds, guestAgentToken, &wire.RegisterAgentRequest{NodeId: "data-8"})
	require.NoError(t, err)
	s.write("agent.tokens", tokenLine("agents", "agent", agentToken))
	s.requireEnded(j, "token")
	_, err = s.register(creds, guestAgentToken, &wire.RegisterAgentRequest{NodeId: "data-8"})
	require.Equal(t, codes.Unauthenticated, status.Code(err), "%v", err)
}

// A session ends within seconds when its authority is not trusted any more, and its connection cannot register again.
func removedAuthorityCannotStayConnected(t *testing.T, s *secured) {
	creds := s.trusting(s.guests.Issue(t, certtest.Leaf{DNS: []string{"data-8"}}).TLS)
	j, err := s.register(creds, agentToken, &wire.RegisterAgentRequest{NodeId: "data-8"})
	require.NoError(t, err)
	s.write("clients.crt", string(s.ca.CertPEM))
	s.requireEnded(j, "not trusted any more")
	_, err = registerWith(t, j.client, agentToken, &wire.RegisterAgentRequest{NodeId: "data-8"})
	require.Error(t, err)
	_, err = s.register(creds, agentToken, &wire.RegisterAgentRequest{NodeId: "data-8"})
	require.Equal(t, codes.Unavailable, status.Code(err), "%v", err)
}

// requireEnded waits for the end of a session, and requires the reason.
func (s *secured) requireEnded(j *joined, reason string) {
	s.t.Helper()
	s.proxy.kill(syscall.SIGHUP)
	late := time.AfterFunc(patience, func() { _ = j.stream.CloseSend() })
	defer late.Stop()
	var err error
	for err == nil {
		_, err = j.stream.Recv()
	}
	require.ErrorContains(s.t, err, reason)
}
