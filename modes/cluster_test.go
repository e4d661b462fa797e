package modes

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/actors/agent"
	"fodc/actors/agent/nodeconfig"
	"fodc/actors/agent/rules"
	"fodc/actors/agent/telemetry"
	"fodc/actors/proxy"
	"fodc/messages"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/grpc/test/bufconn"
)

// Intervals of a cluster in a test.
const (
	clusterScrapes   = 2 * time.Second
	clusterReconnect = 5 * time.Second
	clusterPatience  = 5 * time.Second // of a collection
	clusterLatency   = 2 * time.Millisecond
)

// cluster is the actors of a proxy and of agents in a bubble, as their modes start
// them, with a network in memory between them. Each has a system of its own, whose
// actors panic on actorstest.Crash.
type cluster struct {
	t      *testing.T
	sys    *actors.System // the proxy's
	proxy  *proxy.Proxy
	net    *memoryNet
	agents []*clusterAgent
}

type clusterAgent struct {
	id    string
	file  string // the node's configuration
	sys   *actors.System
	agent *agent.Agent
}

// inCluster runs the test in a bubble, in which nothing may be left at the end.
func inCluster(t *testing.T, agents int, test func(t *testing.T, w *cluster)) {
	inClusterOf(t, agents, plainPage, test)
}

// plainPage is the default page of a node: the number of its scrapes.
func plainPage(id string, scrape int) []byte {
	return fmt.Appendf(nil, "# TYPE g gauge\ng{node=%q} %d\n", id, scrape)
}

// inClusterOf is inCluster for nodes with the page, and agents whose configuration is changed.
func inClusterOf(t *testing.T, agents int, page func(id string, scrape int) []byte, test func(t *testing.T, w *cluster), change ...func(n int, c *agent.Config)) {
	synctest.Test(t, func(t *testing.T) {
		w := startCluster(t, agents, page, change...)
		defer w.finish()
		test(t, w)
	})
}

func crashableSystem() *actors.System { return actors.NewSystem(actorstest.PanicOnCrash(zap.NewNop())) }

func startCluster(t *testing.T, agents int, page func(id string, scrape int) []byte, change ...func(n int, c *agent.Config)) *cluster {
	return startClusterOf(t, agents, page, func(*proxy.Config) {}, change...)
}

// startClusterOf is startCluster with a proxy whose configuration is changed.
func startClusterOf(t *testing.T, agents int, page func(id string, scrape int) []byte, changeProxy func(*proxy.Config), change ...func(n int, c *agent.Config)) *cluster {
	w := &cluster{t: t, sys: crashableSystem(), net: newMemoryNet()}
	proxyCfg := proxy.Config{
		Limits:            proxy.RegistryLimits{HeartbeatTimeout: 30 * time.Second, CleanupTimeout: 5 * time.Minute, MaxAgents: 100},
		HeartbeatInterval: 10 * time.Second, MaxCollections: 16, MaxMessageSize: 4 << 20, MaxAgentSeries: 100_000, MaxAnswersBytes: 1 << 30,
		Incidents: (*storage)(nil).incidents(ProxyIncidentsConfig{MaxNodes: 50, MaxCount: 200}),
	}
	changeProxy(&proxyCfg)
	w.proxy = proxy.Start(w.sys, proxyCfg)
	go func() { w.net.served <- w.proxy.Serve(w.net.listener) }()
	for n := range agents {
		a := &clusterAgent{id: fmt.Sprintf("n%d", n), sys: crashableSystem()}
		root, scrapes := t.TempDir(), 0 // a host that has nothing to read
		a.file = filepath.Join(root, "node.yaml")
		a.configure("id: " + a.id)
		cfg := agent.Config{
			Registration: messages.Registration{NodeID: a.id, Role: "liaison"},
			ProxyAddrs:   []string{"proxy:17900"}, Targets: []agent.Target{{URL: "http://node/metrics"}},
			ScrapeInterval: clusterScrapes, HeartbeatInterval: 10 * time.Second, ReconnectInterval: clusterReconnect,
			Telemetry: &telemetry.Config{Root: root}, NodeConfig: &nodeconfig.Config{Root: root, Files: []string{a.file}},
			MemoryBudget: 8 << 20, Version: "test", Dial: w.net.dial, Incidents: clusterIncidents(w.t), Ramps: &agent.RampConfig{},
			Fetch: func(_ context.Context, url string) ([]byte, string, error) {
				if url != "http://node/metrics" {
					return nil, "", syscall.ECONNREFUSED
				}
				scrapes++ // one request at a time
				return page(a.id, scrapes), "text/plain", nil
			},
		}
		for _, f := range change {
			f(n, &cfg)
		}
		a.id = cfg.Registration.NodeID
		a.agent = agent.Start(a.sys, cfg)
		w.agents = append(w.agents, a)
	}
	w.pass(2 * clusterScrapes)
	return w
}

// clusterIncidents has the built-in rules, and keeps evidence in memory.
func clusterIncidents(t *testing.T) *agent.IncidentsConfig {
	set, err := rules.Load(true, nil)
	require.NoError(t, err)
	return &agent.IncidentsConfig{Before: 10 * time.Minute, After: 2 * time.Minute, CoolDown: 10 * time.Minute, MaxDuration: 15 * time.Minute, Rules: set}
}

// configure writes the node's configuration file.
func (a *clusterAgent) configure(text string) {
	if err := os.WriteFile(a.file, []byte(text), 0o600); err != nil {
		panic(err)
	}
}

// systems returns all systems, the proxy's first.
func (w *cluster) systems() []*actors.System {
	all := []*actors.System{w.sys}
	for _, a := range w.agents {
		all = append(all, a.sys)
	}
	return all
}

