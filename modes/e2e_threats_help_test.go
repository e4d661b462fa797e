//go:build e2e && linux

package modes_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
)

// What lets the people and programs of a secured cluster in. The guests are those who are let in no more some time.
const (
	securedPassword = "correct-horse-battery"
	guestPassword   = "wrong-donkey-battery"
	readToken       = "0badc0de0badc0de0badc0de0badc0de-read"
	operateToken    = "0badc0de0badc0de0badc0de0badc0de-operate"
	guestToken      = "0badc0de0badc0de0badc0de0badc0de-guest"
	agentToken      = "0badc0de0badc0de0badc0de0badc0de-agent"
	guestAgentToken = "0badc0de0badc0de0badc0de0badc0de-guest-agent"
	// plantedSecret is one of the node's configuration and log.
	plantedSecret = "s3cr3t-of-the-node-4711"
)

// secured is a proxy with all that keeps strangers out, and the agents of data-0 and data-1.
type secured struct {
	t          *testing.T
	dir        string
	ca, guests *certtest.CA
	proxy      *process
	agents     map[string]*process
	client     *http.Client
	// wire has all bytes between the agents and the proxy, pages those between the test and the proxy's HTTP server.
	wire, pages *relay
	open        *open
}

// with is the same for a part of the test.
func (s *secured) with(t *testing.T) *secured {
	part := *s
	part.t = t
	return &part
}

// open is a proxy without any setting, and the agent of data-0, whose configuration and log have plantedSecret.
type open struct {
	proxy, agent *process
	wire         *relay
	log          string
}

func startOpen(t *testing.T, dir string) *open {
	t.Helper()
	write := func(name, text string) string { return certtest.WriteFile(t, filepath.Join(dir, name), []byte(text)) }
	config := write("open.yml", "storage:\n  password: "+plantedSecret+"\n  endpoint: http://admin:"+plantedSecret+"@etcd:2379\n")
	o := &open{proxy: startProxy(t, "--log-level", "debug"), log: write("node.log", "")}
	o.wire = startRelay(t, o.proxy.addr("grpc"))
	o.agent = start(t, agentArgs(o.wire.addr(), "data-0", "datanode-hot", startNode(t, "planted 1\n").endpoint(), "--node-config-file", config,
		"--node-log-file", o.log, "--log-level", "debug")...)
	return o
}

func startSecured(t *testing.T) *secured {
	t.Helper()
	s := &secured{t: t, dir: t.TempDir(), ca: certtest.NewCA(t, "cluster"), guests: certtest.NewCA(t, "guests"), agents: map[string]*process{}}
	s.ca.Write(t, s.dir, "ca")
	s.write("clients.crt", string(s.ca.CertPEM)+string(s.guests.CertPEM))
	s.issue(s.ca, "proxy", certtest.Leaf{CN: "proxy", DNS: []string{"proxy.example"}, IPs: []string{"127.0.0.1"}})
	s.writeUsers("alice", securedPassword, "mallory", guestPassword)
	s.write("http.tokens", tokenLine("grafana", "read", readToken)+tokenLine("oncall", "operate", operateToken)+tokenLine("mallory", "read", guestToken))
	s.write("agent.tokens", tokenLine("agents", "agent", agentToken)+tokenLine("guests", "agent", guestAgentToken))
	s.write("agent.token", agentToken+"\n")
	s.write("guest.token", guestAgentToken+"\n")
	s.proxy = startProxy(t, append(s.http(), "--grpc-tls-cert-file", s.path("proxy.crt"), "--grpc-tls-key-file", s.path("proxy.key"),
		"--grpc-client-ca-file", s.path("clients.crt"), "--grpc-agent-token-file", s.path("agent.tokens"))...)
	s.client = &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.ca.Pool()}}}
	s.wire, s.pages, s.open = startRelay(t, s.proxy.addr("grpc")), startRelay(t, s.proxy.addr("http")), startOpen(t, s.dir)
	for i, id := range []string{"data-0", "data-1"} {
		s.issue(s.ca, id, certtest.Leaf{DNS: []string{id}})
		node := startNode(t, fmt.Sprintf("# TYPE planted gauge\nplanted{on=\"planted-%s\"} %d\n", id, i))
		s.agents[id] = s.agent(id, id, node.endpoint(), s.http()...)
	}
	s.await("/metrics", `planted{on="planted-data-0",node_id="data-0"`, `planted{on="planted-data-1",node_id="data-1"`)
	return s
}

