package modes

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/actors/agent"
	"fodc/actors/proxy"
	"fodc/messages"
	"fodc/modes/certtest"
	"fodc/modes/files"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
)

// shownTokens are the values of the header authorization that came, by method.
type shownTokens struct {
	mu     sync.Mutex
	values map[string][]string
}

func (s *shownTokens) take(srv any, g grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	md, _ := metadata.FromIncomingContext(g.Context())
	s.mu.Lock()
	_, method, _ := strings.Cut(strings.TrimPrefix(info.FullMethod, "/"), "/")
	s.values[method] = append(s.values[method], md.Get("authorization")...)
	s.mu.Unlock()
	return handler(srv, g)
}

func (s *shownTokens) all() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string][]string{}
	for method, values := range s.values {
		all[method] = slices.Clone(values)
	}
	return all
}

// The token is in each registration, as the file has it then, and on no other stream. A new token ends no session.
func TestTokenIsShownByRegistrations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, ca, memory := t.TempDir(), certtest.NewCA(t, "ca"), newMemoryNet()
		seen := &shownTokens{values: map[string][]string{}}
		own := ca.Issue(t, certtest.Leaf{DNS: []string{"proxy"}}).TLS
		server := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{own}})), grpc.StreamInterceptor(seen.take))
		actorstest.NewPlainProxy().Register(server)
		go func() { memory.served <- server.Serve(memory.listener) }()
		log, logs := observedLog()
		watcher, sys := files.NewWatcher(log), actors.NewSystem(log)
		link := LinkSecurityConfig{TLS: true, CAFile: ca.Write(t, dir, "ca"), TokenFile: certtest.WriteFile(t, filepath.Join(dir, "token"), []byte("hunter1\n"))}
		security, err := link.start(watcher)
		require.NoError(t, err)
		a := agent.Start(sys, agent.Config{Registration: messages.Registration{NodeID: "n", Role: "r"}, ProxyAddrs: []string{"proxy:17900"},
			ScrapeInterval: clusterScrapes, HeartbeatInterval: 10 * time.Second, ReconnectInterval: clusterReconnect, MemoryBudget: 8 << 20, Version: "test", Dial: memory.dial, Security: security})
		pass := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait()
		}
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
			defer cancel()
			watcher.Stop()
			assert.NoError(t, a.Stop(ctx))
			sys.Shutdown()
			server.Stop()
			assert.NoError(t, <-memory.served)
			pass(10 * time.Second)
		}()
		pass(time.Minute)
		require.Equal(t, []string{"Bearer hunter1"}, seen.all()["RegisterAgent"])
		certtest.WriteFile(t, link.TokenFile, []byte("hunter2"))
		pass(time.Minute)
		require.Equal(t, []string{"Bearer hunter1"}, seen.all()["RegisterAgent"], "the session goes on")
		certtest.WriteFile(t, link.TokenFile, []byte("hunter3 is none"))
		pass(time.Minute)
		memory.cut()
		pass(time.Minute)
		require.Equal(t, []string{"Bearer hunter1", "Bearer hunter2"}, seen.all()["RegisterAgent"], "a broken file leaves the token before")
		require.Contains(t, seen.all(), "StreamMetrics")
		for method, values := range seen.all() {
			if method != "RegisterAgent" {
				require.Empty(t, values, method)
			}
		}
		for _, l := range logs.All() {
			require.NotContains(t, l.Message+fmt.Sprint(l.ContextMap()), "hunter")
		}
	})
}

// SIGHUP lets all files be compared at once.
func TestTLSReadAgainAtASignal(t *testing.T) {
	inTLSWorld(t, nothing, func(t *testing.T, w *tlsWorld) {
		log, _ := observedLog()
		next := w.issueProxy(w.ca)
		newReload(log, w.watcher).request()
		synctest.Wait()
		seen, err := w.seen(stranger(w.issueAgent(w.ca)))
		require.NoError(t, err)
		require.Equal(t, next.Cert.Raw, seen.Raw)
		w.pass(time.Minute)
		require.EqualValues(t, 1, w.opened())
	})
}

// An agent without TLS at a proxy with TLS is told so by the kernel's sockets, too, where its connection ends otherwise
// than in memory; and one with TLS at a proxy without.
func TestTLSOnOneSideAlone(t *testing.T) {
	f := func(server bool, says string) {
		t.Helper()
		log, _ := observedLog()
		dir, ca, watcher := t.TempDir(), certtest.NewCA(t, "ca"), files.NewWatcher(log)
		defer watcher.Stop()
		cfg, link := GRPCTLSConfig{}, LinkSecurityConfig{TLS: !server}
		if server {
			cfg.CertFile, cfg.KeyFile = ca.Issue(t, certtest.Leaf{IPs: []string{"127.0.0.1"}}).Write(t, dir, "proxy")
		}
		secured, err := cfg.start(watcher, func() {})
		require.NoError(t, err)
		security, err := link.start(watcher)
		require.NoError(t, err)
		sys := actors.NewSystem(log)
		defer sys.Shutdown()
		actor := proxy.Config{Limits: proxy.RegistryLimits{HeartbeatTimeout: 30 * time.Second, CleanupTimeout: time.Minute, MaxAgents: 10},
			HeartbeatInterval: 10 * time.Second, MaxCollections: 1, MaxMessageSize: 4 << 20, MaxAgentSeries: 1000, MaxAnswersBytes: 1 << 20}
		secured.configure(&actor)
		p := proxy.Start(sys, actor)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		go func() { _ = p.Serve(l) }()
		a := agent.Start(sys, agent.Config{Registration: messages.Registration{NodeID: "n", Role: "r"}, ProxyAddrs: []string{l.Addr().String()},
			ScrapeInterval: clusterScrapes, HeartbeatInterval: 10 * time.Second, ReconnectInterval: 100 * time.Millisecond, MemoryBudget: 8 << 20, Version: "test", Security: security})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			h, err := a.Health(ctx)
			require.NoError(c, err)
			require.Contains(c, h.Proxies[0].Error, says)
		}, 30*time.Second, 10*time.Millisecond)
		require.NoError(t, a.Stop(ctx))
		require.NoError(t, p.Stop(ctx))
	}
	f(true, "the proxy may want TLS (--proxy-tls)")
	f(false, "the proxy speaks no TLS: it needs --grpc-tls-cert-file, or this agent no --proxy-tls")
}
