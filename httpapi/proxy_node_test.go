package httpapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func TestNodePage(t *testing.T) {
	p := newFakeProxy()
	p.collection = &messages.Collection{Nodes: threeNodes().Nodes[:1]}
	w := p.get("/agents/n1/metrics?name[]=requests_total&node_id=n2")
	families := requirePage(t, w)
	require.Equal(t, []string{"n1"}, p.query.Filter.NodeIDs)
	require.Equal(t, []string{"requests_total"}, p.query.Selection.Names)
	require.True(t, p.query.Selection.Window.IsLatest())
	require.Contains(t, w.Body.String(), `requests_total{path="/a",node_id="n1",node_role="liaison",pod_name="p1",node_zone="a"} 2.5`)
	require.Contains(t, families, "fodc_agent_up")
	// Metrics of the cluster are not on a node's page.
	for name := range requirePage(t, p.get("/agents/n1/metrics")) {
		require.False(t, strings.HasPrefix(name, "fodc_proxy_") || name == "fodc_build_info" || name == "fodc_actors", name)
	}

	p.collection = &messages.Collection{Nodes: threeNodes().Nodes[1:2]}
	w = p.get("/agents/n2/metrics")
	requireError(t, w, 503, messages.ErrUnavailable, `the node "n2" is missing: timeout`)
	require.Equal(t, "n2=timeout", w.Header().Get("X-Fodc-Missing"))
	p.collection = &messages.Collection{}
	requireError(t, p.get("/agents/n9/metrics"), 404, messages.ErrNotFound, `no node "n9" is registered; /cluster lists those that are`)
	requireError(t, p.get("/agents/n1/metrics?format=json"), 400, messages.ErrBadData, `format "json": allowed are text`)
	requireError(t, p.get("/agents/n1/metrics?name[]=%00"), 400, messages.ErrBadData, `name[]: metric name "\x00" holds a NUL byte`)
	// All node ids count as one route.
	require.Contains(t, p.get("/metrics/self").Body.String(), `fodc_proxy_http_requests_total{route="/agents/{node_id}/metrics",code="404"} 1`)
}

func TestTargets(t *testing.T) {
	p := newFakeProxy()
	w := p.get("/sd")
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.Equal(t, "[]\n", w.Body.String())

	p.cluster = someCluster()
	w = p.get("http://proxy.example:17901/sd?role=liaison&role=meta&node_id=a&pod_name=b")
	golden(t, "sd.json", w.Body.String())
	require.Equal(t, messages.NodeFilter{NodeIDs: []string{"a"}, Roles: []string{"liaison", "meta"}, PodNames: []string{"b"}}, p.filter)

	p.ExternalURL = &url.URL{Scheme: "https", Host: "obs.example", Path: "/fodc"}
	var groups []targetGroup
	require.NoError(t, json.Unmarshal(p.get("/sd").Body.Bytes(), &groups))
	require.Equal(t, []string{"obs.example"}, groups[0].Targets)
	require.Equal(t, "/fodc/agents/node1/metrics", groups[0].Labels["__metrics_path__"])
	require.Equal(t, "https", groups[0].Labels["__scheme__"])
	p.ExternalURL = nil

	r := httptest.NewRequest(http.MethodGet, "/sd", nil)
	r.Host = ""
	nameless := httptest.NewRecorder()
	p.handler.ServeHTTP(nameless, r)
	requireError(t, nameless, 400, messages.ErrBadData, "the request names no host that targets could have: send one, or set --external-url")
	p.clusterErr = messages.Errorf(messages.ErrUnavailable, "the proxy is stopping")
	requireError(t, p.get("/sd"), 503, messages.ErrUnavailable, "the proxy is stopping")
	requireError(t, p.get("/sd?%zz"), 400, messages.ErrBadData, `query string "%zz": invalid URL escape "%zz"`)
}

// Prometheus makes the URL of a target with url.URL. For any node id that is the URL of this
// node's page.
func TestTargetsLeadToTheirNodes(t *testing.T) {
	ids := []string{"node-1", "10.0.0.1:17912", "[::1]:17912", "rack 1/a", "a%20b", "a b", "a?b=c#d", "..", ".", "/", "//", "%", "+", "ü", "metrics",
		"n1/metrics", "agents/n1", `"<&>`, "x/metrics/agents/y"}
	p := newFakeProxy()
	for _, id := range ids {
		p.cluster.Nodes = append(p.cluster.Nodes, messages.NodeStatus{Identity: messages.Identity{NodeID: id, Role: "r"}})
	}
	var groups []targetGroup
	require.NoError(t, json.Unmarshal(p.get("/sd").Body.Bytes(), &groups))
	require.Len(t, groups, len(ids))
	found := map[string]bool{}
	for _, g := range groups {
		target := url.URL{Scheme: "http", Host: g.Targets[0], Path: g.Labels["__metrics_path__"]}
		p.collection = &messages.Collection{Nodes: []messages.NodeAnswer{{Identity: messages.Identity{NodeID: g.Labels["instance"]}}}}
		require.Equal(t, 200, p.get(target.String()).Code, target.String())
		require.Equal(t, []string{g.Labels["instance"]}, p.query.Filter.NodeIDs)
		found[g.Labels["instance"]] = true
	}
	require.Len(t, found, len(ids))
}
