package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// someConfigs are nodes of two roles, not in their order: one is a baseline agent's,
// one has died, one could not be read.
func someConfigs() []messages.NodeConfiguration {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.UTC)
	params := func(pairs ...string) []messages.ConfigParam {
		var list []messages.ConfigParam
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, messages.ConfigParam{Key: pairs[i], Value: pairs[i+1]})
		}
		return list
	}
	node := func(id, role string, status messages.Status, c *messages.NodeConfig) messages.NodeConfiguration {
		return messages.NodeConfiguration{Identity: messages.Identity{NodeID: id, Role: role, PodName: "pod-" + id}, Status: status, Config: c}
	}
	return []messages.NodeConfiguration{
		node("data-2", "datanode-hot", messages.StatusUnconnected, &messages.NodeConfig{CollectedAt: at,
			StartupParams: params("--data-path", `"/data<2>"`, "--etcd-password", `"***"`, "--tls", `"true"`),
			RuntimeConfig: params("cache.size", "2048", "limits", "null"),
			Sources:       []string{"command line of process 7 (listens at port 2121)"},
			Errors:        []string{"process 7 has ended; shown is what was read last, at 2026-01-02T03:04:05Z"}}),
		node("data-1", "datanode-hot", messages.StatusOnline, &messages.NodeConfig{CollectedAt: at,
			StartupParams: params("--data-path", `"/data"`, "--etcd-password", `"***"`),
			RuntimeConfig: params("cache.size", "1024", "list.0", `"a"`)}),
		node("data-3", "datanode-hot", messages.StatusOnline, &messages.NodeConfig{CollectedAt: at,
			StartupParams: params("--data-path", `"/data"`, "--etcd-password", `"***"`)}),
		node("data-4", "datanode-hot", messages.StatusOnline, nil),
		node("liaison-1", "liaison", messages.StatusOnline, &messages.NodeConfig{CollectedAt: at,
			StartupParams: params("--data-path", `"/other"`), Errors: []string{"stat /etc/x: no such file or directory"}}),
	}
}

func TestConfig(t *testing.T) {
	p := newFakeProxy()
	p.configs = someConfigs()
	w := p.get("/cluster/config")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, contentJSON, w.Header().Get("Content-Type"))
	golden(t, "config.json", w.Body.String())
	var answer map[string][]map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
	require.Len(t, answer["configurations"], 5)
	for i, n := range answer["configurations"] {
		for key, value := range n {
			require.NotNil(t, value, "%d %s", i, key)
		}
	}
	require.Equal(t, float64(2048), answer["configurations"][1]["runtime_config"].(map[string]any)["cache.size"])
	require.Equal(t, "data-2", someConfigs()[0].Identity.NodeID, "the order of what was given")
	require.Equal(t, "data-2", p.configs[0].Identity.NodeID, "which is not ours to change")
}

func TestConfigDiff(t *testing.T) {
	p := newFakeProxy()
	p.configs = someConfigs()
	w := p.get("/cluster/config?diff=1")
	require.Equal(t, http.StatusOK, w.Code)
	golden(t, "configdiff.json", w.Body.String())
	p.configs = p.configs[1:2]
	require.JSONEq(t, `{"differences":[],"not_compared":[]}`, p.get("/cluster/config?diff=true").Body.String())
}

func TestConfigOfNobody(t *testing.T) {
	p := newFakeProxy()
	require.Equal(t, "{\"configurations\":[]}\n", p.get("/cluster/config?diff=0").Body.String())
	require.Equal(t, "{\"differences\":[],\"not_compared\":[]}\n", p.get("/cluster/config?diff=1").Body.String())
}

func TestConfigParams(t *testing.T) {
	p := newFakeProxy()
	p.get("/cluster/config?node_id=b&node_id=a&role=r&pod_name=p&pod_name=q&diff=1")
	require.Equal(t, messages.NodeFilter{NodeIDs: []string{"a", "b"}, Roles: []string{"r"}, PodNames: []string{"p", "q"}}, p.filter)
	requireError(t, p.get("/cluster/config?diff=x"), http.StatusBadRequest, messages.ErrBadData, `diff "x": allowed are 1, 0, true, false`)
	p.clusterErr = messages.Errorf(messages.ErrUnavailable, "stopping")
	requireError(t, p.get("/cluster/config"), http.StatusServiceUnavailable, messages.ErrUnavailable, "stopping")
}

func BenchmarkConfigDiff(b *testing.B) {
	var configs []messages.NodeConfiguration
	for n := range 1000 {
		c := &messages.NodeConfig{}
		for i := range 100 {
			c.StartupParams = append(c.StartupParams, messages.ConfigParam{Key: fmt.Sprintf("--flag-%03d", i), Value: fmt.Sprintf(`"%d"`, n%(i+1))})
		}
		configs = append(configs, messages.NodeConfiguration{Identity: messages.Identity{NodeID: fmt.Sprintf("n%04d", n), Role: "data"}, Config: c})
	}
	b.ReportAllocs()
	for b.Loop() {
		diffOf(configs)
	}
}
