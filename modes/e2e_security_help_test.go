//go:build e2e && linux

package modes_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// seenSoon is how soon a file that has changed must be in force.
const seenSoon = 10 * time.Second

// What the log and the metrics say of files that cannot be used.
const (
	brokenFiles = "files cannot be used: what was read before stays in force"
	goodFiles   = "files are read again, and in use"
)

// guarded is the files with which a proxy and its agents show each other who they are. Both have a directory that is swapped as those
// of Kubernetes' secrets: tls.crt, tls.key, ca.crt, and what a test puts beside.
type guarded struct {
	t      *testing.T
	dir    string
	ca     *certtest.CA
	server certtest.Leaf
	// agent is what the agents' certificate says: it is one for all.
	agent certtest.Leaf
}

// newGuarded returns files with which the nodes come in.
func newGuarded(t *testing.T, nodes ...string) *guarded {
	g := &guarded{t: t, dir: t.TempDir(), ca: certtest.NewCA(t, "ca"), server: certtest.Leaf{CN: "proxy", IPs: []string{"127.0.0.1"}, Server: true},
		agent: certtest.Leaf{CN: "agents", DNS: nodes, Client: true}}
	g.swapProxy(g.ca.Issue(t, g.server), g.ca)
	g.swapAgent(g.ca.Issue(t, g.agent), g.ca)
	return g
}

func (g *guarded) path(name string) string { return filepath.Join(g.dir, name) }

// authorities is the file of them.
func authorities(all []*certtest.CA) (text []byte) {
	for _, ca := range all {
		text = append(text, ca.CertPEM...)
	}
	return text
}

// swapProxy replaces all files of the proxy at once. It trusts agents of the authorities.
func (g *guarded) swapProxy(own certtest.Issued, trusted ...*certtest.CA) {
	g.t.Helper()
	certtest.SwapDir(g.t, g.path("proxy"), map[string][]byte{"tls.crt": own.CertPEM, "tls.key": own.KeyPEM, "ca.crt": authorities(trusted)})
}

// swapAgent replaces all files of the agents at once. They trust proxies of the authorities.
func (g *guarded) swapAgent(own certtest.Issued, trusted ...*certtest.CA) {
	g.t.Helper()
	certtest.SwapDir(g.t, g.path("agent"), map[string][]byte{"tls.crt": own.CertPEM, "tls.key": own.KeyPEM, "ca.crt": authorities(trusted)})
}

// swapTokens replaces the tokens of both sides at once. Agents show the last one.
func (g *guarded) swapTokens(tokens ...string) {
	g.t.Helper()
	certtest.SwapDir(g.t, g.path("tokens"), map[string][]byte{"proxy": tokenLines(tokens...), "agent": []byte(tokens[len(tokens)-1])})
}

// rename replaces a file by rename.
func (g *guarded) rename(name string, content []byte) {
	g.t.Helper()
	certtest.WriteFile(g.t, g.path(name), content)
}

// renamePair replaces a certificate and its key, one after the other.
func (g *guarded) renamePair(whose string, own certtest.Issued) {
	g.t.Helper()
	g.rename(whose+"/tls.crt", own.CertPEM)
	g.rename(whose+"/tls.key", own.KeyPEM)
}

func (g *guarded) proxyFlags(more ...string) []string {
	return append([]string{"--grpc-tls-cert-file", g.path("proxy/tls.crt"), "--grpc-tls-key-file", g.path("proxy/tls.key"),
		"--grpc-client-ca-file", g.path("proxy/ca.crt")}, more...)
}

func (g *guarded) agentFlags(more ...string) []string {
	return append([]string{"--proxy-tls", "--proxy-ca-file", g.path("agent/ca.crt"), "--proxy-cert-file", g.path("agent/tls.crt"),
		"--proxy-key-file", g.path("agent/tls.key"), "--reconnect-interval", "1s"}, more...)
}

// client returns how the test connects with a certificate. It is shown even if the proxy asks for those of other authorities,
// which a client of Go would not do by itself.
func (g *guarded) client(of certtest.Issued) *tls.Config {
	return &tls.Config{RootCAs: g.ca.Pool(), ServerName: "127.0.0.1", NextProtos: []string{"h2"},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &of.TLS, nil }}
}

// bare returns how the test connects without a certificate.
func (g *guarded) bare() *tls.Config {
	return &tls.Config{RootCAs: g.ca.Pool(), ServerName: "127.0.0.1"}
}

