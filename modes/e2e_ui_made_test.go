//go:build e2e && linux

package modes_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/httpapi"
	"fodc/httpapi/promapi"
	"fodc/messages"
	"fodc/recorder/promstore"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// madeCluster is a cluster that is made up: the HTTP API of a proxy, as it is, over nodes whose answers are computed. So there
// may be many nodes, and they may say what no agent would.
type madeCluster struct {
	nodes   []madeNode
	hostile bool
	began   time.Time
	// incidents are by no means those of a proxy: see makeIncidents.
	incidents []*messages.Incident
	files     map[string][]byte
	addr      string
}

// madeNode is a node with what is wrong with it.
type madeNode struct {
	id                                  messages.Identity
	gone, degraded, partial, clockIsOff bool
	// size is how large it is: its values follow from it.
	size float64
}

// madeRoles are the roles of ten nodes in a row.
var madeRoles = strings.Fields("liaison datanode-hot datanode-hot datanode-hot datanode-hot datanode-hot datanode-warm datanode-warm datanode-warm datanode-cold")

// startMade serves a cluster of so many nodes. With one node nothing is wrong; of many nodes, some are gone or do not say all.
func startMade(t *testing.T, nodes int) *madeCluster {
	c := &madeCluster{began: time.Now().Add(-26 * time.Hour)}
	for n := range nodes {
		role := madeRoles[n%len(madeRoles)]
		if nodes == 1 {
			role = "datanode-hot"
		}
		id := fmt.Sprintf("%s-%d", strings.TrimPrefix(role, "datanode-"), n/len(madeRoles)*strings.Count(strings.Join(madeRoles, " "), role)+n%len(madeRoles))
		c.nodes = append(c.nodes, madeNode{
			id:   messages.Identity{NodeID: id, Role: role, PodName: "demo-banyandb-" + id, Labels: map[string]string{"zone": "eu-west-1" + string(rune('a'+n%3))}},
			gone: n%23 == 22, degraded: n%31 == 17, partial: n%41 == 33, clockIsOff: n%53 == 41, size: 0.3 + float64(n*7919%97)/100,
		})
	}
	c.makeIncidents()
	c.serve(t)
	return c
}

// serve serves the cluster at c.addr.
func (c *madeCluster) serve(t *testing.T) {
	a := &httpapi.ProxyAPI{
		Collect: c.collect, Cluster: c.cluster, Configs: c.configs,
		Crashes: func(context.Context, messages.NodeFilter, time.Time) (messages.CrashList, error) {
			return messages.CrashList{}, nil
		},
		Download: func(context.Context, messages.Download, func(*messages.ProfileChunk) error) error {
			return messages.Errorf(messages.ErrNotFound, "there is none")
		},
		Consistency: func() map[string]*messages.SchemaConsistency { return nil },
		Tree:        c.tree, Counts: func() messages.ActorCounts { return messages.ActorCounts{} }, ProxyCounts: func() messages.ProxyCounts { return messages.ProxyCounts{} },
		Process:        c.process,
		Ready:          func() bool { return true },
		CollectTimeout: 10 * time.Second, MaxQueryCollections: 8, MaxInFlightBytes: 1 << 30, StartedAt: c.began, Log: zap.NewNop(),
		Build: httpapi.Build{Version: "v0.0.0"}, Incidents: c.incidentsAPI(),
	}
	limits := promapi.Limits{Timeout: 30 * time.Second, MaxSamples: 50_000_000, Concurrency: 20, Memory: 1 << 30}
	a.Queries = promapi.New(promapi.Config{Storage: promstore.New(promstore.Config{Collect: a.CollectForQuery, Timeout: limits.Timeout, Now: time.Now}),
		Targets: a.QueryTargets(5*time.Second, 15*time.Second), Limits: limits, PagesAhead: a.PagesAhead, Started: c.began, Now: time.Now, Log: zap.NewNop()}).Routes()
	server := httptest.NewServer(a.Handler())
	t.Cleanup(server.Close)
	c.addr = strings.TrimPrefix(server.URL, "http://")
	require.NotEmpty(t, c.addr)
}

