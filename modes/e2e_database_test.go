//go:build e2e && linux

package modes_test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"fodc/actors/actorstest"

	"github.com/stretchr/testify/require"
)

// A node that starts later than its agent says its role and its labels itself, and then which nodes it
// knows and what became of its groups.
func TestE2ENodeSaysWhoItIs(t *testing.T) {
	t.Parallel()
	services, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(services.Addr().String())
	require.NoError(t, err)
	require.NoError(t, services.Close())

	reports := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(reports, "r.json"), []byte(`{"moved":3}`), 0o600))
	node, proxy := startNode(t, "x 1\n"), startProxy(t, "--heartbeat-interval", "1s")
	agent := start(t, "agent", "--proxy-addr", proxy.addr("grpc"), "--node-id", "n1", "--pod-name", "pod-0", "--node-labels", "zone=a", "--metrics-endpoint", node.endpoint(),
		"--poll-metrics-interval", "1s", "--prometheus-listen-addr", "127.0.0.1:0", "--host-telemetry=false",
		"--cluster-state-ports", port, "--cluster-state-poll-interval", "1s", "--lifecycle-port", port, "--lifecycle-cache-ttl", "100ms", "--lifecycle-report-dir", reports)
	contains := func(path string, texts ...string) {
		t.Helper()
		eventually(t, path, func() error {
			_, body, _, err := get(proxy.addr("http"), path)
			for _, text := range texts {
				if err == nil && !strings.Contains(body, text) {
					err = fmt.Errorf("without %s: %s", text, body)
				}
			}
			return err
		})
	}
	contains("/metrics", `x{node_id="n1",node_role="ROLE_UNSPECIFIED",pod_name="pod-0",node_zone="a"} 1`)

	db := actorstest.NewFakeDatabase()
	registered := func(name string) actorstest.Fields {
		return actorstest.Fields{"metadata": actorstest.Fields{"name": name}, "roles": []any{2}, "labels": map[string]any{"type": "hot"}}
	}
	db.Set(actorstest.GetCurrentNode, actorstest.FakeCall{Answer: actorstest.Fields{"node": registered("data-0")}})
	db.Set(actorstest.GetClusterState, actorstest.FakeCall{Answer: actorstest.Fields{"routeTables": actorstest.Fields{
		"tire2": actorstest.Fields{"registered": []any{registered("data-1"), registered("data-0")}}}}})
	db.Set(actorstest.InspectAll, actorstest.FakeCall{Answer: actorstest.Fields{"groups": []any{actorstest.Fields{"name": "sw_metric"}}}})
	services, err = net.Listen("tcp", "127.0.0.1:"+port)
	require.NoError(t, err)
	db.Serve(services, nil)
	t.Cleanup(db.Close)
	contains("/metrics?role=ROLE_DATA", `x{node_id="n1",node_role="ROLE_DATA",pod_name="pod-0",node_type="hot",node_zone="a"} 1`)
	contains("/metrics", `fodc_agent_database_up{port="`+port+`",node_id="n1"`)
	contains("/cluster/topology", `"data-0-data-1"`, `"ROLE_DATA"`)
	contains("/cluster/lifecycle", `"sw_metric"`, `r.json`, `"pod_name":"pod-0"`)
	var answer struct {
		Data struct {
			Result []struct{ Metric map[string]string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(page(t, agent.addr("agent"), "/api/v1/query?query=x")), &answer))
	require.Len(t, answer.Data.Result, 1)
	require.Equal(t, "ROLE_DATA", answer.Data.Result[0].Metric["node_role"], "the agent's own queries follow, too")

	db.Unset(actorstest.InspectAll)
	db.Set(actorstest.GetCurrentNode, actorstest.FakeCall{Answer: actorstest.Fields{"node": actorstest.Fields{
		"metadata": actorstest.Fields{"name": "data-0"}, "roles": []any{3}}}})
	contains("/metrics?role=ROLE_LIAISON", `x{node_id="n1",node_role="ROLE_LIAISON",pod_name="pod-0",node_zone="a"} 1`)
	agent.kill(syscall.SIGTERM)
	code, _ := agent.exitCode(patience)
	require.Zero(t, code)
}
