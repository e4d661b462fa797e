//go:build e2e && linux

package modes_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"

	"github.com/stretchr/testify/require"
)

// database is a database node beside an agent: the services that the agent asks, the port of its profiles, its page of
// metrics, and the directories that it writes to.
type database struct {
	*actorstest.FakeDatabase
	*node
	t                  *testing.T
	name               string
	services, profiles string // addresses
	reports, crashes   string // directories
}

// databasePage is the page of a node that is not short of memory.
const databasePage = pageA + "process_resident_memory_bytes 1e6\nbanyandb_memory_protector_cgroup_limit_bytes 1e9\n"

// newDatabase returns a database that is down, at ports that are its own.
func newDatabase(t *testing.T, name string) *database {
	t.Helper()
	d := &database{FakeDatabase: actorstest.NewFakeDatabase(), node: startNode(t, databasePage), t: t, name: name,
		services: fixedPort(t), profiles: fixedPort(t), reports: t.TempDir(), crashes: t.TempDir()}
	d.is(2, fields{"type": "hot", "pod_name": "pod-" + name})
	d.knows("other")
	d.Set(actorstest.InspectAll, actorstest.FakeCall{Answer: fields{"groups": []any{lifecycleGroup("sw_"+name, name), lifecycleGroup("shared", name)}}})
	for _, kind := range []string{"heap", "goroutine"} {
		d.SetProfile(kind, actorstest.FakeProfile{Body: profileOf(name, kind, 1000)})
	}
	require.NoError(t, os.WriteFile(filepath.Join(d.reports, name+".json"), []byte(`{"of":"`+name+`"}`), 0o644))
	t.Cleanup(d.FakeDatabase.Close)
	return d
}

// startDatabase returns a database that is up.
func startDatabase(t *testing.T, name string) *database {
	t.Helper()
	d := newDatabase(t, name)
	d.up()
	return d
}

func (d *database) up() {
	d.t.Helper()
	d.Serve(listenAt(d.t, d.services), listenAt(d.t, d.profiles))
}

func (d *database) down() { d.FakeDatabase.Close() }

// is has the node say who it is.
func (d *database) is(role int, labels fields) {
	node := databaseNode(d.name, role)
	node["labels"] = labels
	d.Set(actorstest.GetCurrentNode, actorstest.FakeCall{Answer: fields{"node": node}})
}

// knows has the node know others beside itself.
func (d *database) knows(others ...string) {
	nodes := []any{databaseNode(d.name, 2)}
	for _, other := range others {
		nodes = append(nodes, databaseNode(other, 3))
	}
	d.Set(actorstest.GetClusterState, actorstest.FakeCall{Answer: fields{"routeTables": fields{"tire1": fields{"registered": nodes}}}})
}

func portOf(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// args is the command line of an agent that gets role and labels from the node.
func (d *database) args(proxyAddr string, more ...string) []string {
	return append([]string{"agent", "--proxy-addr", proxyAddr, "--node-id", d.name, "--pod-name", "pod-" + d.name, "--metrics-endpoint", d.endpoint(),
		"--poll-metrics-interval", "1s", "--heartbeat-interval", "1s", "--reconnect-interval", "1s", "--prometheus-listen-addr", "127.0.0.1:0", "--host-telemetry=false",
		"--cluster-state-ports", portOf(d.services), "--cluster-state-poll-interval", "1s", "--lifecycle-port", portOf(d.services),
		"--lifecycle-report-dir", d.reports, "--lifecycle-cache-ttl", "100ms"}, more...)
}

func (d *database) startAgent(proxyAddr string, more ...string) *process {
	return start(d.t, d.args(proxyAddr, more...)...)
}

// identityOf returns role and labels of a node as /cluster has them, and those of its samples.
func identityOf(t *testing.T, proxy *process, id string) (role string, labels map[string]string, samples []string) {
	t.Helper()
	var answer struct {
		Nodes []struct {
			NodeID   string            `json:"node_id"`
			NodeRole string            `json:"node_role"`
			Role     string            `json:"role"`
			Labels   map[string]string `json:"labels"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(page(t, proxy.addr("http"), "/cluster")), &answer))
	for _, n := range answer.Nodes {
		if n.NodeID == id {
			role, labels = n.NodeRole+n.Role, n.Labels
		}
	}
	for _, line := range linesWith(page(t, proxy.addr("http"), "/metrics"), `node_id="`+id+`"`) {
		if strings.HasPrefix(line, "requests_total{") {
			samples = append(samples, line)
		}
	}
	return role, labels, samples
}

// awaitIdentity waits until a node has the role and the labels on /cluster, and all its samples have this text.
func awaitIdentity(t *testing.T, proxy *process, id, role string, labels map[string]string, text string) time.Duration {
	t.Helper()
	return within(t, patience, "who "+id+" is", func() error {
		gotRole, gotLabels, samples := identityOf(t, proxy, id)
		if gotRole != role || fmt.Sprint(gotLabels) != fmt.Sprint(labels) {
			return fmt.Errorf("it is %q %v", gotRole, gotLabels)
		}
		for _, line := range samples {
			if !strings.Contains(line, text) {
				return fmt.Errorf("%q lacks %q", line, text)
			}
		}
		if len(samples) == 0 {
			return fmt.Errorf("it has no samples")
		}
		return nil
	})
}

// TestE2EIdentityFromTheNode: an agent without --node-role and --node-labels gets both from its node, also if the node comes later, and
// again when they change and after the node's restart. /cluster and the samples say the same, and the session stays the same.
func TestE2EIdentityFromTheNode(t *testing.T) {
	t.Parallel()
	proxy, d := startProxy(t, "--heartbeat-interval", "1s"), newDatabase(t, "data-0")
	agent := d.startAgent(proxy.addr("grpc"))
	awaitIdentity(t, proxy, "data-0", "ROLE_UNSPECIFIED", nil, `node_role="ROLE_UNSPECIFIED"`)

	d.up()
	type labels = map[string]string
	took := awaitIdentity(t, proxy, "data-0", "ROLE_DATA", labels{"pod_name": "pod-data-0", "type": "hot"}, `node_type="hot"`)
	t.Logf("the role is known %s after the node came", took)
	awaitIdentity(t, proxy, "data-0", "ROLE_DATA", labels{"pod_name": "pod-data-0", "type": "hot"}, `node_role="ROLE_DATA"`)
	d.is(2, fields{"type": "warm", "zone": "a"})
	awaitIdentity(t, proxy, "data-0", "ROLE_DATA", labels{"type": "warm", "zone": "a"}, `node_type="warm",node_zone="a"`)

	d.down()
	d.is(3, fields{"type": "none"})
	eventually(t, "the agent notices that the node is away", func() error {
		if reading(t, agent, `fodc_agent_database_up{port="`+portOf(d.services)+`"}`) != 0 {
			return fmt.Errorf("it is up")
		}
		return nil
	})
	awaitIdentity(t, proxy, "data-0", "ROLE_DATA", labels{"type": "warm", "zone": "a"}, `node_zone="a"`)
	d.up()
	awaitIdentity(t, proxy, "data-0", "ROLE_LIAISON", labels{"type": "none"}, `node_role="ROLE_LIAISON",pod_name="pod-data-0"`)
	requireUndisturbed(t, proxy, 1)
	require.Empty(t, agent.said("lost the session with the proxy"))

	agent.kill(9)
	<-agent.exited
	d.startAgent(proxy.addr("grpc"))
	awaitIdentity(t, proxy, "data-0", "ROLE_LIAISON", labels{"type": "none"}, `node_role="ROLE_LIAISON",pod_name="pod-data-0"`)
}
