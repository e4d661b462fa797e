package modes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/agent"
	"fodc/actors/agent/nodeconfig"
	"fodc/actors/proxy"
	"fodc/messages"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// docsEpoch is when the cluster of the documentation is started, by its own clock.
var docsEpoch = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// docsUptime is its age when requests are sent. The lost node is unconnected then, and not
// removed yet. No timer is due at that time.
const docsUptime = 65 * time.Second

// docsCluster is the cluster of the documentation: a liaison, and two data nodes, of which the
// second was lost. It is the same in each run.
type docsCluster struct {
	*cluster
	// handlers are the HTTP APIs of the proxy and of the first agent, by port.
	handlers map[string]http.Handler
}

// docsNodes are its nodes as their agents register them.
func docsNodes() []messages.Registration {
	address := func(n int, port int32) messages.Address {
		return messages.Address{IP: fmt.Sprintf("10.0.0.%d", n), Port: port}
	}
	return []messages.Registration{
		{NodeID: "liaison-0", Role: "liaison", PodName: "banyandb-liaison-0", Labels: map[string]string{"zone": "a"},
			Primary: address(1, 17912), Secondary: map[string]messages.Address{"metrics": address(1, 2121)}},
		{NodeID: "data-0", Role: "datanode-hot", PodName: "banyandb-data-0", Labels: map[string]string{"zone": "a", "disk": "nvme"},
			Primary: address(2, 17912), ContainerNames: []string{"data"}},
		{NodeID: "data-1", Role: "datanode-hot", PodName: "banyandb-data-1", Labels: map[string]string{"zone": "b"},
			Primary: address(3, 17912)},
	}
}

// inDocsCluster runs the test in a bubble in which the cluster is docsUptime old.
func inDocsCluster(t *testing.T, test func(t *testing.T, w *docsCluster)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(docsEpoch))
		c := defaultProxy
		w := &docsCluster{&cluster{t: t, sys: actors.NewSystem(zap.NewNop()), net: newMemoryNet()}, map[string]http.Handler{}}
		cfg, err := c.actors()
		require.NoError(t, err)
		cfg.SchemaInterval = schemaInterval
		cfg.Alertmanager = proxy.AlertmanagerConfig{URLs: []*url.URL{{Scheme: "http", Host: "alertmanager.example:9093"}},
			Post: func(context.Context, *url.URL, []byte) error { return nil }}
		p := &runningProxy{program: Program{Log: zap.NewNop()}, proxy: proxy.Start(w.sys, cfg)}
		w.proxy = p.proxy
		p.ready.Store(true)
		api := p.api(w.sys, c, cfg.MaxAnswersBytes)
		api.Incidents = docsIncidents(docsLost())
		w.handlers["17901"] = api.Handler()
		go func() { w.net.served <- w.proxy.Serve(w.net.listener) }()
		defer w.finish()
		lines := &breakableConns{net: w.net}
		for i, node := range docsNodes() {
			dial := atOnce(w.net)
			if node.NodeID == "data-1" {
				dial = lines.dial
			}
			w.start(node, dial)
			if i == 0 {
				a := &runningAgent{agent: w.agents[0].agent}
				a.ready.Store(true)
				api := a.api(w.agents[0].sys, docsAgent(node), Program{Log: zap.NewNop()})
				api.Incidents = docsIncidents(docsErrors())
				w.handlers["17902"] = api.Handler()
			}
			w.pass(100 * time.Millisecond)
		}
		w.pass(docsUptime / 2)
		lines.cut()
		w.pass(docsUptime - time.Since(docsEpoch))
		test(t, w)
	})
}

// docsAgent is how the agent of the node is run, as its HTTP API knows it.
func docsAgent(node messages.Registration) AgentConfig {
	return AgentConfig{NodeID: node.NodeID, NodeRole: node.Role, PodName: node.PodName, NodeLabels: node.Labels, PollInterval: 10 * time.Second,
		Queries: defaultProxy.Queries.forAgent()}
}

func (w *docsCluster) start(node messages.Registration, dial func(context.Context, string) (net.Conn, error)) {
	a := &clusterAgent{id: node.NodeID, sys: actors.NewSystem(zap.NewNop())}
	written := 0
	target := agent.Target{URL: "http://127.0.0.1:2121/metrics"}
	if len(node.ContainerNames) > 0 {
		target.ContainerName = node.ContainerNames[0]
	}
	a.agent = agent.Start(a.sys, agent.Config{
		Registration: node, ProxyAddrs: []string{"proxy.example:17900"}, Targets: []agent.Target{target},
		ScrapeInterval: 10 * time.Second, HeartbeatInterval: 10 * time.Second, ReconnectInterval: 5 * time.Second,
		MemoryBudget: 64 << 20, Version: "v1.0.0", Dial: dial,
		Sources:    docsSources(node.NodeID),
		NodeConfig: &nodeconfig.Config{Root: w.t.TempDir()}, // a host without processes
		Fetch: func(_ context.Context, url string) ([]byte, string, error) {
			if strings.HasSuffix(url, "/cmdline") {
				return docsCommandLine(node.NodeID), "text/plain", nil
			}
			written += 125 // one request at a time
			time.Sleep(4 * time.Millisecond)
			return fmt.Appendf(nil, docsPage, written, written/2), "text/plain; version=0.0.4", nil
		},
	})
	w.agents = append(w.agents, a)
}

// docsCommandLine is the command line of a database node, as its pprof endpoint shows it.
func docsCommandLine(id string) []byte {
	level := "info"
	if id == "data-1" {
		level = "debug"
	}
	command, _, _ := strings.Cut(id, "-")
	return []byte(strings.Join([]string{"/banyand", command, "--stream-root-path=/data", "--logging-level=" + level,
		"--etcd-password=hunter2"}, "\x00"))
}

// docsPage is the metrics page of the database nodes.
const docsPage = `# HELP banyandb_measure_total_written Data points written.
# TYPE banyandb_measure_total_written counter
banyandb_measure_total_written{group="sw_metric"} %d
# HELP banyandb_measure_inverted_index_total_doc_count Documents in the index.
# TYPE banyandb_measure_inverted_index_total_doc_count gauge
banyandb_measure_inverted_index_total_doc_count{group="sw_metric"} %d
`

// atOnce dials without the network's latency: how often it counts is not the same each
// time, as gRPC writes one frame at a time or several.
func atOnce(n *memoryNet) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, _ string) (net.Conn, error) { return n.listener.DialContext(ctx) }
}

// breakableConns dials connections, all of which can be broken for good.
type breakableConns struct {
	net *memoryNet

	mu    sync.Mutex
	isCut bool
	open  []net.Conn
}

func (l *breakableConns) dial(ctx context.Context, addr string) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isCut {
		return nil, errors.New("no route to host")
	}
	c, err := atOnce(l.net)(ctx, addr)
	if err == nil {
		l.open = append(l.open, c)
	}
	return c, err
}

func (l *breakableConns) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = true
	for _, c := range l.open {
		_ = c.Close()
	}
}

func TestDocsClusterIsAsDescribed(t *testing.T) {
	inDocsCluster(t, func(t *testing.T, w *docsCluster) {
		require.Equal(t, map[string]messages.Status{"liaison-0": "online", "data-0": "online", "data-1": "unconnected"}, w.statuses())
	})
}
