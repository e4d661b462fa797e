//go:build e2e && linux

package modes_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fodc/messages"
	"fodc/modes/nodetest"
	flight "fodc/recorder"
	"fodc/recorder/journal"
	"fodc/recorder/journal/diskfs"

	"github.com/stretchr/testify/require"
)

// incidentCluster is a proxy and three loaded nodes, each with an agent, all with storage directories.
type incidentCluster struct {
	t       *testing.T
	proxy   *process
	storage string   // of the proxy
	args    []string // of the proxy
	nodes   []*clusterNode
}

// clusterNode is a loaded node and its agent.
type clusterNode struct {
	t             *testing.T
	id, role      string
	settings      nodetest.Settings
	dir, storage  string
	by            []string // the command that the node is started by
	cmd           *exec.Cmd
	agent         *process
	grpc          string // of the proxy
	more          []string
	began, killed time.Time
}

// incidentTimes are short times of incidents, so that a test does not take minutes.
var incidentTimes = []string{"--incident-before", "100s", "--incident-after", "10s", "--incident-max-duration", "1m"}

// pastOfCluster is how much the agents of an incidentCluster have recorded before the test, as rules need a past that
// they compare with.
const pastOfCluster = 40 * time.Minute

// startIncidentCluster starts data-0, data-1 and liaison-0. prepare may change a node before it is started.
func startIncidentCluster(t *testing.T, proxyArgs []string, prepare func(n *clusterNode)) *incidentCluster {
	t.Helper()
	hostsKernel.share(t)
	return startCluster(t, proxyArgs, prepare)
}

// startShortOfMemory is startIncidentCluster for a test in which the kernel ends a node for lack of memory.
func startShortOfMemory(t *testing.T, proxyArgs []string, prepare func(n *clusterNode)) *incidentCluster {
	t.Helper()
	hostsKernel.ends(t)
	return startCluster(t, proxyArgs, prepare)
}

func startCluster(t *testing.T, proxyArgs []string, prepare func(n *clusterNode)) *incidentCluster {
	t.Helper()
	takeClusterSlots(t, 1)
	c := &incidentCluster{t: t, storage: t.TempDir()}
	c.args = append([]string{"--grpc-listen-addr", fixedPort(t), "--http-listen-addr", fixedPort(t), "--storage-dir", c.storage,
		"--heartbeat-interval", "1s", "--agent-heartbeat-timeout", "6s"}, slices.Concat(incidentTimes, proxyArgs)...)
	c.proxy = c.startProxy()
	for _, role := range []string{"data-0", "data-1", "liaison-0"} {
		c.addNode(role, prepare)
	}
	awaitStatuses(t, c.proxy, "data-0", "online", "data-1", "online", "liaison-0", "online")
	return c
}

func (c *incidentCluster) startProxy() *process {
	return start(c.t, append([]string{"proxy"}, c.args...)...)
}

func (c *incidentCluster) addNode(id string, prepare func(n *clusterNode)) {
	t := c.t
	role := "datanode-hot"
	if strings.HasPrefix(id, "liaison") {
		role = "liaison"
	}
	dir := t.TempDir()
	page, err := filepath.Abs("../testdata/banyandb/standalone-05.prom")
	require.NoError(t, err)
	n := &clusterNode{t: t, id: id, role: role, dir: dir, storage: filepath.Join(dir, "storage"), grpc: c.args[1], more: incidentTimes,
		settings: nodetest.Settings{Metrics: fixedPort(t), Profiles: fixedPort(t), Log: filepath.Join(dir, "node.log"),
			PIDFile: filepath.Join(dir, "node.pid"), Page: page}}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "node.yaml"), []byte("grpc-port: 17912\npassword: hunter2\n"), 0o644))
	if prepare != nil {
		prepare(n)
	}
	n.startNode()
	n.writePast()
	n.startAgent()
	c.nodes = append(c.nodes, n)
}

// node returns the node with the id.
func (c *incidentCluster) node(id string) *clusterNode {
	for _, n := range c.nodes {
		if n.id == id {
			return n
		}
	}
	panic(id)
}

func (n *clusterNode) endpoint() string { return "http://" + n.settings.Metrics + "/metrics" }

