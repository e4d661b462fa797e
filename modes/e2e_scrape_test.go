//go:build e2e && linux

package modes_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
)

// guardedNode is a node that shows its metrics to those who have what it wants.
type guardedNode struct {
	*httptest.Server

	mu      sync.Mutex
	allowed map[string]bool // values of the header Authorization
	seen    map[string]int  // how often each of them came
	refused int
}

// startGuardedNode starts a node that accepts the values of Authorization. It speaks TLS if settings are given.
func startGuardedNode(t *testing.T, settings *tls.Config, accepted ...string) *guardedNode {
	n := &guardedNode{seen: map[string]int{}}
	n.accept(accepted...)
	n.Server = httptest.NewUnstartedServer(n)
	n.Config.ErrorLog = log.New(io.Discard, "", 0)
	if settings == nil {
		n.Start()
	} else {
		n.TLS = settings
		n.StartTLS()
	}
	t.Cleanup(n.Close)
	return n
}

func (n *guardedNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/metrics" {
		http.NotFound(w, r)
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	has := r.Header.Get("Authorization")
	n.seen[has]++
	if !n.allowed[has] {
		n.refused++
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	_, _ = io.WriteString(w, "guarded 1\n")
}

func (n *guardedNode) accept(values ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.allowed = map[string]bool{}
	for _, v := range values {
		n.allowed[v] = true
	}
}

// awaitSeen waits until the value has come so many times more.
func (n *guardedNode) awaitSeen(t *testing.T, value string, more int) {
	t.Helper()
	count := func() int {
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.seen[value]
	}
	from := count()
	eventually(t, fmt.Sprintf("%d more requests", more), func() error {
		if got := count() - from; got < more {
			return fmt.Errorf("%d came", got)
		}
		return nil
	})
}

func (n *guardedNode) refusals() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.refused
}

// requireNothingPlanted fails if a secret of the test is in a log, or on a page.
func requireNothingPlanted(t *testing.T, proxy, agent *process) {
	t.Helper()
	for _, p := range []*process{proxy, agent} {
		require.NotContains(t, p.log(), "planted")
	}
	for _, path := range []string{"/metrics", "/health", "/debug/actors", "/api/v1/query?query=fodc_node_up"} {
		require.NotContains(t, page(t, agent.addr("agent"), path), "planted", path)
	}
	for _, path := range []string{"/metrics", "/metrics/self", "/cluster", "/cluster/config", "/health"} {
		require.NotContains(t, page(t, proxy.addr("http"), path), "planted", path)
	}
}

// awaitHealth waits until the agent's page about itself has all texts.
func awaitHealth(t *testing.T, agent *process, texts ...string) {
	t.Helper()
	eventually(t, strings.Join(texts, ", "), func() error {
		_, body, _, err := get(agent.addr("agent"), "/health")
		for _, text := range texts {
			if !strings.Contains(body, text) {
				err = errors.Join(err, fmt.Errorf("no %s in %s", text, body))
			}
		}
		return err
	})
}

// A token changes, by rename or by a swapped link, and no scrape is lost; a broken version leaves the one before.
func TestE2EScrapeTokenRotation(t *testing.T) {
	for _, how := range []string{"rename", "swap"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			config := certtest.WriteFile(t, filepath.Join(dir, "scrape.yml"), []byte("authorization: {credentials_file: secret/token}\n"))
			rotate := func(token string) {
				if how == "swap" {
					certtest.SwapDir(t, filepath.Join(dir, "secret"), map[string][]byte{"token": []byte(token)})
					return
				}
				certtest.WriteFile(t, filepath.Join(dir, "secret", "token"), []byte(token))
			}
			certtest.SwapDir(t, filepath.Join(dir, "secret"), map[string][]byte{"token": []byte("planted-1\n")})
			rotate("planted-1\n")
			n := startGuardedNode(t, nil, "Bearer planted-1", "Bearer planted-2")
			proxy := startProxy(t)
			agent := startAgent(t, proxy, "n", "data", n.URL+"/metrics", "--scrape-config-file", config, "--collect-config=false", "--incidents=false")
			n.awaitSeen(t, "Bearer planted-1", 3)
			rotate("planted-2\n")
			n.awaitSeen(t, "Bearer planted-2", 1)
			n.accept("Bearer planted-2")
			n.awaitSeen(t, "Bearer planted-2", 3)

			rotate("")
			awaitHealth(t, agent, `"flag":"scrape-config-file"`, "is empty")
			eventually(t, "the broken version shows", func() error {
				for line := range strings.SplitSeq(page(t, agent.addr("agent"), "/metrics"), "\n") {
					if strings.HasPrefix(line, `fodc_agent_files_last_reload_successful{flag="scrape-config-file"`) && strings.HasSuffix(line, " 0") {
						return nil
					}
				}
				return errors.New("no metric says so")
			})
			awaitSaid(t, agent, 1, "files cannot be used: what was read before stays in force")
			n.awaitSeen(t, "Bearer planted-2", 3)
			require.Zero(t, n.refusals(), "no scrape was lost")
			require.Contains(t, page(t, agent.addr("agent"), "/metrics"), "\nguarded")
			requireNothingPlanted(t, proxy, agent)
		})
	}
}

