//go:build e2e && linux

package modes_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fodc/messages/wire"
	"fodc/modes/certtest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// Whoever has no password and no token sees the probes, and nothing else.
func strangerCannotRead(t *testing.T, s *secured) {
	for name, addr := range map[string]string{"proxy": s.proxy.addr("http"), "agent": s.agents["data-0"].addr("agent")} {
		for _, path := range []string{"/", "/metrics", "/metrics/self", "/metrics-windows", "/cluster", "/cluster/config", "/cluster/topology", "/health", "/sd", "/incidents",
			"/diagnostics", "/debug/actors", "/debug/pprof/", "/api/v1/query?query=up", "/api/v1/read", "/ui/", "/ui/index.html", "/agents/data-0/metrics", "/nothing", "//metrics", "/-/healthy/../../metrics"} {
			for _, login := range []string{"", "Bearer " + readToken[1:], "Bearer ", basic("alice", "wrong"), "Bearer " + agentToken} {
				a := s.ask(http.MethodGet, addr, path, "", "Authorization", login)
				require.Equal(t, http.StatusUnauthorized, a.status, "%s %s %v: %s", name, path, login, a.body)
				require.NotContains(t, a.body, "data-0")
			}
		}
		for _, path := range []string{"/-/healthy", "/-/ready"} {
			require.Equal(t, http.StatusOK, s.ask(http.MethodGet, addr, path, "").status, "%s %s", name, path)
		}
		status, body, _, err := get(addr, "/metrics")
		require.True(t, err != nil || status == http.StatusBadRequest, "without TLS: %d %s", status, body)
	}
}

// What goes over the network is not readable, neither that of agents nor that of readers. Without TLS, the same texts are.
func strangerCannotReadTheTraffic(t *testing.T, s *secured) {
	a := s.ask(http.MethodGet, s.pages.addr(), "/metrics", "", "Authorization", basic("alice", securedPassword))
	require.Contains(t, a.body, "planted")
	for _, text := range []string{"planted", "data-0", "datanode-hot", agentToken, "banyandb.fodc", basic("alice", securedPassword)} {
		require.False(t, s.wire.has(text), text)
		require.False(t, s.pages.has(text), text)
	}
	awaitPage(t, s.open.proxy, "/metrics", `planted{node_id="data-0"`)
	for _, text := range []string{"planted", "data-0", "datanode-hot"} {
		require.True(t, s.open.wire.has(text), "the test would not see %s", text)
	}
}

func strangerCannotRegister(t *testing.T, s *secured) {
	foreign := certtest.NewCA(t, "cluster").Issue(t, certtest.Leaf{DNS: []string{"data-9"}}).TLS
	own := s.ca.Issue(t, certtest.Leaf{DNS: []string{"data-9"}}).TLS
	expired := s.ca.Issue(t, certtest.Leaf{DNS: []string{"data-9"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)}).TLS
	later := s.ca.Issue(t, certtest.Leaf{DNS: []string{"data-9"}, NotBefore: time.Now().Add(time.Hour)}).TLS
	server := s.ca.Issue(t, certtest.Leaf{DNS: []string{"data-9"}, Server: true}).TLS
	for _, c := range []struct {
		name  string
		creds credentials.TransportCredentials
		token string
		want  codes.Code
	}{
		{"without TLS", insecure.NewCredentials(), agentToken, codes.Unavailable},
		{"without a certificate", s.trusting(), agentToken, codes.Unavailable},
		{"with a certificate of another authority of the same name", s.trusting(foreign), agentToken, codes.Unavailable},
		{"with an expired certificate", s.trusting(expired), agentToken, codes.Unavailable},
		{"with a certificate that is not valid yet", s.trusting(later), agentToken, codes.Unavailable},
		{"with a certificate for servers", s.trusting(server), agentToken, codes.Unavailable},
		{"without a token", s.trusting(own), "", codes.Unauthenticated},
		{"with a wrong token", s.trusting(own), agentToken[1:], codes.Unauthenticated},
		{"with a token for HTTP", s.trusting(own), operateToken, codes.Unauthenticated},
	} {
		_, err := s.register(c.creds, c.token, &wire.RegisterAgentRequest{NodeId: "data-9"})
		require.Equal(t, c.want, status.Code(err), "%s: %v", c.name, err)
	}
	require.NotContains(t, s.await("/cluster", "data-0"), "data-9")
	require.NotContains(t, s.proxy.log(), agentToken)
}

