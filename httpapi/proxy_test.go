package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func TestMetricsPage(t *testing.T) {
	p := newFakeProxy()
	p.collection = threeNodes()
	w := p.get("/metrics")
	families := requirePage(t, w)
	require.Equal(t, "n2=timeout,n3=unconnected", w.Header().Get("X-Fodc-Missing"))
	page := w.Body.String()
	require.Contains(t, page, "requests_total{path=\"/a\",node_id=\"n1\",node_role=\"liaison\",pod_name=\"p1\",node_zone=\"a\"} 2.5\n")
	require.Contains(t, page, "fodc_agent_up{node_id=\"n2\",node_role=\"datanode-hot\"} 0\n")
	// The proxy's own metrics come last, and are the same as on /metrics/self.
	require.Contains(t, families, "fodc_proxy_collections_total")
	require.Less(t, strings.LastIndex(page, "fodc_agent_"), strings.Index(page, "# HELP fodc_build_info"))
	require.True(t, p.query.Selection.Window.IsLatest())
	require.Empty(t, p.query.Filter)
	require.Empty(t, p.query.Selection.Names)

	// With timestamps, a series still has one sample, and what the collection says of itself has no time.
	page = p.get("/metrics?timestamps=1").Body.String()
	require.Contains(t, page, "} 2.5 1700000010123\n")
	require.NotContains(t, page, "} 1 1700000000123\n")
	require.Contains(t, page, "fodc_agent_up{node_id=\"n2\",node_role=\"datanode-hot\"} 0\n")
	require.Contains(t, page, "fodc_proxy_collections_total")

	p.collection = &messages.Collection{Nodes: p.collection.Nodes[:1]}
	require.NotContains(t, p.get("/metrics").Header(), "X-Fodc-Missing")
}

func TestMetricsOfASelection(t *testing.T) {
	p := newFakeProxy()
	p.collection = threeNodes()
	f := func(query string, filter messages.NodeFilter, names []string) {
		t.Helper()
		families := requirePage(t, p.get("/metrics?"+query))
		require.ElementsMatch(t, filter.NodeIDs, p.query.Filter.NodeIDs)
		require.ElementsMatch(t, filter.Roles, p.query.Filter.Roles)
		require.ElementsMatch(t, filter.PodNames, p.query.Filter.PodNames)
		require.ElementsMatch(t, names, p.query.Selection.Names)
		require.Contains(t, families, "requests_total")
		require.NotContains(t, families, "fodc_build_info")
	}
	f("node_id=n1&node_id=n2", messages.NodeFilter{NodeIDs: []string{"n1", "n2"}}, nil)
	f("role=liaison", messages.NodeFilter{Roles: []string{"liaison"}}, nil)
	f("pod_name=p1", messages.NodeFilter{PodNames: []string{"p1"}}, nil)
	f("name[]=requests_total", messages.NodeFilter{}, []string{"requests_total"})
	f("match[]=requests_total", messages.NodeFilter{}, []string{"requests_total"})
	f("match[]=a&name[]=b&match[]=b&name[]=c&match[]=", messages.NodeFilter{}, []string{"a", "b", "c"})
	f("node_id=n1&node_id=n2&role=liaison&role=meta&pod_name=p1&pod_name=p2&name[]=requests_total",
		messages.NodeFilter{NodeIDs: []string{"n1", "n2"}, Roles: []string{"liaison", "meta"}, PodNames: []string{"p1", "p2"}}, []string{"requests_total"})
	requireError(t, p.get("/metrics?match[]=x{a=%22b%22}"), 400, messages.ErrBadData, `match[] "x{a=\"b\"}": the name of a family is allowed, without labels`)
	requireError(t, p.get("/metrics-windows?match[]=%00"), 400, messages.ErrBadData, `match[]: metric name "\x00" holds a NUL byte`)

	require.Contains(t, requirePage(t, p.get("/metrics?node_id=&other=1&format=text")), "fodc_build_info")
	requireError(t, p.get("/metrics?format=json"), 400, messages.ErrBadData, `format "json": allowed are text`)
	requireError(t, p.get("/metrics?strict=maybe"), 400, messages.ErrBadData, `strict "maybe": allowed are 1, 0, true, false`)
}

