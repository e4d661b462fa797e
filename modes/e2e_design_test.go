//go:build e2e && linux

package modes_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The cases below stand in the design document under these names.

const pageA = "# HELP requests_total Requests.\n# TYPE requests_total counter\nrequests_total{path=\"/a\"} 1\n"

// awaitPage polls a page of the proxy until it has every one of the texts.
func awaitPage(t *testing.T, proxy *process, path string, texts ...string) string {
	t.Helper()
	var body string
	eventually(t, path, func() error {
		body = page(t, proxy.addr("http"), path)
		for _, text := range texts {
			if !strings.Contains(body, text) {
				return fmt.Errorf("%q is not on the page:\n%.2000s", text, body)
			}
		}
		return nil
	})
	return body
}

func TestE2EIntegration1AgentRegistrationAndMetricsFlow(t *testing.T) {
	proxy, node := startProxy(t), startNode(t, pageA)
	agent := startAgent(t, proxy, "n1", "liaison", node.endpoint(), "--node-labels", "zone=a")
	awaitStatuses(t, proxy, "n1", "online")
	body := awaitPage(t, proxy, "/metrics-windows", `requests_total{path="/a",node_id="n1",node_role="liaison",pod_name="n1",node_zone="a"} 1 1`)
	require.Contains(t, body, "# TYPE requests_total counter\n")
	agent.kill(syscall.SIGKILL)
	awaitStatuses(t, proxy, "n1", "unconnected")
	awaitPage(t, proxy, "/metrics", `fodc_agent_up{node_id="n1",node_role="liaison",pod_name="n1"} 0`,
		`fodc_agent_missing_reason{reason="unconnected",node_id="n1",node_role="liaison",pod_name="n1"} 1`)
}

// window returns the times of the samples of a metric in a JSON window.
func window(t *testing.T, proxy *process, query, metric string) []time.Time {
	t.Helper()
	body := page(t, proxy.addr("http"), "/metrics-windows?format=json&"+query)
	var series []struct {
		Name string
		Data []struct{ Timestamp time.Time }
	}
	require.NoError(t, json.Unmarshal([]byte(body), &series), body)
	var times []time.Time
	for _, s := range series {
		if s.Name == metric {
			for _, d := range s.Data {
				times = append(times, d.Timestamp)
			}
		}
	}
	return times
}

func TestE2EIntegration2MetricsTimeWindow(t *testing.T) {
	proxy, node := startProxy(t), startNode(t, pageA)
	begin := time.Now().Add(-time.Second)
	startAgent(t, proxy, "n1", "liaison", node.endpoint())
	startAgent(t, proxy, "n2", "datanode-hot", node.endpoint())
	all := "start_time=" + begin.UTC().Format(time.RFC3339Nano)
	eventually(t, "three scrapes of each agent", func() error {
		if n := len(window(t, proxy, all, "requests_total")); n < 6 {
			return fmt.Errorf("%d samples", n)
		}
		return nil
	})
	times := window(t, proxy, all+"&node_id=n1", "requests_total")
	from, to := times[0], times[len(times)-2]
	bounds := fmt.Sprintf("start_time=%s&end_time=%s&node_id=n1", from.UTC().Format(time.RFC3339Nano), to.UTC().Format(time.RFC3339Nano))
	require.Equal(t, times[:len(times)-1], window(t, proxy, bounds, "requests_total"), "bounds are inclusive")
	bounds = fmt.Sprintf("start_time=%.3f&end_time=%.3f&node_id=n1", float64(from.UnixMilli())/1000, float64(to.UnixMilli())/1000)
	require.Equal(t, times[:len(times)-1], window(t, proxy, bounds, "requests_total"), "unix seconds are the same")
	require.Empty(t, window(t, proxy, "start_time=1000&end_time=2000", "requests_total"), "an empty window")
	require.Len(t, window(t, proxy, "", "requests_total"), 2, "without bounds: the latest of each")

	status, body, _, err := get(proxy.addr("http"), "/metrics-windows?start_time=2000&end_time=1000")
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, body, `"errorType":"bad_data"`)
}

func TestE2EIntegration3AgentReconnection(t *testing.T) {
	proxy, node := startProxy(t), startNode(t, pageA)
	other := startAgent(t, proxy, "n2", "liaison", node.endpoint())
	first := startAgent(t, proxy, "n1", "liaison", node.endpoint())
	awaitPage(t, proxy, "/metrics-windows", `requests_total{path="/a",node_id="n1"`, `requests_total{path="/a",node_id="n2"`)
	first.kill(syscall.SIGKILL)
	awaitStatuses(t, proxy, "n1", "unconnected", "n2", "online")
	body := page(t, proxy.addr("http"), "/metrics-windows")
	require.NotContains(t, body, `requests_total{path="/a",node_id="n1"`)
	require.Contains(t, body, `requests_total{path="/a",node_id="n2"`)

	again := startAgent(t, proxy, "n1", "liaison", node.endpoint())
	awaitStatuses(t, proxy, "n1", "online", "n2", "online")
	awaitPage(t, proxy, "/metrics-windows", `requests_total{path="/a",node_id="n1"`, `requests_total{path="/a",node_id="n2"`)

	again.kill(syscall.SIGTERM)
	code, _ := again.exitCode(2 * time.Second)
	require.Zero(t, code)
	require.Equal(t, map[string]string{"n2": "online"}, statuses(t, proxy), "an orderly goodbye: gone at once")
	require.NotNil(t, other)
}

