package httpapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func someProxyCounts() messages.ProxyCounts {
	return messages.ProxyCounts{SessionsOpened: 9, SessionsEnded: map[string]uint64{"goodbye": 1, "lost": 2},
		Refused: map[string]uint64{"full": 3}, ChecksAccepted: 19, ChecksRefused: map[string]uint64{"token": 20}, StreamsRefused: map[string]uint64{"unknown_key": 8}, HandshakesFailed: map[string]uint64{"no_tls": 18}, NodesEvicted: 2, Heartbeats: 4, RelayedSamples: 5, RelayedBytes: 6,
		FramesRejected: map[string]uint64{"late": 7}, CrashRecords: 10, StorageErrors: 11,
		Incidents:     &messages.IncidentCounts{Opened: map[string]uint64{"OOMKill": 12}, Open: 13, EvidenceBytes: 14},
		Alertmanagers: []messages.AlertmanagerCounts{{Alertmanager: "http://am:9093", Notifications: 15, Failed: 16, Dropped: 17}}}
}

// samplesOf returns the page's samples of a family.
func samplesOf(page, family string) string {
	var lines []string
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, family+"{") || strings.HasPrefix(line, family+" ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func TestAgentsByRoleAndState(t *testing.T) {
	p := newFakeProxy()
	agents := func() string {
		t.Helper()
		w := p.get("/metrics/self")
		requirePage(t, w)
		requireLint(t, w.Body.Bytes())
		return samplesOf(w.Body.String(), familyAgents)
	}
	const none = "fodc_proxy_agents{role=\"other\",state=\"online\"} 0\nfodc_proxy_agents{role=\"other\",state=\"unconnected\"} 0\n"
	require.Equal(t, none, agents(), "a sum over no agents is 0 and not nothing")

	node := func(id, role string, s messages.Status) messages.NodeStatus {
		return messages.NodeStatus{Identity: messages.Identity{NodeID: id, Role: role}, Status: s}
	}
	p.cluster.Nodes = []messages.NodeStatus{node("1", "liaison", messages.StatusOnline), node("2", "liaison", messages.StatusUnconnected),
		node("3", "liaison", messages.StatusOnline), node("4", "", messages.StatusOnline)}
	require.Equal(t, `fodc_proxy_agents{role="liaison",state="online"} 2
fodc_proxy_agents{role="liaison",state="unconnected"} 1
fodc_proxy_agents{role="other",state="online"} 1
fodc_proxy_agents{role="other",state="unconnected"} 0
`, agents())

	// A role without agents has the value 0; what is not known is not 0.
	p.cluster.Nodes = nil
	require.Equal(t, "fodc_proxy_agents{role=\"liaison\",state=\"online\"} 0\nfodc_proxy_agents{role=\"liaison\",state=\"unconnected\"} 0\n"+none, agents())
	p.clusterErr = errors.New("x")
	require.Equal(t, 4, strings.Count(agents(), " NaN\n"))
}

// Agents choose their roles, but cannot make the proxy have any number of series.
func TestRolesAreBounded(t *testing.T) {
	p := newFakeProxy()
	for i := range 10 * maxRoles {
		p.cluster.Nodes = append(p.cluster.Nodes, messages.NodeStatus{
			Identity: messages.Identity{NodeID: fmt.Sprint(i), Role: fmt.Sprintf("role-%d", i)}, Status: messages.StatusOnline})
	}
	for range 2 {
		page := samplesOf(p.get("/metrics/self").Body.String(), familyAgents)
		require.Equal(t, 2*(maxRoles+1), strings.Count(page, "\n"))
		require.Contains(t, page, fmt.Sprintf("fodc_proxy_agents{role=\"other\",state=\"online\"} %d\n", 9*maxRoles))
		slices.Reverse(p.cluster.Nodes) // The first roles keep their series.
	}
}

// Each request counts its missing nodes, also where requests share a collection.
func TestMissingNodesAreCounted(t *testing.T) {
	p := newFakeProxy()
	missing := func() string { return samplesOf(p.get("/metrics/self").Body.String(), familyMissing) }
	const head = "fodc_proxy_agents_missing_total{reason="
	require.Equal(t, head+"\"busy\"} 0\n"+head+"\"error\"} 0\n"+head+"\"timeout\"} 0\n"+head+"\"unconnected\"} 0\n", missing())
	p.collection = threeNodes()
	p.get("/metrics")
	p.get("/metrics-windows")
	p.get("/metrics?strict=1")
	require.Equal(t, head+"\"busy\"} 0\n"+head+"\"error\"} 0\n"+head+"\"timeout\"} 3\n"+head+"\"unconnected\"} 3\n", missing())
}

// A group has one series, with the status that holds, and none when it is gone.
func TestSchemaConsistencyByGroup(t *testing.T) {
	p := newFakeProxy()
	schema := func() string {
		t.Helper()
		page := p.get("/metrics/self")
		requireLint(t, page.Body.Bytes())
		return samplesOf(page.Body.String(), familySchema)
	}
	require.Empty(t, schema())
	p.consistency = map[string]*messages.SchemaConsistency{"a\"\n": {Status: messages.ConsistencyUnknown}, "b": {Status: messages.ConsistencyConsistent}}
	require.Equal(t, `fodc_proxy_schema_consistency{group="a\"\n",status="CONSISTENCY_STATUS_UNKNOWN"} 1
fodc_proxy_schema_consistency{group="b",status="CONSISTENCY_STATUS_CONSISTENT"} 1
`, schema())
	p.consistency = map[string]*messages.SchemaConsistency{"b": {Status: messages.ConsistencyInconsistent}}
	require.Equal(t, "fodc_proxy_schema_consistency{group=\"b\",status=\"CONSISTENCY_STATUS_INCONSISTENT\"} 1\n", schema())
	p.consistency = nil
	require.Empty(t, schema())
}

// Agents that have not shown who they are are counted where they are asked for it, and only there.
func TestAgentsThatAreNotVerifiedAreCounted(t *testing.T) {
	p := newFakeProxy()
	count := func() string {
		t.Helper()
		w := p.get("/metrics/self")
		requireLint(t, w.Body.Bytes())
		return samplesOf(w.Body.String(), familyUnverified)
	}
	p.cluster = someCluster()
	require.Empty(t, count())
	require.NotContains(t, p.get("/cluster").Body.String(), "verified")
	p.cluster.Verifies = true
	require.Equal(t, familyUnverified+" 2\n", count())
	p.cluster.Nodes[1].Verified = messages.Verified{Certificate: "*.nodes"}
	require.Equal(t, familyUnverified+" 1\n", count())
	page := p.get("/cluster").Body.String()
	require.Equal(t, 1, strings.Count(page, `"verified":false`))
	require.Contains(t, page, `"verified":true,"certificate_name":"*.nodes","session_age`)
	p.cluster.Nodes[0].Verified = messages.Verified{Token: "agents"}
	require.Contains(t, p.get("/cluster").Body.String(), `"verified":true,"token_name":"agents"`)
	require.Equal(t, familyUnverified+" 0\n", count())
	p.clusterErr = errors.New("x")
	require.Equal(t, familyUnverified+" NaN\n", count())
}