func TestStrict(t *testing.T) {
	p := newFakeProxy()
	p.collection = threeNodes()
	for _, target := range []string{"/metrics?strict=1", "/metrics-windows?strict=1", "/metrics-windows?strict=true&format=json"} {
		w := p.get(target)
		requireError(t, w, 503, messages.ErrUnavailable, "2 of 3 nodes are missing: n2=timeout,n3=unconnected")
		require.Equal(t, "n2=timeout,n3=unconnected", w.Header().Get("X-Fodc-Missing"))
		require.Equal(t, "1", w.Header().Get("Retry-After"))
	}
	require.Equal(t, 200, p.get("/metrics?strict=0").Code)
	p.collection = &messages.Collection{Nodes: p.collection.Nodes[:1]}
	require.Equal(t, 200, p.get("/metrics?strict=1").Code)

	// A page without nodes is not whole: their agents may not have come back to a proxy that was started just now.
	p.collection = &messages.Collection{}
	for _, target := range []string{"/metrics?strict=1", "/metrics-windows?strict=1&node_id=n7"} {
		requireError(t, p.get(target), 503, messages.ErrUnavailable, "no node is registered that the request selects; /cluster lists those that are")
	}
	require.Equal(t, 200, p.get("/metrics").Code)
	requireError(t, p.get("/agents/n7/metrics?strict=1"), 404, messages.ErrNotFound, `no node "n7" is registered; /cluster lists those that are`)
}

func TestWindowsBounds(t *testing.T) {
	p := newFakeProxy()
	f := func(query, start, end string) {
		t.Helper()
		require.Equal(t, 200, p.get("/metrics-windows?"+query).Code, query)
		text := func(at time.Time) string {
			if at.IsZero() {
				return ""
			}
			return at.Format(time.RFC3339Nano)
		}
		w := p.query.Selection.Window
		require.Equal(t, start, text(w.Start), query)
		require.Equal(t, end, text(w.End), query)
	}
	f("", "", "")
	f("start_time=&end_time=", "", "")
	f("start_time=1700000000.5", "2023-11-14T22:13:20.5Z", "")
	f("end_time=2024-01-01T12:00:00.25%2B01:00", "", "2024-01-01T11:00:00.25Z")
	f("start_time=1700000000&end_time=1700000000", "2023-11-14T22:13:20Z", "2023-11-14T22:13:20Z")
	f("start_time=0&end_time=2024-01-01T12:00:00Z", "1970-01-01T00:00:00Z", "2024-01-01T12:00:00Z")

	bad := func(query, text string) {
		t.Helper()
		requireError(t, p.get("/metrics-windows?"+query), 400, messages.ErrBadData, text)
	}
	bad("start_time=soon", `start_time "soon": neither RFC 3339 (2006-01-02T15:04:05Z) nor unix seconds`)
	bad("end_time=1700000000000", `end_time "1700000000000": after the year 9999: seconds are wanted, not milliseconds`)
	bad("start_time=2000&end_time=1999.999", "start_time 1970-01-01T00:33:20Z is after end_time 1970-01-01T00:33:19.999Z")
	bad("start_time=1&start_time=2", `start_time is given twice: "1" and "2"`)
	bad("format=csv", `format "csv": allowed are text, json, openmetrics`)
	bad("strict=x", `strict "x": allowed are 1, 0, true, false`)
	bad("node_id=%f", `query string "node_id=%f": invalid URL escape "%f"`)
}

func TestWindowsFormats(t *testing.T) {
	p := newFakeProxy()
	p.collection = threeNodes()
	w := p.get("/metrics-windows?role=liaison&name[]=requests_total")
	require.Contains(t, requirePage(t, w), "requests_total")
	require.Contains(t, w.Body.String(), "} 1 1700000000123\nrequests_total{path=\"/a\",node_id=\"n1\",node_role=\"liaison\",pod_name=\"p1\",node_zone=\"a\"} 2.5 1700000010123\n")
	require.Contains(t, w.Header().Values("Vary"), "Accept")
	require.Equal(t, []string{"liaison"}, p.query.Filter.Roles)
	require.Equal(t, []string{"requests_total"}, p.query.Selection.Names)
	require.NotContains(t, requirePage(t, p.get("/metrics-windows")), "fodc_build_info")

	w = p.get("/metrics-windows", "Accept", "application/json")
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.Equal(t, "n2=timeout,n3=unconnected", w.Header().Get("X-Fodc-Missing"))
	golden(t, "windows.json", w.Body.String())
	require.Equal(t, w.Body.String(), p.get("/metrics-windows?format=json").Body.String())

	w = p.get("/metrics-windows?format=openmetrics")
	require.Equal(t, "application/openmetrics-text; version=1.0.0; charset=utf-8", w.Header().Get("Content-Type"))
	require.Equal(t, "n2=timeout,n3=unconnected", w.Header().Get("X-Fodc-Missing"))
	golden(t, "windows.openmetrics", w.Body.String())
	// The header does not ask for it: Prometheus always names it there.
	w = p.get("/metrics-windows", "Accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
	require.Equal(t, contentText, w.Header().Get("Content-Type"))

	p.collection = &messages.Collection{}
	require.Equal(t, "# EOF\n", p.get("/metrics-windows?format=openmetrics").Body.String())
	require.JSONEq(t, `[]`, p.get("/metrics-windows?format=json").Body.String())
}

func TestBudgetBecomesTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newFakeProxy()
		f := func(header string, want time.Duration) {
			t.Helper()
			begin := time.Now()
			p.Collect = func(ctx context.Context, q messages.Query) (*messages.Collection, error) {
				require.Equal(t, want, q.Deadline.Sub(begin))
				deadline, _ := ctx.Deadline()
				require.Equal(t, want+collectGrace, deadline.Sub(begin))
				return &messages.Collection{}, nil
			}
			for _, target := range []string{"/metrics", "/metrics-windows"} {
				require.Equal(t, 200, p.get(target, "X-Prometheus-Scrape-Timeout-Seconds", header).Code)
			}
		}
		f("", 5*time.Second)
		f("3", 2500*time.Millisecond)
		f("60", 5*time.Second)
		f("rubbish", 5*time.Second)

		// A collector that does not return is not waited for any longer.
		p.Collect = func(ctx context.Context, _ messages.Query) (*messages.Collection, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}
		begin := time.Now()
		requireError(t, p.get("/metrics"), 504, messages.ErrTimeout, "no answer in time")
		require.Equal(t, 6*time.Second, time.Since(begin))
	})
}