func TestE2EIntegration4MultipleAgentsAndRoles(t *testing.T) {
	proxy, node := startProxy(t), startNode(t, pageA)
	roles := map[string]string{"l1": "liaison", "h1": "datanode-hot", "h2": "datanode-hot", "w1": "datanode-warm"}
	for id, role := range roles {
		startAgent(t, proxy, id, role, node.endpoint(), "--pod-name", "pod-"+id)
	}
	awaitStatuses(t, proxy, "l1", "online", "h1", "online", "h2", "online", "w1", "online")
	var texts []string
	for id, role := range roles {
		texts = append(texts, fmt.Sprintf(`requests_total{path="/a",node_id=%q,node_role=%q,pod_name="pod-%s"} 1`, id, role, id))
	}
	body := awaitPage(t, proxy, "/metrics", texts...)
	require.Equal(t, 1, strings.Count(body, "# TYPE requests_total "))

	shows := func(query string, ids ...string) {
		t.Helper()
		body := page(t, proxy.addr("http"), "/metrics?"+query)
		for id := range roles {
			want := 0
			for _, w := range ids {
				if w == id {
					want = 1
				}
			}
			require.Equal(t, want, strings.Count(body, fmt.Sprintf(`requests_total{path="/a",node_id=%q`, id)), "%s of %s", id, query)
		}
	}
	shows("role=datanode-hot", "h1", "h2")
	shows("role=datanode-hot&role=liaison", "h1", "h2", "l1")
	shows("node_id=w1", "w1")
	shows("node_id=w1&role=liaison")
	shows("pod_name=pod-l1", "l1")
}

func TestE2E1FullWorkflow(t *testing.T) {
	proxy := startProxy(t)
	roles := map[string]string{"n1": "liaison", "n2": "datanode-hot", "n3": "datanode-warm"}
	for id, role := range roles {
		startAgent(t, proxy, id, role, startNode(t, readPage(t, "standalone-01.prom")).endpoint())
	}
	awaitStatuses(t, proxy, "n1", "online", "n2", "online", "n3", "online")
	prom := startPrometheus(t, proxy.addr("http"))
	for _, job := range []string{"fodc", "fodc-windows"} {
		want := map[string]string{}
		for id, role := range roles {
			want[fmt.Sprintf(`{"__name__":"banyandb_liaison_grpc_total_stream_msg_received","group":"sw_metric_hour","job":%q,"method":"write","node_id":%q,"node_role":%q,"pod_name":%q,"service":"measure"}`, job, id, role, id)] = "3000"
		}
		eventually(t, "series of the three nodes in Prometheus", func() error {
			got, err := prom.query(`banyandb_liaison_grpc_total_stream_msg_received{group="sw_metric_hour",job="` + job + `"}`)
			if err == nil && fmt.Sprint(got) != fmt.Sprint(want) {
				err = fmt.Errorf("got %v, want %v", got, want)
			}
			return err
		})
	}
	body := page(t, proxy.addr("http"), "/cluster")
	for id, role := range roles {
		require.Contains(t, body, fmt.Sprintf(`"node_id":%q`, id))
		require.Contains(t, body, fmt.Sprintf(`"node_role":%q`, role))
	}
}

func TestE2E4PrometheusIntegration(t *testing.T) {
	proxy := startProxy(t)
	nodes := []*node{startNode(t, pageA), startNode(t, pageA)}
	startAgent(t, proxy, "n1", "liaison", nodes[0].endpoint())
	stopped := startAgent(t, proxy, "n2", "liaison", nodes[1].endpoint())
	awaitPage(t, proxy, "/metrics", `requests_total{path="/a",node_id="n1"`, `requests_total{path="/a",node_id="n2"`)
	prom := startPrometheus(t, proxy.addr("http"))
	sum := func(promql, want string) {
		t.Helper()
		eventually(t, promql, func() error {
			got, err := prom.query(promql)
			if err == nil && fmt.Sprint(got) != "map[{}:"+want+"]" {
				err = fmt.Errorf("got %v, want %s", got, want)
			}
			return err
		})
	}
	sum(`sum(requests_total{job="fodc"})`, "2")
	sum(`sum(fodc_agent_up{job="fodc"})`, "2")
	sum(`sum(up)`, "2")
	nodes[0].show(strings.Replace(pageA, "} 1\n", "} 41\n", 1))
	sum(`sum(requests_total{job="fodc"})`, "42")
	stopped.kill(syscall.SIGKILL)
	sum(`sum(fodc_agent_up{job="fodc"})`, "1")
	sum(`sum(requests_total{job="fodc"})`, "41")
	sum(`sum(up)`, "2")
}
