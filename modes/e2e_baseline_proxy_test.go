//go:build e2e && linux

package modes_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fodc/actors/actorstest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
)

// baselineProxy is a proxy of the field: it announces no capabilities, answers no heartbeat,
// asks without ids, pairs answers by their order, and takes messages of 4 MiB. Samples are
// shown as they came: of those with the same name and labels the last one is left.
type baselineProxy struct {
	t    *testing.T
	grpc string // its address
	http *httptest.Server

	mu     sync.Mutex
	agents map[string]*baselineAgent // by agent id
}

type baselineAgent struct {
	pod     string // as registered
	metrics grpc.ServerStream
	answers chan actorstest.Fields
}

// baselineSeries is an element of what it shows of a window.
type baselineSeries struct {
	Name    string            `json:"name"`
	Labels  map[string]string `json:"labels"`
	AgentID string            `json:"agent_id"`
	PodName string            `json:"pod_name"`
	Data    []float64         `json:"data"`
}

func startBaselineProxy(t *testing.T) *baselineProxy {
	p := &baselineProxy{t: t, agents: map[string]*baselineAgent{}}
	server := grpc.NewServer(grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second}))
	stream := func(name string, handler func(grpc.ServerStream) error) grpc.StreamDesc {
		return grpc.StreamDesc{StreamName: name, ServerStreams: true, ClientStreams: true,
			Handler: func(_ any, g grpc.ServerStream) error { return handler(g) }}
	}
	server.RegisterService(&grpc.ServiceDesc{ServiceName: actorstest.BaselineService, HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{stream("RegisterAgent", p.register), stream("StreamMetrics", p.stream)}}, p)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p.grpc = listener.Addr().String()
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", p.serveMetrics)
	mux.HandleFunc("/metrics-windows", p.serveWindows)
	p.http = httptest.NewServer(mux)
	t.Cleanup(p.http.Close)
	return p
}

func (p *baselineProxy) register(g grpc.ServerStream) error {
	id := ""
	for {
		m := actorstest.NewBaseline("RegisterAgentRequest")
		if err := g.RecvMsg(m); err != nil {
			return nil
		}
		if id != "" {
			continue // a heartbeat
		}
		a := &baselineAgent{answers: make(chan actorstest.Fields, 16)}
		a.pod, _ = actorstest.BaselineFields(m)["podName"].(string)
		p.mu.Lock()
		id = fmt.Sprintf("id-%d", len(p.agents))
		p.agents[id] = a
		p.mu.Unlock()
		if err := g.SendMsg(actorstest.Baseline("RegisterAgentResponse", actorstest.Fields{
			"success": true, "message": "ok", "heartbeatIntervalSeconds": "1", "agentId": id})); err != nil {
			return err
		}
	}
}

func (p *baselineProxy) stream(g grpc.ServerStream) error {
	md, _ := metadata.FromIncomingContext(g.Context())
	p.mu.Lock()
	a := p.agents[strings.Join(md.Get("agent_id"), "")]
	a.metrics = g
	p.mu.Unlock()
	for {
		m := actorstest.NewBaseline("StreamMetricsRequest")
		if err := g.RecvMsg(m); err != nil {
			return nil
		}
		a.answers <- actorstest.BaselineFields(m)
	}
}

// collect asks all agents, and calls f with each sample. total counts them.
func (p *baselineProxy) collect(window actorstest.Fields, f func(key string, s baselineSeries)) (total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(p.agents)) {
		a := p.agents[id]
		if a.metrics == nil || a.metrics.SendMsg(actorstest.Baseline("StreamMetricsResponse", window)) != nil {
			continue
		}
		select {
		case answer := <-a.answers:
			metrics, _ := answer["metrics"].([]any)
			for _, m := range metrics {
				m := m.(map[string]any)
				s := baselineSeries{Name: m["name"].(string), Labels: map[string]string{}, AgentID: id}
				labels, _ := m["labels"].(map[string]any)
				for k, v := range labels {
					s.Labels[k] = v.(string)
				}
				s.PodName = s.Labels["pod_name"]
				value, _ := m["value"].(float64)
				s.Data = []float64{value}
				f(s.Name+labelText(s.Labels), s)
				total++
			}
		case <-time.After(patience):
			p.t.Errorf("%s does not answer", id)
		}
	}
	return total
}

func labelText(labels map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		all = append(all, fmt.Sprintf("%s=%q", name, labels[name]))
	}
	return "{" + strings.Join(all, ",") + "}"
}

// serveMetrics shows the latest samples, and says in a header how many came.
func (p *baselineProxy) serveMetrics(w http.ResponseWriter, _ *http.Request) {
	page := map[string]float64{}
	total := p.collect(nil, func(key string, s baselineSeries) { page[key] = s.Data[0] })
	w.Header().Set("X-Samples", fmt.Sprint(total))
	for _, key := range slices.Sorted(maps.Keys(page)) {
		fmt.Fprintln(w, key, page[key])
	}
}

