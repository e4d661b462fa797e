//go:build e2e && linux

package modes_test

import (
	"crypto/tls"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"fodc/httpapi/promapi"
	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// routesOf are the routes that a running server has, with something in the place of parameters: its own as it lists them, and those of the API
// of Prometheus as the program has them. The others that are asked beside are in no list.
func (s *secured) routesOf(addr, login string) map[string][]string {
	s.t.Helper()
	list := s.ask(http.MethodGet, addr, "/ui/server.json", "", "Authorization", login)
	var listed struct {
		Routes []struct {
			Path    string
			Methods []string
		}
	}
	require.NoError(s.t, json.Unmarshal([]byte(list.body), &listed), "%s", list.body)
	require.Greater(s.t, len(listed.Routes), 10)
	filled := strings.NewReplacer("{node_id}", "n1", "{pod_name}", "p", "{profile_id}", "1", "{type}", "heap", "{name}", "node_id",
		"{incident_id}", "01JZZZZZZZZZZZZZZZZZZZZZZZ", "{path}", "nodes/n1/x")
	routes := map[string][]string{}
	for _, r := range listed.Routes {
		routes[filled.Replace(r.Path)] = r.Methods
	}
	for _, r := range promapi.New(promapi.Config{Log: zap.NewNop()}).Routes() {
		routes[filled.Replace(r.Path)] = r.Methods
	}
	for _, path := range []string{"/", "/ui", "/ui/", "/ui/index.html", "/ui/server.json", "/nothing", "/api/v1/nothing", "/debug/pprof/", "//metrics", "/-/healthy/", "/-/healthy/../../metrics"} {
		routes[path] = []string{http.MethodGet, http.MethodHead}
	}
	return routes
}

// guardedServer is an HTTP server and the logins of those whom it answers.
type guardedServer struct {
	addr                       string
	reads, operates, strangers []string
}

// requireGuarded asks each route with each method: strangers are refused, those who may read are answered, and those who may
// operate are told what is wrong with their orders.
func (s *secured) requireGuarded(g guardedServer) {
	s.t.Helper()
	routes := s.routesOf(g.addr, g.reads[0])
	answers, refused := 0, 0
	for _, path := range slices.Sorted(maps.Keys(routes)) {
		open := path == "/-/healthy" || path == "/-/ready"
		for _, method := range routes[path] {
			changes := strings.HasPrefix(path, "/incidents") && method != http.MethodGet && method != http.MethodHead
			ask := func(login string) answer {
				return s.ask(method, g.addr, path, "", "Authorization", login)
			}
			for _, login := range g.strangers {
				a := ask(login)
				if refused++; open {
					require.Equal(s.t, http.StatusOK, a.status, "%s %s: %s", method, path, a.body)
					continue
				}
				require.Equal(s.t, http.StatusUnauthorized, a.status, "%s %s %q: %s", method, path, login, a.body)
				require.Contains(s.t, a.header.Values("WWW-Authenticate"), `Bearer realm="fodc"`, "%s %s", method, path)
				require.NotContains(s.t, a.body, "n1")
			}
			for _, login := range g.reads {
				if a := ask(login); changes {
					require.Equal(s.t, http.StatusForbidden, a.status, "%s %s %q: %s", method, path, login, a.body)
				} else {
					requireAnswered(s.t, a, method+" "+path)
				}
			}
			for _, login := range g.operates {
				requireAnswered(s.t, ask(login), method+" "+path)
			}
			answers += len(g.reads) + len(g.operates)
		}
	}
	s.t.Logf("%d routes: %d requests of strangers, %d of others", len(routes), refused, answers)
}

// requireAnswered requires that who has asked is let in, even if there is no such thing, or the order is not complete.
func requireAnswered(t *testing.T, a answer, what string) {
	t.Helper()
	switch a.status {
	case http.StatusOK, http.StatusNoContent, http.StatusSeeOther, http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed:
	default:
		require.Fail(t, "not answered", "%s: %d %s", what, a.status, a.body)
	}
}

// TestE2ERoutesAreGuarded: of a standalone process, its agent's server and an agent, each with users and tokens, and of an agent
// with required client certificates, a stranger gets no route but the probes.
func TestE2ERoutesAreGuarded(t *testing.T) {
	t.Parallel()
	s := startForClients(t)
	node := startNode(t, pageA).endpoint()
	operator := append(s.http(), "--http-operator", "alice")
	standalone := start(t, append([]string{"standalone", "--grpc-listen-addr", "127.0.0.1:0", "--http-listen-addr", "127.0.0.1:0", "--prometheus-listen-addr", "127.0.0.1:0",
		"--node-id", "n1", "--metrics-endpoint", node, "--poll-metrics-interval", "1s", "--host-telemetry=false"}, operator...)...)
	agent := start(t, agentArgs("127.0.0.1:1", "n1", "liaison", node, append(operator, "--storage-dir", t.TempDir())...)...)
	people := guardedServer{reads: []string{"Bearer " + readToken}, operates: []string{basic("alice", securedPassword), "Bearer " + operateToken},
		strangers: []string{"", "Bearer " + readToken[1:], basic("alice", "")}}
	for name, addr := range map[string]string{"standalone": standalone.addr("http"), "standalone's agent": standalone.addr("agent"), "agent": agent.addr("agent")} {
		t.Run(name, func(t *testing.T) {
			g := people
			g.addr = addr
			s.with(t).requireGuarded(g)
		})
	}
	t.Run("agent with certificates", func(t *testing.T) { s.with(t).requireCertificates(node) })
}

// requireCertificates starts an agent that requires certificates of its clients: nothing is answered without, and all with one.
func (s *secured) requireCertificates(node string) {
	s.t.Helper()
	s.write("certificates.yml", "tls_server_config: {cert_file: proxy.crt, key_file: proxy.key, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt}\n")
	agent := start(s.t, agentArgs("127.0.0.1:1", "n1", "liaison", node, "--web-config-file", s.path("certificates.yml"), "--bearer-token-file", s.path("http.tokens"),
		"--http-operator", "oncall", "--storage-dir", s.t.TempDir())...)
	as := func(of *certtest.CA, l certtest.Leaf) *secured {
		other, issued := *s, of.Issue(s.t, l)
		other.client = &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.ca.Pool(),
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &issued.TLS, nil }}}}
		return &other
	}
	reader, operator := as(s.ca, certtest.Leaf{CN: "grafana", Client: true}), as(s.ca, certtest.Leaf{CN: "oncall", Client: true})
	foreign, server := as(certtest.NewCA(s.t, "cluster"), certtest.Leaf{CN: "oncall", Client: true}), as(s.ca, certtest.Leaf{CN: "oncall", Server: true})
	addr := agent.addr("agent")
	for path := range reader.routesOf(addr, "") {
		for _, stranger := range []*secured{s, foreign, server} {
			_, err := stranger.try(http.MethodGet, addr, path, "", "Authorization", "Bearer "+operateToken)
			require.Error(s.t, err, path)
		}
	}
	reader.requireGuarded(guardedServer{addr: addr, reads: []string{"", "Bearer " + readToken}, operates: []string{"Bearer " + operateToken},
		strangers: []string{"Bearer " + readToken[1:]}})
	operator.requireGuarded(guardedServer{addr: addr, reads: []string{"Bearer " + readToken}, operates: []string{""}, strangers: []string{"Bearer " + readToken[1:]}})
}