// Older versions of TLS are refused by all servers that default to newer ones, and so is none at all.
func strangerCannotDowngrade(t *testing.T, s *secured) {
	old := &tls.Config{RootCAs: s.ca.Pool(), MaxVersion: tls.VersionTLS12, NextProtos: []string{"h2"}}
	_, err := tls.Dial("tcp", s.proxy.addr("grpc"), old)
	require.ErrorContains(t, err, "protocol version")
	older := &tls.Config{RootCAs: s.ca.Pool(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	_, err = tls.Dial("tcp", s.proxy.addr("http"), older)
	require.ErrorContains(t, err, "protocol version")
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{s.ca.Issue(t, certtest.Leaf{IPs: []string{"127.0.0.1"}}).TLS},
		MaxVersion: tls.VersionTLS12, NextProtos: []string{"h2"}})
	require.NoError(t, err)
	defer l.Close()
	var told atomic.Int64
	go accept(l, &told)
	s.linkError(s.agentAt(l.Addr().String(), "data-7", "data-1", startNode(t, pageA).endpoint()), "TLS")
	require.Zero(t, told.Load(), "bytes that the agent has told")
}

// An agent tells nothing to a server that is not its proxy, neither a token nor its node.
func strangerCannotPoseAsTheProxy(t *testing.T, s *secured) {
	impostor := certtest.NewCA(t, "cluster").Issue(t, certtest.Leaf{CN: "proxy", IPs: []string{"127.0.0.1"}}).TLS
	node := s.ca.Issue(t, certtest.Leaf{DNS: []string{"data-1"}}).TLS // of the cluster, but not the proxy
	for says, certificate := range map[string]tls.Certificate{"is of no authority that is trusted": impostor, "127.0.0.1": node} {
		l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}})
		require.NoError(t, err)
		var told atomic.Int64
		go accept(l, &told)
		agent := s.agentAt(l.Addr().String(), "data-7", "data-0", startNode(t, pageA).endpoint())
		s.linkError(agent, says)
		require.NoError(t, l.Close())
		require.Zero(t, told.Load(), "bytes that the agent has told")
		require.NotContains(t, agent.log(), agentToken)
	}
}

// accept counts the bytes that clients send after the handshake.
func accept(l net.Listener, told *atomic.Int64) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(patience))
			n, _ := conn.Read(make([]byte, 1<<10))
			told.Add(int64(n))
		}()
	}
}

// Without settings, others than this machine can read, and change nothing.
func strangerCannotChange(t *testing.T, _ *secured) {
	proxy := start(t, "proxy", "--grpc-listen-addr", "127.0.0.1:0", "--http-listen-addr", ":0")
	_, port, err := net.SplitHostPort(proxy.addr("http"))
	require.NoError(t, err)
	post := func(host string, header ...string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+net.JoinHostPort(host, port)+"/incidents", strings.NewReader(someOrder))
		require.NoError(t, err)
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		r.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		return resp.StatusCode
	}
	tried := []string{}
	addrs, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, addr := range addrs {
		if n, ok := addr.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
			require.Equal(t, http.StatusForbidden, post(n.IP.String()))
			tried = append(tried, n.IP.String())
		}
	}
	t.Logf("tried from %v, and through another server", tried)
	require.Equal(t, http.StatusForbidden, post("127.0.0.1", "X-Forwarded-For", "192.0.2.1"))
	require.NotContains(t, page(t, proxy.addr("http"), "/incidents"), "forged")
	require.Equal(t, http.StatusNotFound, post("127.0.0.1"), "this machine can: it is told that there are no nodes")
}

// While somebody tries passwords as fast as he can, who has one is let in, and who has a token does not notice.
func guesserCannotKeepOthersOut(t *testing.T, s *secured) {
	addr := s.agents["data-1"].addr("agent") // alice was never there
	stop := make(chan struct{})
	var guessers sync.WaitGroup
	var guesses, answered atomic.Int64
	from := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.ca.Pool()}, MaxIdleConnsPerHost: 30,
		DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.66")}}).DialContext}}
	guesser := *s
	guesser.client = from
	for n := range 30 {
		guessers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				a, err := guesser.try(http.MethodGet, addr, "/metrics", "", "Authorization", basic("alice", fmt.Sprint(n, " ", i)))
				if guesses.Add(1); err == nil && a.status == http.StatusOK {
					answered.Add(1)
				}
			}
		})
	}
	for guesses.Load() < 100 {
		time.Sleep(time.Millisecond)
	}
	eventually(t, "alice", func() error {
		a, err := s.try(http.MethodGet, addr, "/metrics", "", "Authorization", basic("alice", securedPassword))
		if err == nil && a.status != http.StatusOK {
			err = fmt.Errorf("status %d: %s", a.status, a.body)
		}
		return err
	})
	for range 20 {
		require.Equal(t, http.StatusOK, s.ask(http.MethodGet, addr, "/metrics", "", "Authorization", "Bearer "+readToken).status)
		require.Equal(t, http.StatusOK, s.ask(http.MethodGet, addr, "/metrics", "", "Authorization", basic("alice", securedPassword)).status)
	}
	close(stop)
	guessers.Wait()
	require.Zero(t, answered.Load())
}
