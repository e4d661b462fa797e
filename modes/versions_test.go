package modes

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors/proxy"
	"fodc/httpapi"
	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// versionAt is when all samples were taken, in unix milliseconds: 2026-01-01.
const versionAt = 1767225600000

// maxVersionSeries is what an agent may have.
const maxVersionSeries = 16

// version is an agent of some version: how it registers, and what it answers.
type version struct {
	registration *wire.RegisterAgentRequest
	answer       func(requestID uint64) *wire.StreamMetricsRequest
}

// versions are three agents that do not agree: one of the baseline, one of today, and
// one of a later version whose node has gone wrong. Two of them have the word where
// types and help texts differ. The answer of the last one is partial.
func versions() []version {
	return []version{
		{&wire.RegisterAgentRequest{PodName: "data-0", NodeRole: "ROLE_DATA", Labels: map[string]string{"type": "hot"}}, oldAnswer},
		{columnarNode("data-1", "1.0.0"), columnarAnswer(
			column("up_seconds_total", messages.TypeCounter, "Time since the start.", ``),
			column("doc_count", messages.TypeGauge, "Documents.", `group="sw_metric",segment="3"`, `node_id="other",segment="4"`),
			column("queue_length", messages.TypeGauge, "Messages that wait.", ``),
			histogram("request_seconds", "Latency.", "1", "10"),
			column("gc_pause_seconds", messages.TypeSummary, "Pauses.", `quantile="1"`, `quantile="0.5"`),
			column("fodc_agent_up", messages.TypeGauge, "A lie.", ``),
		)},
		{columnarNode("data-2", "2.0.0-rc1"), partialAnswer(messages.PartialJournal,
			column("up_seconds_total", messages.TypeCounter, "Seconds since the start of the node.", ``),
			column("doc_count", messages.TypeCounter, "Documents.", `segment="3"`),
			column("queue_length", messages.TypeCounter, "Messages that wait.", ``),
			histogram("request_seconds", "Latency of requests, by \"le\".", "1", "5", "10"),
			column("a.b", messages.TypeGauge, "", `"c.d"="e"`),
			column("labels", messages.TypeGauge, "", `a-b="1",a_b="2"`, `__name__="x"`, "no=label text", `z="1",a="2"`, `v="twice"`, `v="twice"`),
			column("zz_too_many", messages.TypeGauge, "", `n="1"`, `n="2"`, `n="3"`, `n="4"`),
		)},
	}
}

func columnarNode(id, agentVersion string) *wire.RegisterAgentRequest {
	return &wire.RegisterAgentRequest{NodeId: id, NodeRole: "datanode-hot", PodName: "pod-of-" + id, AgentVersion: agentVersion,
		Labels: map[string]string{"zone": "a"}, Capabilities: []wire.Capability{wire.Capability_CAPABILITY_COLUMNAR_ANSWERS}}
}

// column is a family with a series for each label text, of the values 1, 2, 3...
func column(name string, kind messages.MetricType, help string, texts ...string) *wire.Family {
	f := &wire.Family{Name: name, Type: wire.MetricType(kind), Help: help, LabelTexts: texts}
	for i := range texts {
		f.Values = append(f.Values, float64(i+1))
	}
	return f
}

func histogram(name, help string, bounds ...string) *wire.Family {
	f := &wire.Family{Name: name, Type: wire.MetricType_METRIC_TYPE_HISTOGRAM, Help: help}
	add := func(suffix wire.Suffix, text string) {
		f.Suffixes, f.LabelTexts, f.Values = append(f.Suffixes, suffix), append(f.LabelTexts, text), append(f.Values, 7)
	}
	for _, b := range append(bounds, "+Inf") {
		add(wire.Suffix_SUFFIX_BUCKET, `le="`+b+`"`)
	}
	add(wire.Suffix_SUFFIX_SUM, "")
	add(wire.Suffix_SUFFIX_COUNT, "")
	return f
}

func columnarAnswer(families ...*wire.Family) func(uint64) *wire.StreamMetricsRequest {
	return func(id uint64) *wire.StreamMetricsRequest {
		return &wire.StreamMetricsRequest{RequestId: id, Blocks: []*wire.Block{{TimeDeltas: []int64{versionAt + 500}, Families: families}}}
	}
}

func partialAnswer(reason messages.PartialReason, families ...*wire.Family) func(uint64) *wire.StreamMetricsRequest {
	return func(id uint64) *wire.StreamMetricsRequest {
		f := columnarAnswer(families...)(id)
		f.Partial = string(reason)
		return f
	}
}