// A client that does not say that it reads names of UTF-8 would refuse the page.
func TestNamesOfUTF8(t *testing.T) {
	p := newFakeProxy()
	p.collection = &messages.Collection{Nodes: []messages.NodeAnswer{{Identity: messages.Identity{NodeID: "n1", Role: "r"}, Blocks: []messages.Block{{
		Times: []int64{1}, Families: []messages.Family{{Name: "a.b", Series: []messages.Series{{Labels: `"c d"="1"`, Values: []float64{2}}}}}}}}}}
	const prometheus2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
	const prometheus3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.2"
	f := func(target, accept, content, line string) {
		t.Helper()
		w := p.get(target, "Accept", accept)
		require.Equal(t, content, w.Header().Get("Content-Type"))
		require.Contains(t, w.Header().Values("Vary"), "Accept")
		require.Contains(t, w.Body.String(), "\n"+line)
	}
	for _, target := range []string{"/metrics", "/metrics-windows", "/agents/n1/metrics"} {
		for _, accept := range []string{"", "*/*", prometheus2} {
			f(target, accept, contentText, `a_b{c_d="1",node_id="n1",node_role="r"} 2`)
		}
		f(target, prometheus3, "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8", `{"a.b","c d"="1",node_id="n1",node_role="r"} 2`)
	}
	f("/metrics-windows?format=openmetrics", prometheus2, contentOpenMetrics, `a_b{c_d="1",node_id="n1",node_role="r"} 2 0.001`)
	f("/metrics-windows?format=openmetrics", prometheus3, contentOpenMetrics+"; escaping=allow-utf-8", `{"a.b","c d"="1",node_id="n1",node_role="r"} 2 0.001`)
	require.Contains(t, p.get("/metrics-windows?format=json").Body.String(), `"name":"a.b"`)
}

// someCluster has one node with all fields and one with few.
func someCluster() messages.Cluster {
	at := time.Date(2024, 1, 1, 13, 0, 0, 123456789, time.FixedZone("", 3600))
	age := time.Hour
	return messages.Cluster{UpdatedAt: at, Nodes: []messages.NodeStatus{
		{
			Identity: messages.Identity{NodeID: "node2", Role: "datanode-hot"},
			Status:   messages.StatusUnconnected, LastError: "no heartbeat for 30s", RegisteredAt: at,
			Runtime: &messages.Runtime{Load: math.NaN(), Health: messages.HealthUnreachable},
		},
		{
			Identity:       messages.Identity{NodeID: "node1", Role: "liaison", PodName: "pod<1>", Labels: map[string]string{"zone": "us-west-1"}},
			Primary:        messages.Address{IP: "192.168.1.1", Port: 17900},
			Secondary:      map[string]messages.Address{"metrics": {IP: "192.168.1.1", Port: 17901}, "admin": {IP: "::1", Port: 17902}},
			ContainerNames: []string{"data"}, Status: messages.StatusOnline, AgentID: "id-1", AgentVersion: "1.2.3",
			RegisteredAt: at.Add(-time.Hour), LastHeartbeat: at,
			Runtime:    &messages.Runtime{Load: 0.5, Health: messages.HealthHealthy},
			SessionAge: &age, Timing: &messages.Timing{RoundTrip: 250 * time.Microsecond, ClockOffset: -1500 * time.Millisecond},
		},
	}}
}