// serveWindows shows all that agents have.
func (p *baselineProxy) serveWindows(w http.ResponseWriter, _ *http.Request) {
	series := map[string]*baselineSeries{}
	p.collect(actorstest.Fields{"startTime": "2020-01-01T00:00:00Z"}, func(key string, s baselineSeries) {
		if known := series[key]; known != nil {
			known.AgentID, known.PodName, known.Data = s.AgentID, s.PodName, append(known.Data, s.Data...)
			return
		}
		series[key] = &s
	})
	_ = json.NewEncoder(w).Encode(slices.Collect(maps.Values(series)))
}

// lines returns the page of /metrics by the agents' pod names, once it has all of them.
func (p *baselineProxy) lines(pods ...string) map[string][]string {
	p.t.Helper()
	var byPod map[string][]string
	eventually(p.t, "the page of all agents", func() error {
		byPod = map[string][]string{}
		_, body, h, err := get(p.http.Listener.Addr().String(), "/metrics")
		if err != nil {
			return err
		}
		lines := strings.Split(strings.TrimSpace(body), "\n")
		if got := h.Get("X-Samples"); got != fmt.Sprint(len(lines)) {
			return fmt.Errorf("%s samples came, %d are left: some cannot be told apart", got, len(lines))
		}
		for _, line := range lines {
			_, rest, _ := strings.Cut(line, `pod_name="`)
			pod, _, _ := strings.Cut(rest, `"`)
			series := line[:strings.LastIndexByte(line, '}')+1]
			byPod[pod] = append(byPod[pod], strings.Replace(series, `pod_name="`+pod+`"`, "", 1))
		}
		for _, pod := range pods {
			for _, of := range []string{"requests_total{", "fodc_node_up{", "fodc_agent_build_info{", "node_memory_MemTotal_bytes{"} {
				if !strings.Contains(strings.Join(byPod[pod], " "), of) {
					return fmt.Errorf("no %s of %q yet, in %d lines", of, pod, len(lines))
				}
			}
		}
		return nil
	})
	require.ElementsMatch(p.t, pods, slices.Collect(maps.Keys(byPod)), "pods of samples")
	return byPod
}

// TestE2EAgentsAtABaselineProxy: agents that are alike in role, labels, host and endpoint
// are told apart in every sample at a proxy that stamps none, with and without a pod name.
func TestE2EAgentsAtABaselineProxy(t *testing.T) {
	t.Parallel()
	proxy, node := startBaselineProxy(t), startNode(t, pageA)
	args := func(id string, more ...string) []string {
		return agentArgs(proxy.grpc, id, "datanode-hot", node.endpoint(), append([]string{"--container-names", "data",
			"--node-labels", "zone=a,app.kubernetes.io/name=b,1st=c", "--host-telemetry=true"}, more...)...)
	}
	start(t, args("node-a")...)
	start(t, args("node-b")...)
	start(t, args("node-c", "--pod-name", "pod-c")...)
	pods := []string{"node-a", "node-b", "pod-c"}
	byPod := proxy.lines(pods...)
	for pod, lines := range byPod {
		for _, line := range lines {
			for _, label := range []string{`node_role="datanode-hot"`, `node_zone="a"`, `node_app_kubernetes_io_name="b"`, `node_1st="c"`} {
				require.Contains(t, line, label, pod)
			}
			require.NotContains(t, line, "exported_")
			if strings.HasPrefix(line, "requests_total{") {
				require.Contains(t, line, `container_name="data"`, pod)
			}
		}
	}
	// Nothing else would have told them apart.
	alike := 0
	for _, line := range byPod["node-a"] {
		if slices.Contains(byPod["node-b"], line) {
			alike++
		}
	}
	require.Greater(t, alike, 100)

	_, body, _, err := get(proxy.http.Listener.Addr().String(), "/metrics-windows")
	require.NoError(t, err)
	var window []baselineSeries
	require.NoError(t, json.Unmarshal([]byte(body), &window))
	byAgent := map[string]string{}
	for _, s := range window {
		require.NotEmpty(t, s.PodName, "%s%v", s.Name, s.Labels)
		if byAgent[s.AgentID] == "" {
			byAgent[s.AgentID] = s.PodName
		}
		require.Equal(t, byAgent[s.AgentID], s.PodName, "%s%v", s.Name, s.Labels)
	}
	require.ElementsMatch(t, pods, slices.Collect(maps.Values(byAgent)))
	proxy.mu.Lock()
	defer proxy.mu.Unlock()
	for id, a := range proxy.agents {
		require.Equal(t, byAgent[id], a.pod, "as registered")
	}
}