// oldAnswer is what an agent of the baseline answers: sample by sample, with the
// identity that it stamps itself.
func oldAnswer(uint64) *wire.StreamMetricsRequest {
	f := &wire.StreamMetricsRequest{Timestamp: timestamppb.New(time.UnixMilli(versionAt))}
	add := func(name string, kind messages.MetricType, help string, value float64, labels ...string) {
		m := &wire.Metric{Name: name, Type: wire.MetricType(kind), Description: help, Value: value,
			Labels: map[string]string{"pod_name": "data-0", "node_role": "ROLE_DATA", "container_name": "data"}}
		for i := 0; i+1 < len(labels); i += 2 {
			m.Labels[labels[i]] = labels[i+1]
		}
		f.Metrics = append(f.Metrics, m)
	}
	add("up_seconds_total", messages.TypeCounter, "Time since the start.", 86400.5)
	add("doc_count", messages.TypeGauge, "Documents.", 1e6, "segment", "3")
	add("queue_length", messages.TypeGauge, "Messages.", 4, "", "nameless")
	add("request_seconds_bucket", messages.TypeHistogram, "Latency.", 1, "le", "0.5")
	add("request_seconds_bucket", messages.TypeHistogram, "Latency.", 2, "le", "+Inf")
	add("request_seconds_sum", messages.TypeHistogram, "Latency.", 0.75)
	add("request_seconds_count", messages.TypeHistogram, "Latency.", 2)
	return f
}

// serve registers the agent and answers what it is asked, until the test ends. It returns
// the stream for heartbeats.
func (v version) serve(t *testing.T, n *memoryNet) grpc.BidiStreamingClient[wire.RegisterAgentRequest, wire.RegisterAgentResponse] {
	conn, err := grpc.NewClient("passthrough:///proxy", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return n.listener.DialContext(ctx) }))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	client := wire.NewFODCServiceClient(conn)
	registration, err := client.RegisterAgent(t.Context())
	require.NoError(t, err)
	require.NoError(t, registration.Send(v.registration))
	welcome, err := registration.Recv()
	require.NoError(t, err)
	require.True(t, welcome.GetSuccess(), welcome.GetMessage())
	stream, err := client.StreamMetrics(metadata.AppendToOutgoingContext(t.Context(), "agent_id", welcome.GetAgentId()))
	require.NoError(t, err)
	go func() {
		for {
			req, err := stream.Recv()
			if err != nil || stream.Send(v.answer(req.GetRequestId())) != nil {
				return
			}
		}
	}()
	return registration
}

var agentIDs = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// inVersions runs the test in a bubble with a proxy. get returns an answer of the proxy.
func inVersions(t *testing.T, test func(t *testing.T, w *cluster, get func(target string) string)) {
	synctest.Test(t, func(t *testing.T) {
		w := &cluster{t: t, sys: crashableSystem(), net: newMemoryNet()}
		w.proxy = proxy.Start(w.sys, proxy.Config{
			Limits:            proxy.RegistryLimits{HeartbeatTimeout: 30 * time.Second, CleanupTimeout: 5 * time.Minute, MaxAgents: 100},
			HeartbeatInterval: 10 * time.Second, MaxCollections: 16, MaxMessageSize: 4 << 20, MaxAgentSeries: maxVersionSeries, MaxAnswersBytes: 1 << 30,
		})
		go func() { w.net.served <- w.proxy.Serve(w.net.listener) }()
		defer w.finish()
		api := &httpapi.ProxyAPI{Collect: w.proxy.Collect, Cluster: w.proxy.Cluster, Tree: w.sys.Tree, Counts: w.sys.Counts, ProxyCounts: w.proxy.Counts, Process: processUsage, MaxInFlightBytes: 1 << 30,
			Ready: func() bool { return true }, CollectTimeout: clusterPatience, StartedAt: time.Now(), Log: zap.NewNop()}
		h := api.Handler()
		test(t, w, func(target string) string {
			t.Helper()
			synctest.Wait()
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, target, nil))
			require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
			return agentIDs.ReplaceAllString(answer.Body.String(), "AGENT-ID")
		})
	})
}

// Three agents of different versions that disagree make one page, and what it could not
// take is counted by its reason.
func TestPagesOfThreeVersions(t *testing.T) {
	inVersions(t, func(t *testing.T, w *cluster, get func(string) string) {
		for _, v := range versions() {
			v.serve(t, w.net)
		}
		page := get("/metrics?role=ROLE_DATA&role=datanode-hot")
		golden(t, "versions.prom", page)
		golden(t, "versions-window.prom", get("/metrics-windows"))
		golden(t, "versions.json", get("/metrics-windows?format=json"))
		golden(t, "versions.openmetrics", get("/metrics-windows?format=openmetrics"))
		var conflicts []string
		for line := range strings.Lines(get("/metrics/self")) {
			if strings.HasPrefix(line, "fodc_proxy_merge_conflicts_total") {
				conflicts = append(conflicts, line)
			}
		}
		golden(t, "versions-conflicts.prom", strings.Join(conflicts, ""))
	})
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if updating() {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}