func (w *cluster) finish() {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	for _, a := range w.agents {
		assert.NoError(w.t, a.agent.Stop(ctx))
	}
	assert.NoError(w.t, w.proxy.Stop(ctx))
	assert.NoError(w.t, <-w.net.served)
	for _, sys := range w.systems() {
		sys.Shutdown()
	}
	w.pass(10 * time.Second) // gRPC lets go of a transport after some seconds
	for _, sys := range w.systems() {
		assert.Empty(w.t, sys.Tree().Actors)
		assert.Zero(w.t, len(sys.Untracked()), "untracked actors and asks")
		select {
		case err := <-sys.Fatal():
			w.t.Errorf("fatal: %v", err)
		default:
		}
	}
}

// pass lets time pass.
func (w *cluster) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// statuses returns node -> status.
func (w *cluster) statuses() map[string]messages.Status {
	w.t.Helper()
	picture, err := w.proxy.Cluster(w.t.Context(), messages.NodeFilter{})
	require.NoError(w.t, err)
	all := map[string]messages.Status{}
	for _, n := range picture.Nodes {
		all[n.Identity.NodeID] = n.Status
	}
	return all
}

func (w *cluster) requireAllOnline() {
	w.t.Helper()
	want := map[string]messages.Status{}
	for _, a := range w.agents {
		want[a.id] = messages.StatusOnline
	}
	require.Equal(w.t, want, w.statuses())
	require.Len(w.t, actorsOf(w.sys, "session"), len(w.agents))
}

// requireFresh checks that the answer has the newest sample of each node's endpoint, and of
// its agent itself.
func (w *cluster) requireFresh() {
	w.t.Helper()
	c, err := w.proxy.Collect(w.t.Context(), messages.Query{Deadline: time.Now().Add(clusterPatience),
		Selection: messages.Selection{Names: []string{"g", "fodc_agent_build_info"}}})
	require.NoError(w.t, err)
	require.Len(w.t, c.Nodes, len(w.agents))
	for _, n := range c.Nodes {
		require.Empty(w.t, n.Missing, n.Identity.NodeID)
		fresh := map[string]bool{}
		for _, b := range n.Blocks {
			age := time.Since(time.UnixMilli(b.Times[len(b.Times)-1]))
			for f := range b.Each() {
				require.LessOrEqual(w.t, age, clusterScrapes+time.Second, "%s of %s", f.Name, n.Identity.NodeID)
				fresh[f.Name] = true
			}
		}
		require.Equal(w.t, map[string]bool{"g": true, "fodc_agent_build_info": true}, fresh, n.Identity.NodeID)
	}
}

// samples counts what the node has recorded of its endpoint.
func (w *cluster) samples(id string) int {
	w.t.Helper()
	c, err := w.proxy.Collect(w.t.Context(), messages.Query{Deadline: time.Now().Add(clusterPatience),
		Filter:    messages.NodeFilter{NodeIDs: []string{id}},
		Selection: messages.Selection{Names: []string{"g"}, Window: messages.Window{End: time.Now()}}})
	require.NoError(w.t, err)
	require.Len(w.t, c.Nodes, 1)
	require.Empty(w.t, c.Nodes[0].Missing)
	count := 0
	for _, b := range c.Nodes[0].Blocks {
		count += len(b.Times)
	}
	return count
}

// actorsOf returns the actors of a kind.
func actorsOf(sys *actors.System, kind string) []messages.ActorNode {
	var all []messages.ActorNode
	var add func([]messages.ActorNode)
	add = func(nodes []messages.ActorNode) {
		for _, n := range nodes {
			if n.Kind == kind {
				all = append(all, n)
			}
			add(n.Children)
		}
	}
	add(sys.Tree().Actors)
	return all
}

// crash makes an actor panic.
func crash(sys *actors.System, id string) {
	// The address is the same for all actors of a system.
	probe := actorstest.NewProbe(sys).PID
	defer sys.StopAsync(probe)
	sys.Send(&actors.PID{Address: probe.Address, Id: id}, actorstest.Crash{})
}

// memoryNet is the network between a proxy and its agents.
type memoryNet struct {
	listener *bufconn.Listener
	served   chan error

	refuse atomic.Bool // new connections

	mu   sync.Mutex
	open map[*slowConn]struct{}
}

func newMemoryNet() *memoryNet {
	return &memoryNet{listener: bufconn.Listen(1 << 20), served: make(chan error, 1), open: map[*slowConn]struct{}{}}
}

func (n *memoryNet) dial(ctx context.Context, _ string) (net.Conn, error) {
	if n.refuse.Load() {
		return nil, syscall.ECONNREFUSED
	}
	c, err := n.listener.DialContext(ctx)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	slow := &slowConn{Conn: c, net: n}
	n.open[slow] = struct{}{}
	return slow, nil
}

// cut ends all connections, and returns how many there were.
func (n *memoryNet) cut() int {
	n.mu.Lock()
	var all []*slowConn
	for c := range n.open {
		all = append(all, c)
	}
	n.mu.Unlock()
	for _, c := range all {
		_ = c.Close()
	}
	return len(all)
}

// slowConn delays what an agent writes.
type slowConn struct {
	net.Conn
	net *memoryNet
}

func (c *slowConn) Write(b []byte) (int, error) {
	time.Sleep(clusterLatency)
	return c.Conn.Write(b)
}

func (c *slowConn) Close() error {
	c.net.mu.Lock()
	delete(c.net.open, c)
	c.net.mu.Unlock()
	return c.Conn.Close()
}