// handshake connects, and returns what the proxy has shown, and the error with which the connection ends or the handshake
// fails; nil if the proxy begins to speak HTTP/2.
func handshake(t *testing.T, addr string, cfg *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := (&tls.Dialer{Config: cfg}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer c.Close()
	// What a server thinks of the client's certificate comes behind the handshake.
	_ = c.SetDeadline(time.Now().Add(patience))
	_, err = c.Read(make([]byte, 1))
	return c.(*tls.Conn).ConnectionState(), err
}

// awaitShown waits until a new connection sees the certificate.
func awaitShown(t *testing.T, addr string, cfg *tls.Config, want certtest.Issued) {
	t.Helper()
	within(t, seenSoon, "the new certificate", func() error {
		state, err := handshake(t, addr, cfg)
		if err == nil && !state.PeerCertificates[0].Equal(want.Cert) {
			err = fmt.Errorf("that with the serial number %s is shown", state.PeerCertificates[0].SerialNumber)
		}
		return err
	})
}

// valueOf returns the value of the first sample of a page that begins so.
func valueOf(body, begin string) (float64, error) {
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, begin) {
			fields := strings.Fields(line)
			return strconv.ParseFloat(fields[len(fields)-1], 64)
		}
	}
	return 0, fmt.Errorf("no sample begins with %s", begin)
}

// selfPage is the page with what a process says of its files, and how the names of its metrics begin.
func selfPage(t *testing.T, p *process, server string) (body, prefix string) {
	t.Helper()
	if server == "agent" {
		return page(t, p.addr("agent"), "/metrics"), "fodc_agent_"
	}
	return page(t, p.addr("http"), "/metrics/self"), "fodc_"
}

// awaitFile waits until the metric says whether the files of the flag are in use. A signal hurries the process.
func awaitFile(t *testing.T, p *process, server, flag string, inUse bool) {
	t.Helper()
	want := 0.
	if inUse {
		want = 1
	}
	p.kill(syscall.SIGHUP)
	within(t, 2*patience, "the metric of --"+flag, func() error {
		body, prefix := selfPage(t, p, server)
		got, err := valueOf(body, fmt.Sprintf("%sfiles_last_reload_successful{flag=%q", prefix, flag))
		if err == nil && got != want {
			err = fmt.Errorf("it is %v", got)
		}
		return err
	})
}

// awaitExpiry waits until the metric says when the certificate of a flag expires.
func awaitExpiry(t *testing.T, p *process, server, flag, subject string, want time.Time) {
	t.Helper()
	within(t, 2*patience, "the metric of the end of "+subject, func() error {
		body, prefix := selfPage(t, p, server)
		got, err := valueOf(body, fmt.Sprintf("%scertificate_not_after_timestamp_seconds{flag=%q,subject=%q", prefix, flag, subject))
		if err == nil && int64(got) != want.Unix() {
			err = fmt.Errorf("it is %.0f, want %d", got, want.Unix())
		}
		return err
	})
}

// awaitLogged waits for a line of the log with the message, of which a field has the text.
func awaitLogged(t *testing.T, p *process, message, field, text string) {
	t.Helper()
	eventually(t, "the log says "+text, func() error {
		said := p.said(message)
		for _, l := range said {
			if strings.Contains(fmt.Sprint(l[field]), text) {
				return nil
			}
		}
		return fmt.Errorf("it has %v", said)
	})
}

// bearer shows a token on each stream.
type bearer string

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}
func (b bearer) RequireTransportSecurity() bool { return true }

// registerBaseline registers an agent that knows the baseline only, without encryption if there are no settings.
func registerBaseline(t *testing.T, addr, pod string, cfg *tls.Config) (*fieldAgent, error) {
	t.Helper()
	secure := insecure.NewCredentials()
	if cfg != nil {
		secure = credentials.NewTLS(cfg)
	}
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(secure))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return registerFieldAgent(t, conn, pod)
}

// olderServer accepts TLS 1.2 only, and says nothing afterwards.
func olderServer(t *testing.T, own certtest.Issued) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{own.TLS}, MaxVersion: tls.VersionTLS12, NextProtos: []string{"h2"}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			} else if err == nil {
				go func() {
					_ = c.(*tls.Conn).Handshake()
					_ = c.Close()
				}()
			}
		}
	}()
	return l.Addr().String()
}
