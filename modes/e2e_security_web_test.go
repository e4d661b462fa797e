//go:build e2e && linux

package modes_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
)

// webFiles is a directory that is swapped as those of Kubernetes' secrets: the configuration of HTTP, its certificate, and tokens.
type webFiles struct {
	t      *testing.T
	dir    string
	ca     *certtest.CA
	leaf   certtest.Leaf
	tokens string // the path
	config string
}

func newWebFiles(t *testing.T) *webFiles {
	dir := t.TempDir() + "/web"
	return &webFiles{t: t, dir: dir, ca: certtest.NewCA(t, "ca"), leaf: certtest.Leaf{CN: "web", IPs: []string{"127.0.0.1"}, Server: true},
		tokens: dir + "/tokens", config: dir + "/web.yml"}
}

// version is what the files have. Each user's password is the name.
type version struct {
	own    certtest.Issued
	users  string
	tokens []byte
}

func (w *webFiles) usersOf(names ...string) string {
	w.t.Helper()
	text := "basic_auth_users:\n"
	for _, name := range names {
		hash, err := bcrypt.GenerateFromPassword([]byte(name), bcrypt.MinCost)
		require.NoError(w.t, err)
		text += "  " + name + ": " + string(hash) + "\n"
	}
	return text
}

func webTokens(tokens ...string) (text []byte) {
	for _, token := range tokens {
		text = append(text, tokenLine("reader-"+token, "read", token)...)
	}
	return text
}

func (w *webFiles) swap(v version) {
	w.t.Helper()
	certtest.SwapDir(w.t, w.dir, map[string][]byte{"tls.crt": v.own.CertPEM, "tls.key": v.own.KeyPEM, "tokens": v.tokens,
		"web.yml": []byte("tls_server_config:\n  cert_file: tls.crt\n  key_file: tls.key\n" + v.users)})
}

// webReader asks with a password, or with a token if there is no user. Each request has a connection of its own.
type webReader struct{ user, token string }

func (w *webFiles) ask(addr, path string, by webReader) (string, error) {
	client := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.ca.Pool()}, DisableKeepAlives: true}}
	r, err := http.NewRequest(http.MethodGet, "https://"+addr+path, nil)
	if err != nil {
		return "", err
	}
	if by.user != "" {
		r.SetBasicAuth(by.user, by.user)
	} else {
		r.Header.Set("Authorization", "Bearer "+by.token)
	}
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", resp.StatusCode)
	}
	return string(body), err
}

// webServer is a process that serves by the files.
type webServer struct {
	*process
	addr, self, prefix string
}

// await waits until a new connection sees the certificate, the metrics say when it expires, and who was removed is refused.
func (w *webFiles) await(s webServer, own certtest.Issued, by webReader, removed ...webReader) {
	w.t.Helper()
	awaitShown(w.t, s.addr, &tls.Config{RootCAs: w.ca.Pool(), NextProtos: []string{"h2"}}, own)
	within(w.t, seenSoon, "what the files say", func() error {
		body, err := w.ask(s.addr, s.self, by)
		if err != nil {
			return err
		}
		got, err := valueOf(body, s.prefix+`certificate_not_after_timestamp_seconds{flag="web-config-file",subject="web"`)
		if err == nil && int64(got) != own.Cert.NotAfter.Unix() {
			err = fmt.Errorf("the metric says %.0f, want %d", got, own.Cert.NotAfter.Unix())
		}
		for _, r := range removed {
			if _, is := w.ask(s.addr, s.self, r); is == nil || is.Error() != "status 401" {
				err = errors.Join(err, fmt.Errorf("%v: %w", r, is))
			}
		}
		return err
	})
}

// requireFailed requires that the version is not taken: log and metric say why, and what was before stays in force.
func (w *webFiles) requireFailed(s webServer, flag, why string, before certtest.Issued, by ...webReader) {
	w.t.Helper()
	s.kill(syscall.SIGHUP)
	awaitLogged(w.t, s.process, brokenFiles, "error", why)
	for _, r := range by {
		eventually(w.t, "the metric of: "+why, func() error { // It comes behind the log.
			body, err := w.ask(s.addr, s.self, r)
			require.NoError(w.t, err, why)
			got, err := valueOf(body, fmt.Sprintf("%sfiles_last_reload_successful{flag=%q", s.prefix, flag))
			if err == nil && got != 0 {
				err = fmt.Errorf("it is %v", got)
			}
			return err
		})
	}
	state, err := handshake(w.t, s.addr, &tls.Config{RootCAs: w.ca.Pool(), NextProtos: []string{"h2"}})
	require.NoError(w.t, err)
	require.True(w.t, state.PeerCertificates[0].Equal(before.Cert), why)
}