func TestCluster(t *testing.T) {
	p := newFakeProxy()
	w := p.get("/cluster")
	require.Equal(t, 200, w.Code)
	require.NotContains(t, w.Body.String(), "null")
	require.Contains(t, w.Body.String(), `"nodes":[]`)

	p.cluster = someCluster()
	w = p.get("/cluster?node_id=b&node_id=a&role=liaison&pod_name=x&other=1")
	require.Equal(t, contentJSON, w.Header().Get("Content-Type"))
	golden(t, "cluster.json", w.Body.String())
	require.Equal(t, messages.NodeFilter{NodeIDs: []string{"a", "b"}, Roles: []string{"liaison"}, PodNames: []string{"x"}}, p.filter)

	p.clusterErr = messages.Errorf(messages.ErrUnavailable, "the proxy is stopping")
	requireError(t, p.get("/cluster"), 503, messages.ErrUnavailable, "the proxy is stopping")
	requireError(t, p.get("/cluster?role=%"), 400, messages.ErrBadData, `query string "role=%": invalid URL escape "%"`)
}

func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newFakeProxy()
		time.Sleep(90*time.Second + 900*time.Millisecond)
		f := func(target, want string) {
			t.Helper()
			w := p.get(target)
			require.Equal(t, 200, w.Code)
			require.Equal(t, contentJSON, w.Header().Get("Content-Type"))
			require.Equal(t, want+"\n", w.Body.String())
		}
		f("/health", `{"status":"healthy","agents_online":0,"agents_total":0,"uptime_seconds":90}`)
		p.cluster = someCluster()
		f("/health?role=liaison", `{"status":"degraded","agents_online":1,"agents_total":2,"uptime_seconds":90}`)
		require.Equal(t, []string{"liaison"}, p.filter.Roles)
		p.cluster.Nodes = p.cluster.Nodes[1:]
		f("/health", `{"status":"healthy","agents_online":1,"agents_total":1,"uptime_seconds":90}`)

		// Health checks get a response, whatever their query.
		f("/health?%zz&role=liaison", `{"status":"healthy","agents_online":1,"agents_total":1,"uptime_seconds":90}`)
		require.Equal(t, []string{"liaison"}, p.filter.Roles)

		p.cluster, p.clusterErr = messages.Cluster{}, errors.New("secret")
		f("/health", `{"status":"degraded","agents_online":0,"agents_total":0,"uptime_seconds":90,"error":"the registry of agents does not answer"}`)
		p.clusterErr = messages.Errorf(messages.ErrUnavailable, "the proxy is stopping")
		f("/health", `{"status":"degraded","agents_online":0,"agents_total":0,"uptime_seconds":90,"error":"the proxy is stopping"}`)
		p.Cluster = func(ctx context.Context, _ messages.NodeFilter) (messages.Cluster, error) {
			<-ctx.Done()
			return messages.Cluster{}, ctx.Err()
		}
		f("/health", `{"status":"degraded","agents_online":0,"agents_total":0,"uptime_seconds":92,"error":"the registry of agents does not answer"}`)
	})
}

func TestReady(t *testing.T) {
	p := newFakeProxy()
	w := p.get("/-/ready")
	require.Equal(t, "ready\n", w.Body.String())
	require.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
	p.stopping = true
	w = p.get("/-/ready")
	requireError(t, w, 503, messages.ErrUnavailable, "not ready: starting or stopping")
	require.Equal(t, "1", w.Header().Get("Retry-After"))
	require.Equal(t, "healthy\n", p.get("/-/healthy").Body.String())
	require.Equal(t, "healthy\n", p.get("/-/healthy?%zz").Body.String())
	require.Equal(t, http.StatusServiceUnavailable, p.get("/-/ready?%zz").Code)
}

func TestActors(t *testing.T) {
	p := newFakeProxy()
	require.Contains(t, p.get("/debug/actors").Body.String(), `"actors":[],"ended":[]`)
	at := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)
	p.tree = messages.ActorTree{At: at, Actors: []messages.ActorNode{{ID: "registry-1", Kind: "registry", State: "running", Started: at,
		Children: []messages.ActorNode{{ID: "registry-1/session-2", Parent: "registry-1", Kind: "session", State: "running", Started: at}}}}}
	w := p.get("/debug/actors")
	require.Equal(t, contentJSON, w.Header().Get("Content-Type"))
	var got messages.ActorTree
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	require.Equal(t, p.tree.Actors, got.Actors)

	for _, w := range []interface {
		Header() http.Header
	}{p.get("/debug/actors?format=text"), p.get("/debug/actors", "Accept", "text/plain")} {
		require.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
	}
	require.Contains(t, p.get("/debug/actors?format=text").Body.String(), "\n  session-2 ")
	require.Equal(t, contentJSON, p.get("/debug/actors?format=json", "Accept", "text/plain").Header().Get("Content-Type"))
	requireError(t, p.get("/debug/actors?format=dot"), 400, messages.ErrBadData, `format "dot": allowed are text, json`)
}