func TestE2EScrapeBasicAuth(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := certtest.WriteFile(t, filepath.Join(dir, "scrape.yml"), []byte("basic_auth: {username: fodc, password: planted-wrong}\n"))
	n := startGuardedNode(t, nil, "Basic Zm9kYzpwbGFudGVk") // fodc:planted
	proxy := startProxy(t)
	agent := startAgent(t, proxy, "n", "data", n.URL+"/metrics", "--scrape-config-file", config)
	awaitHealth(t, agent, "the endpoint answered 401 Unauthorized")
	certtest.WriteFile(t, config, []byte("endpoints:\n- url: "+n.URL+"/metrics\n  basic_auth: {username: fodc, password: planted}\n"))
	eventually(t, "the node lets the agent in", func() error {
		if !strings.Contains(page(t, proxy.addr("http"), "/metrics"), "\nguarded{") {
			return errors.New("no sample")
		}
		return nil
	})
	requireNothingPlanted(t, proxy, agent)
}

func TestE2EScrapeTLSWithAClientCertificate(t *testing.T) {
	t.Parallel()
	ca, other := certtest.NewCA(t, "ours"), certtest.NewCA(t, "another")
	n := startGuardedNode(t, &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
		Certificates: []tls.Certificate{ca.Issue(t, certtest.Leaf{IPs: []string{"127.0.0.1"}, Server: true}).TLS}}, "")
	dir := t.TempDir()
	certtest.WriteFile(t, filepath.Join(dir, "ca.crt"), other.CertPEM)
	other.Issue(t, certtest.Leaf{CN: "agent", Client: true}).Write(t, dir, "agent")
	config := certtest.WriteFile(t, filepath.Join(dir, "scrape.yml"), []byte("tls_config: {ca_file: ca.crt, cert_file: agent.crt, key_file: agent.key}\n"))
	proxy := startProxy(t)
	agent := startAgent(t, proxy, "n", "data", n.URL+"/metrics", "--scrape-config-file", config)
	awaitHealth(t, agent, "certificate signed by unknown authority")
	ca.Write(t, dir, "ca")
	awaitHealth(t, agent, "remote error: tls:")
	ca.Issue(t, certtest.Leaf{CN: "agent", Client: true}).Write(t, dir, "agent")
	eventually(t, "the node lets the agent in", func() error {
		if !strings.Contains(page(t, proxy.addr("http"), "/metrics"), "\nguarded{") {
			return errors.New("no sample")
		}
		return nil
	})
	require.Contains(t, page(t, agent.addr("agent"), "/metrics"), `fodc_agent_certificate_not_after_timestamp_seconds{`)
}

// A file that cannot be used ends the agent, with the reason in one line.
func TestE2EScrapeFileThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := func(text, want string) {
		t.Helper()
		config := certtest.WriteFile(t, filepath.Join(dir, "scrape.yml"), []byte(text))
		p := start(t, agentArgs("127.0.0.1:1", "n", "data", "http://127.0.0.1:1/metrics", "--scrape-config-file", config)...)
		code, _ := p.exitCode(patience)
		require.Equal(t, 1, code)
		failed := p.said("ended by a failure")
		require.Len(t, failed, 1)
		require.Equal(t, fmt.Sprintf("--scrape-config-file: %q: %s", config, want), failed[0]["error"])
		require.NotContains(t, p.log(), "planted")
	}
	f("basic_auth:\n  username: fodc\n  passwrd: planted\n", `line 3: unknown field "passwrd"`)
	f("authorization: {credentials: planted, credentials_file: token}\n", "at most one of authorization credentials & credentials_file must be configured")
	f("authorization: {credentials_file: token}\n", fmt.Sprintf("read %q: no such file or directory", filepath.Join(dir, "token")))
	f("endpoints: [{url: \"http://other/?token=planted\"}]\n", `the url "http://other/?token=***" is none of --metrics-endpoint`)
}