// askAlways asks again and again until stop is called, which returns what went wrong. Each page must have all light agents, and
// the number of pages.
func (w *webFiles) askAlways(addr string, light int, by ...webReader) (stop func() (pages int, wrong []string)) {
	var done sync.WaitGroup
	var mu sync.Mutex
	var pages int
	var wrong []string
	ended := make(chan struct{})
	for _, r := range by {
		done.Go(func() {
			for tick := time.NewTicker(500 * time.Millisecond); ; {
				body, err := w.ask(addr, "/metrics", r)
				if got := strings.Count(body, "\nsteady{"); err == nil && got != light*loadSeries {
					err = fmt.Errorf("%d samples", got)
				}
				mu.Lock()
				if pages++; err != nil && len(wrong) < 10 {
					wrong = append(wrong, fmt.Sprintf("page %d: %v", pages, err))
				}
				mu.Unlock()
				select {
				case <-ended:
					tick.Stop()
					return
				case <-tick.C:
				}
			}
		})
	}
	return func() (int, []string) {
		close(ended)
		done.Wait()
		return pages, wrong
	}
}

// The files of HTTP change by swapped links while 50 agents are asked with a password and with a token: no request fails, new
// connections see the new certificate, and who was removed is refused. What cannot be used changes nothing.
func TestE2ESecurityWebFiles(t *testing.T) {
	t.Parallel()
	w := newWebFiles(t)
	ends := time.Now().Add(30 * 24 * time.Hour).Truncate(time.Second)
	issue := func(days int) certtest.Issued {
		l := w.leaf
		l.NotAfter = ends.Add(time.Duration(days) * 24 * time.Hour)
		return w.ca.Issue(t, l)
	}
	good := version{issue(0), w.usersOf("alice", "bob"), webTokens("one", "two")}
	w.swap(good)
	flags := []string{"--web-config-file", w.config, "--bearer-token-file", w.tokens}
	proxy, node := startProxy(t, append(flags, patientFlags...)...), startNode(t, pageA)
	agent := startAgent(t, proxy, "n1", "liaison", node.endpoint(), flags...)
	playSteadyAgents(t, proxy.addr("grpc"), rotated)
	servers := []webServer{{proxy, proxy.addr("http"), "/metrics/self", "fodc_"}, {agent, agent.addr("agent"), "/metrics", "fodc_agent_"}}
	alice, one := webReader{user: "alice"}, webReader{token: "one"}
	eventually(t, "all agents", func() error {
		body, err := w.ask(proxy.addr("http"), "/metrics", alice)
		if got := strings.Count(body, "\nsteady{"); err == nil && got != rotated*loadSeries {
			err = fmt.Errorf("%d samples", got)
		}
		return err
	})
	stop := w.askAlways(proxy.addr("http"), rotated, alice, one)
	for _, s := range servers {
		w.await(s, good.own, alice)
	}
	good = version{issue(1), w.usersOf("alice", "carol"), webTokens("one", "three")}
	w.swap(good)
	for _, s := range servers {
		w.await(s, good.own, webReader{user: "carol"}, webReader{user: "bob"}, webReader{token: "two"})
		w.await(s, good.own, webReader{token: "three"})
		require.Empty(t, s.said(brokenFiles))
	}
	for _, b := range w.brokenVersions(good) {
		w.swap(b.version)
		for _, s := range servers {
			w.requireFailed(s, b.flag, b.why, good.own, alice, one)
		}
	}
	good.own = issue(2)
	w.swap(good)
	for _, s := range servers {
		w.await(s, good.own, one)
	}
	pages, wrong := stop()
	t.Logf("%d pages", pages)
	require.Empty(t, wrong)
	require.Positive(t, pages)
	w.requireRefusedAtStart(good, flags)
}

// brokenVersion is one that cannot be used.
type brokenVersion struct {
	flag, why string
	version
}

func (w *webFiles) brokenVersions(good version) []brokenVersion {
	leaf := func(from, to time.Duration) version {
		v, l := good, w.leaf
		l.NotBefore, l.NotAfter = time.Now().Add(from), time.Now().Add(to)
		v.own = w.ca.Issue(w.t, l)
		return v
	}
	wrongKey, short, users, tokens := good, good, good, good
	wrongKey.own.KeyPEM = w.ca.Issue(w.t, w.leaf).KeyPEM
	short.own.CertPEM = short.own.CertPEM[:len(short.own.CertPEM)/2]
	users.users = "basic_auth_users:\n  alice: planted\n"
	tokens.tokens = []byte("planted")
	const web, token = "web-config-file", "bearer-token-file"
	return []brokenVersion{
		{web, "has expired at", leaf(-2*time.Hour, -time.Hour)},
		{web, "is not valid before", leaf(time.Hour, 2*time.Hour)},
		{web, "tls.key\": tls: private key does not match", wrongKey},
		{web, "is cut short", short},
		{web, "the password must be a hash of bcrypt", users},
		{token, "line 1", tokens},
	}
}

// requireRefusedAtStart requires that a proxy and an agent end with 1 at a version that cannot be used, and say which file it is.
func (w *webFiles) requireRefusedAtStart(good version, flags []string) {
	w.t.Helper()
	for _, b := range w.brokenVersions(good) {
		w.swap(b.version)
		path := map[string]string{"web-config-file": w.config, "bearer-token-file": w.tokens}[b.flag]
		requireNoStart(w.t, append([]string{"proxy", "--grpc-listen-addr", "127.0.0.1:0", "--http-listen-addr", "127.0.0.1:0"}, flags...), "--"+b.flag+": ", path, b.why)
		requireNoStart(w.t, agentArgs("127.0.0.1:1", "n1", "data", "http://127.0.0.1:1/metrics", flags...), "--"+b.flag+": ", path, b.why)
	}
}