func (s *secured) path(name string) string { return filepath.Join(s.dir, name) }

func (s *secured) write(name, text string) string {
	return certtest.WriteFile(s.t, s.path(name), []byte(text))
}

func (s *secured) issue(ca *certtest.CA, name string, l certtest.Leaf) certtest.Issued {
	l.NotAfter = time.Now().Add(30 * 24 * time.Hour)
	issued := ca.Issue(s.t, l)
	issued.Write(s.t, s.dir, name)
	return issued
}

// writeUsers writes the web configuration of proxy and agents: name, password, name, password...
func (s *secured) writeUsers(pairs ...string) {
	s.t.Helper()
	text := "tls_server_config: {cert_file: proxy.crt, key_file: proxy.key}\nbasic_auth_users:\n"
	for i := 0; i+1 < len(pairs); i += 2 {
		hash, err := bcrypt.GenerateFromPassword([]byte(pairs[i+1]), bcrypt.MinCost)
		require.NoError(s.t, err)
		text += fmt.Sprintf("  %s: %s\n", pairs[i], hash)
	}
	s.write("web.yml", text)
}

// http are the flags of a server that lets nobody in without a password or a token.
func (s *secured) http() []string {
	return []string{"--web-config-file", s.path("web.yml"), "--bearer-token-file", s.path("http.tokens")}
}

// agent starts an agent of the node id with the certificate of that name.
func (s *secured) agent(id, certificate, endpoint string, more ...string) *process {
	return s.agentAt(s.wire.addr(), id, certificate, endpoint, more...)
}

func (s *secured) agentAt(proxyAddr, id, certificate, endpoint string, more ...string) *process {
	return start(s.t, agentArgs(proxyAddr, id, "datanode-hot", endpoint, append([]string{"--proxy-tls", "--proxy-ca-file", s.path("ca.crt"),
		"--proxy-cert-file", s.path(certificate + ".crt"), "--proxy-key-file", s.path(certificate + ".key"), "--proxy-token-file", s.path("agent.token")}, more...)...)...)
}

// answer is a response to a request.
type answer struct {
	status int
	body   string
	header http.Header
}

// ask makes a request with headers as name, value, name, value...
func (s *secured) ask(method, addr, path, body string, header ...string) answer {
	s.t.Helper()
	a, err := s.try(method, addr, path, body, header...)
	require.NoError(s.t, err)
	return a
}

func (s *secured) try(method, addr, path, body string, header ...string) (a answer, err error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "https://"+addr+path, strings.NewReader(body))
	require.NoError(s.t, err)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, string(text), resp.Header}, err
}

// await waits until a page of the proxy has the texts.
func (s *secured) await(path string, texts ...string) string {
	s.t.Helper()
	return s.awaitAs("Bearer "+readToken, path, texts...)
}

func (s *secured) awaitAs(login, path string, texts ...string) string {
	s.t.Helper()
	var body string
	eventually(s.t, path, func() error {
		a, err := s.try(http.MethodGet, s.proxy.addr("http"), path, "", "Authorization", login)
		if err != nil {
			return err
		}
		body = a.body
		for _, text := range texts {
			if !strings.Contains(body, text) {
				return fmt.Errorf("%q is not on the page: %.2000s", text, body)
			}
		}
		return nil
	})
	return body
}

// linkError waits until an agent says why it has no session.
func (s *secured) linkError(agent *process, text string) {
	s.t.Helper()
	eventually(s.t, "the error of the link", func() error {
		_, body, _, err := get(agent.addr("agent"), "/health")
		if err != nil {
			return err
		}
		var health struct {
			Proxies []struct{ Error string } `json:"proxies"`
		}
		if err := json.Unmarshal([]byte(body), &health); err != nil {
			return fmt.Errorf("%w: %s", err, body)
		}
		if e := health.Proxies[0].Error; !strings.Contains(e, text) {
			return fmt.Errorf("it is %q, want %q", e, text)
		}
		return nil
	})
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}