// writePast has the agent find a past of a healthy node on disk.
func (n *clusterNode) writePast() {
	t := n.t
	lines, err := nodetest.Lines(n.settings.Page)
	require.NoError(t, err)
	cfg := pastLimits
	cfg.Node = journal.Node{NodeID: n.id, Role: n.role, PodName: n.id, AgentVersion: "past"}
	now := time.Now()
	from := now.Add(-pastOfCluster)
	w := journal.NewWriter(diskfs.New(filepath.Join(n.storage, "journal")), cfg)
	require.NoError(t, w.Open(from))
	window, page := flight.NewWindow(flight.Limits{}), &flight.Page{}
	_, body, _, err := get(n.settings.Metrics, "/metrics")
	require.NoError(t, err)
	_, began, _ := strings.Cut(body, "\nprocess_start_time_seconds ")
	began, _, _ = strings.Cut(began, "\n")
	seconds, err := strconv.ParseFloat(began, 64)
	require.NoError(t, err)
	n.began = time.UnixMilli(int64(seconds * 1e3)) // as if it had not been started since
	labels := []messages.Label{{Name: "endpoint", Value: n.endpoint()}}
	for i, at := 0, from; at.Before(now.Add(-time.Second)); i, at = i+1, at.Add(5*time.Second) {
		text := nodetest.Page(lines, nodetest.Values{Resident: 20<<20 + int64(i%7)<<18, Limit: n.settings.Limit, Began: n.began, Goroutines: 8 + i%3,
			CPU: float64(i) / 10, Requests: float64(250 * i)})
		page.Parse([]byte(text), nodetest.ContentType, flight.ParseLimits{})
		require.NoError(t, page.Err())
		_, batch := window.AppendBatch(flight.Target{Name: n.endpoint()}, flight.Scrape{At: at, Page: page, Samples: []flight.Sample{
			{Name: "fodc_node_up", Type: messages.TypeGauge, Labels: labels, Value: 1},
			{Name: "fodc_node_scrape_duration_seconds", Type: messages.TypeGauge, Labels: labels, Value: 0.002 + float64(i%5)/1e4}}})
		require.NoError(t, w.Append(batch, at))
		if due := w.NextDue(); !due.IsZero() && !due.After(at) {
			require.NoError(t, w.Due(at))
		}
	}
	require.NoError(t, w.Close(now))
}

func (n *clusterNode) startNode() { n.cmd = startLoadedNode(n.t, n.settings, n.by...) }

func (n *clusterNode) startAgent() {
	n.agent = start(n.t, append([]string{"agent", "--proxy-addr", n.grpc, "--node-id", n.id, "--node-role", n.role, "--metrics-endpoint", n.endpoint(),
		"--poll-metrics-interval", "1s", "--reconnect-interval", "500ms", "--prometheus-listen-addr", "127.0.0.1:0", "--storage-dir", n.storage,
		"--node-pid-file", n.settings.PIDFile, "--node-log-file", n.settings.Log, "--node-config-file", filepath.Join(n.dir, "node.yaml"),
		"--pprof-endpoint", "http://" + n.settings.Profiles}, n.more...)...)
}

// control tells the node what to do: grow=BYTES until=BYTES errors=RATE drop=1.
func (n *clusterNode) control(query string) {
	n.t.Helper()
	_, body, _, err := get(n.settings.Metrics, "/control?"+query)
	require.NoError(n.t, err)
	require.Equal(n.t, "ok\n", body)
}

// kill sends the node's process a signal, and notes when.
func (n *clusterNode) kill(s syscall.Signal) {
	n.killed = time.Now()
	require.NoError(n.t, n.cmd.Process.Signal(s))
}

// incidents returns those of a proxy or an agent, whole, the newest first.
func incidentsAt(addr string) (all []messages.Incident, err error) {
	status, body, _, err := get(addr, "/incidents")
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("%d: %.200s", status, body)
	}
	var list []struct{ ID string }
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		return nil, fmt.Errorf("%w: %.200s", err, body)
	}
	for _, i := range list {
		status, body, _, err := get(addr, "/incidents/"+i.ID)
		if err != nil || status != http.StatusOK {
			return nil, fmt.Errorf("%s: %d %w %.200s", i.ID, status, err, body)
		}
		whole, err := messages.ParseIncident([]byte(body))
		if err != nil {
			return nil, err
		}
		all = append(all, whole)
	}
	return all, nil
}

// awaitIncident waits until the proxy has one incident, in one of the states, and requires that it never has two.
func (c *incidentCluster) awaitIncident(limit time.Duration, wanted ...messages.IncidentState) (found messages.Incident) {
	c.t.Helper()
	took := within(c.t, limit, fmt.Sprintf("an incident that is %q", wanted), func() error {
		all, err := incidentsAt(c.args[3])
		if err != nil {
			return err
		}
		if len(all) > 1 {
			c.t.Fatalf("%d incidents: %s: %s, and %s: %s", len(all), all[0].ID, all[0].Summary, all[1].ID, all[1].Summary)
		}
		if len(all) == 0 || !slices.Contains(wanted, all[0].State) {
			return fmt.Errorf("%d incidents, %v", len(all), states(all))
		}
		found = all[0]
		return nil
	})
	c.t.Logf("%s after %s: %s", found.State, took.Round(100*time.Millisecond), found.Summary)
	return found
}

// awaitNodes waits until the proxy has all evidence of these nodes.
func (c *incidentCluster) awaitNodes(id string, nodes ...string) {
	c.t.Helper()
	within(c.t, time.Minute, "the evidence of nodes", func() error {
		all, err := incidentsAt(c.args[3])
		if err != nil {
			return err
		}
		for _, in := range all {
			for _, n := range in.Nodes {
				if in.ID == id && slices.Contains(nodes, n.NodeID) && n.State != messages.IncidentCollected {
					return fmt.Errorf("%q", states(all))
				}
			}
		}
		return nil
	})
}

func states(all []messages.Incident) (texts []string) {
	for i := range all {
		text := string(all[i].State) + " " + all[i].Summary
		for n := range all[i].Nodes {
			text += fmt.Sprintf(" %s=%s", all[i].Nodes[n].NodeID, all[i].Nodes[n].State)
		}
		texts = append(texts, text)
	}
	return texts
}