// cluster is what the registry would say.
func (c *madeCluster) cluster(_ context.Context, f messages.NodeFilter) (messages.Cluster, error) {
	now := time.Now()
	all := messages.Cluster{UpdatedAt: now}
	for n := range c.nodes {
		node := &c.nodes[n]
		if !f.Selects(&node.id) {
			continue
		}
		age := now.Sub(c.began) - time.Duration(n)*time.Second
		s := messages.NodeStatus{Identity: node.id, Primary: messages.Address{IP: fmt.Sprintf("10.7.%d.%d", n/250, n%250+1), Port: 17912}, ContainerNames: []string{"banyandb", "lifecycle"},
			Status: messages.StatusOnline, AgentID: fmt.Sprintf("agent-%d", n), AgentVersion: "v0.9.1", RegisteredAt: c.began, LastHeartbeat: now.Add(-time.Second), SessionAge: &age,
			Runtime: &messages.Runtime{Load: 3 * node.size, Health: messages.HealthHealthy}, Timing: &messages.Timing{RoundTrip: time.Millisecond, ClockOffset: time.Duration(n%7) * time.Millisecond}}
		switch {
		case node.gone:
			s.Status, s.SessionAge, s.LostAt, s.LastHeartbeat, s.Timing = messages.StatusUnconnected, nil, now.Add(-6*time.Minute), now.Add(-6*time.Minute), nil
			s.LastError = "no heartbeat within 15s"
		case node.degraded:
			s.Runtime.Health = messages.HealthDegraded
		case node.clockIsOff:
			s.Timing.ClockOffset = -90 * time.Second
		}
		all.Verifies = true
		if n%3 != 1 {
			s.Verified = messages.Verified{Certificate: node.id.NodeID}
		}
		if c.hostile {
			s.LastError, s.AgentVersion, s.ContainerNames = hostile(n), hostile(n+1), []string{hostile(n + 2)}
			s.Verified = messages.Verified{}
			if n%3 > 0 {
				s.Verified = messages.Verified{Certificate: hostile(n + 3), Token: hostile(n + 4)}
			}
		}
		all.Nodes = append(all.Nodes, s)
	}
	slices.SortFunc(all.Nodes, func(a, b messages.NodeStatus) int { return strings.Compare(a.Identity.NodeID, b.Identity.NodeID) })
	return all, nil
}

// process is what the proxy would take.
func (c *madeCluster) process() (messages.ProcessUsage, error) {
	return messages.ProcessUsage{CPUSeconds: 0.004 * time.Since(c.began).Seconds(), StartSeconds: float64(c.began.Unix()), ResidentBytes: 48 << 20}, nil
}

// configs has a parameter in which the nodes of a role differ, in few values and in many.
func (c *madeCluster) configs(_ context.Context, f messages.NodeFilter) ([]messages.NodeConfiguration, error) {
	var all []messages.NodeConfiguration
	for n := range c.nodes {
		node := &c.nodes[n]
		if !f.Selects(&node.id) {
			continue
		}
		text := fmt.Sprintf("/data/%d", n%3)
		name := "measure-root-path"
		config := &messages.NodeConfig{CollectedAt: c.began, Sources: []string{"/proc/7/cmdline"}}
		if c.hostile {
			name, text = hostile(n % 3)[:min(len(hostile(n%3)), 200)], hostile(n)
			config.Sources, config.Errors = []string{hostile(n)}, []string{hostile(n + 3)}
		}
		config.StartupParams = []messages.ConfigParam{{Key: "grpc-port", Value: "17912"}, {Key: "host-name", Value: jsonOf(node.id.NodeID)}, {Key: name, Value: jsonOf(text)}}
		one := messages.NodeConfiguration{Identity: node.id, Status: messages.StatusOnline, Config: config}
		if node.gone {
			one.Status, one.Config = messages.StatusUnconnected, nil
		}
		all = append(all, one)
	}
	return all, nil
}

// tree has an actor for each node.
func (c *madeCluster) tree() messages.ActorTree {
	registry := messages.ActorNode{ID: "registry", Kind: "registry", State: "running", Started: c.began, Handled: 1_000_000}
	tree := messages.ActorTree{At: time.Now()}
	for n := range c.nodes {
		registry.Children = append(registry.Children, messages.ActorNode{ID: fmt.Sprintf("registry/session-%d", n), Kind: "session", Subject: c.nodes[n].id.NodeID, State: "running", Started: c.began, Handled: uint64(n * 100), Mailbox: int64(n % 3)})
		if c.nodes[n].gone {
			tree.Ended = append(tree.Ended, messages.EndedActor{ID: fmt.Sprintf("registry/session-old-%d", n), Kind: "session", Subject: c.nodes[n].id.NodeID, Ended: time.Now(), Reason: "the stream broke: " + c.nodes[n].id.Role})
		}
	}
	tree.Actors = []messages.ActorNode{registry}
	return tree
}
