//go:build e2e && linux

package modes_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
)

const someOrder = `{"reason":"forged"}`

func readerCannotChange(t *testing.T, s *secured) {
	const some = "/incidents/01JZZZZZZZZZZZZZZZZZZZZZZZ"
	for _, addr := range []string{s.proxy.addr("http"), s.agents["data-0"].addr("agent")} {
		for _, c := range [][2]string{{http.MethodPost, "/incidents"}, {http.MethodPut, some + "/pin"}, {http.MethodDelete, some + "/pin"}, {http.MethodDelete, some}} {
			a := s.ask(c[0], addr, c[1], someOrder, "Authorization", "Bearer "+readToken, "Content-Type", "application/json")
			require.Equal(t, http.StatusForbidden, a.status, "%v: %s", c, a.body)
			a = s.ask(c[0], addr, c[1], someOrder, "Content-Type", "application/json")
			require.Equal(t, http.StatusUnauthorized, a.status, "%v: %s", c, a.body)
		}
	}
	require.NotContains(t, s.await("/incidents", ""), "forged")
	a := s.ask(http.MethodDelete, s.proxy.addr("http"), some, "", "Authorization", "Bearer "+operateToken)
	require.Equal(t, http.StatusNotFound, a.status, "who may operate is told that there is none: %s", a.body)
}

// What the settings themselves keep secret, and what agents mask, is on no page and in no log.
func readerCannotFindSecrets(t *testing.T, s *secured) {
	scrape := s.write("scrape.yml", "authorization: {credentials: "+plantedSecret+"}\nhttp_headers: {X-Key: {secrets: ["+plantedSecret+"]}}\n")
	s.issue(s.ca, "data-6", certtest.Leaf{DNS: []string{"data-6"}})
	agent := s.agent("data-6", "data-6", startNode(t, "ok 1\n").endpoint(), append(s.http(), "--node-config-file", s.path("open.yml"), "--scrape-config-file", scrape, "--log-level", "debug")...)
	awaitPage(t, s.open.proxy, "/cluster/config", "storage.endpoint")
	s.await("/cluster/config", "data-6", "storage.endpoint")
	var shown strings.Builder
	for _, path := range []string{"/cluster", "/cluster/config", "/cluster/config?diff=1", "/metrics", "/metrics/self", "/health", "/debug/actors?format=text", "/incidents"} {
		shown.WriteString(s.ask(http.MethodGet, s.proxy.addr("http"), path, "", "Authorization", "Bearer "+readToken).body)
		shown.WriteString(page(t, s.open.proxy.addr("http"), path))
	}
	for _, path := range []string{"/metrics", "/health", "/debug/actors?format=text", "/incidents"} {
		shown.WriteString(s.ask(http.MethodGet, agent.addr("agent"), path, "", "Authorization", "Bearer "+readToken).body)
		shown.WriteString(page(t, s.open.agent.addr("agent"), path))
	}
	shown.WriteString(s.proxy.log() + s.open.proxy.log() + agent.log() + s.open.agent.log())
	require.Contains(t, shown.String(), "***")
	for _, secret := range []string{plantedSecret, readToken, operateToken, agentToken, securedPassword, guestPassword, "BEGIN PRIVATE KEY"} {
		require.NotContains(t, shown.String(), secret)
	}
}

// sessionKeys are those in the answers to registrations, as they go over a connection without TLS: field 4, 26 letters and digits.
var sessionKeys = regexp.MustCompile("\x22\x1a([A-Z2-7]{26})")

// The key of a session is on no page of proxy and agent, and in no log. What is shown in its place opens no stream.
func readerCannotFindAKey(t *testing.T, s *secured) {
	awaitPage(t, s.open.proxy, "/metrics", `planted{node_id="data-0"`)
	keys := s.open.wire.find(sessionKeys)
	require.NotEmpty(t, keys, "the test does not know the key")
	stranger := strangerFrom(t, "127.0.0.1", s.open.proxy.addr("grpc"))
	require.Equal(t, map[codes.Code]int{codes.PermissionDenied: 6}, stranger.forge(keys[len(keys)-1]), "it is one, of another connection")
	ids := shownIDs(t, s.open.proxy, s.open.agent)
	require.Contains(t, ids, agentIDOf(t, s.open.agent))
	for _, id := range ids {
		for _, key := range keys {
			require.NotContains(t, strings.ToUpper(id), key)
		}
	}
	require.Equal(t, map[codes.Code]int{codes.NotFound: 6}, stranger.forge(agentIDOf(t, s.open.agent)))
}

// Pages of other sites cannot let a browser change something, even with the login that the browser has.
func otherSiteCannotAct(t *testing.T, s *secured) {
	login := []string{"Authorization", basic("alice", securedPassword), "Content-Type", "application/json"}
	for _, from := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		a := s.ask(http.MethodPost, s.proxy.addr("http"), "/incidents", someOrder, append(from, login...)...)
		require.Equal(t, http.StatusForbidden, a.status, "%v: %s", from, a.body)
	}
	a := s.ask(http.MethodPost, s.proxy.addr("http"), "/incidents", someOrder, "Authorization", login[1], "Content-Type", "text/plain")
	require.Equal(t, http.StatusBadRequest, a.status, a.body)
	require.NotContains(t, s.await("/incidents", ""), "forged")
}

// A name of another site that leads to this machine is answered by no server at a loopback address.
func otherSiteCannotReadLoopback(t *testing.T, s *secured) {
	for _, addr := range []string{s.open.proxy.addr("http"), s.open.agent.addr("agent")} {
		for _, path := range []string{"/", "/metrics", "/incidents", "/ui/", "/debug/actors", "/nothing"} {
			for host, want := range map[string]bool{"evil.example": false, "localhost.evil.example": false, "127.0.0.1.evil.example:80": false, "localhost": true} {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, nil)
				require.NoError(t, err)
				r.Host = host
				resp, err := http.DefaultTransport.RoundTrip(r)
				require.NoError(t, err)
				_ = resp.Body.Close()
				require.Equal(t, want, resp.StatusCode != http.StatusForbidden, "%s %s", host, path)
			}
		}
	}
}

// Users and tokens that are removed end within seconds, on open connections, too. Others notice nothing.
func removedReaderCannotComeBack(t *testing.T, s *secured) {
	servers := map[*process]string{s.proxy: s.proxy.addr("http"), s.agents["data-0"]: s.agents["data-0"].addr("agent")}
	mallory := []string{basic("mallory", guestPassword), "Bearer " + guestToken}
	for _, addr := range servers {
		for _, login := range mallory {
			require.Equal(t, http.StatusOK, s.ask(http.MethodGet, addr, "/metrics", "", "Authorization", login).status)
		}
	}
	s.writeUsers("alice", securedPassword)
	s.write("http.tokens", tokenLine("grafana", "read", readToken)+tokenLine("oncall", "operate", operateToken))
	for p, addr := range servers {
		p.kill(syscall.SIGHUP)
		for _, login := range mallory {
			eventually(t, "the end of "+login, func() error {
				if status := s.ask(http.MethodGet, addr, "/metrics", "", "Authorization", login).status; status != http.StatusUnauthorized {
					return fmt.Errorf("status %d", status)
				}
				return nil
			})
		}
		for _, login := range []string{basic("alice", securedPassword), "Bearer " + readToken} {
			require.Equal(t, http.StatusOK, s.ask(http.MethodGet, addr, "/metrics", "", "Authorization", login).status)
		}
	}
}
