package modes

import (
	"encoding/json"
	"strings"
	"testing"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

// stampingAgent is a baseline agent that stamps the labels on its one sample.
func stampingAgent(registration *wire.RegisterAgentRequest, labels map[string]string) version {
	return version{registration, func(uint64) *wire.StreamMetricsRequest {
		return &wire.StreamMetricsRequest{Metrics: []*wire.Metric{{Name: "x", Value: 1, Type: wire.MetricType_METRIC_TYPE_GAUGE, Labels: labels}}}
	}}
}

// linesOf returns the lines of a page that begin with the text.
func linesOf(page, begin string) (lines []string) {
	for line := range strings.SplitSeq(page, "\n") {
		if strings.HasPrefix(line, begin) {
			lines = append(lines, line)
		}
	}
	return lines
}

// What a baseline agent stamps itself is not there twice, and what it says with a later
// heartbeat is what samples say from then on.
func TestBaselineAgentStampsItself(t *testing.T) {
	inVersions(t, func(t *testing.T, w *cluster, get func(string) string) {
		stamped := map[string]string{"pod_name": "data-0", "node_role": messages.RoleUnspecified}
		heartbeats := stampingAgent(&wire.RegisterAgentRequest{NodeRole: messages.RoleUnspecified, PodName: "data-0"}, stamped).serve(t, w.net)
		const early = `{node_id="data-0",node_role="ROLE_UNSPECIFIED",pod_name="data-0"} 1`
		page := get("/metrics")
		require.Equal(t, []string{"x" + early}, linesOf(page, "x"))
		require.Equal(t, []string{"fodc_agent_up" + early}, linesOf(page, "fodc_agent_up"))

		require.NoError(t, heartbeats.Send(&wire.RegisterAgentRequest{NodeRole: "ROLE_DATA", PodName: "data-0", Labels: map[string]string{"type": "hot"}}))
		// An answer that was made before the role was known says what it said.
		require.Equal(t, []string{`x{exported_node_role="ROLE_UNSPECIFIED",node_id="data-0",node_role="ROLE_DATA",pod_name="data-0",node_type="hot"} 1`},
			linesOf(get("/metrics"), "x"))
	})
}

// The labels of samples follow a role that comes late.
func TestLateRoleOfBaselineAgent(t *testing.T) {
	inVersions(t, func(t *testing.T, w *cluster, get func(string) string) {
		registration := &wire.RegisterAgentRequest{NodeRole: messages.RoleUnspecified, PodName: "data-0"}
		heartbeats := stampingAgent(registration, map[string]string{"pod_name": "data-0", "node_role": "ROLE_DATA", "node_type": "hot"}).serve(t, w.net)
		get("/metrics")
		require.NoError(t, heartbeats.Send(&wire.RegisterAgentRequest{NodeRole: "ROLE_DATA", PodName: "data-0", Labels: map[string]string{"type": "hot"}}))
		const late = `{node_id="data-0",node_role="ROLE_DATA",pod_name="data-0"`
		page := get("/metrics")
		require.Equal(t, []string{"x" + late + `,node_type="hot"} 1`}, linesOf(page, "x"))
		require.Equal(t, []string{"fodc_agent_up" + late + "} 1"}, linesOf(page, "fodc_agent_up"))
	})
}

// An older baseline agent registers with its address only. Its node is selected by the
// address, and a pod that its samples name themselves stays as it is.
func TestBaselineAgentWithoutPodName(t *testing.T) {
	inVersions(t, func(t *testing.T, w *cluster, get func(string) string) {
		at := func(port int32) *wire.RegisterAgentRequest {
			return &wire.RegisterAgentRequest{NodeRole: "ROLE_DATA", PrimaryAddress: &wire.Address{Ip: "10.0.0.7", Port: port}}
		}
		stampingAgent(at(1), map[string]string{"pod_name": "data-1", "node_role": "ROLE_DATA"}).serve(t, w.net)
		stampingAgent(at(2), nil).serve(t, w.net)
		named := `x{pod_name="data-1",node_id="10.0.0.7:1",node_role="ROLE_DATA"} 1`
		unnamed := `x{node_id="10.0.0.7:2",node_role="ROLE_DATA",pod_name="10.0.0.7:2"} 1`
		require.Equal(t, []string{named, unnamed}, linesOf(get("/metrics"), "x"))
		require.Equal(t, []string{named}, linesOf(get("/metrics?pod_name=10.0.0.7:1"), "x"))
		require.Equal(t, []string{unnamed}, linesOf(get("/metrics?pod_name=10.0.0.7:2"), "x"))
		require.Equal(t, []string{`fodc_agent_up{node_id="10.0.0.7:2",node_role="ROLE_DATA",pod_name="10.0.0.7:2"} 1`},
			linesOf(get("/metrics?pod_name=10.0.0.7:2"), "fodc_agent_up"))

		var cluster struct {
			Nodes []struct {
				PodName string `json:"pod_name"`
			}
		}
		require.NoError(t, json.Unmarshal([]byte(get("/cluster?pod_name=10.0.0.7:2")), &cluster))
		require.Len(t, cluster.Nodes, 1)
		require.Equal(t, "10.0.0.7:2", cluster.Nodes[0].PodName)
		var window []struct {
			PodName string `json:"pod_name"`
			Labels  map[string]string
		}
		require.NoError(t, json.Unmarshal([]byte(get("/metrics-windows?format=json&pod_name=10.0.0.7:2")), &window))
		require.Len(t, window, 1)
		require.Equal(t, "10.0.0.7:2", window[0].PodName)
		require.Equal(t, "10.0.0.7:2", window[0].Labels["pod_name"])
	})
}
