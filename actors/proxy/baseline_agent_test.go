package proxy

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// baselineAgent is an agent as it is in the field: it knows the baseline of the contract
// only, and opens all seven streams. It answers each request in order, in one message.
type baselineAgent struct {
	w       *world
	id      string
	cancel  context.CancelFunc
	ctx     context.Context // of all streams but the registration: it carries the id
	reg     grpc.ClientStream
	metrics grpc.ClientStream
	drained []grpc.ClientStream
}

func (w *world) baselineStream(ctx context.Context, method string) grpc.ClientStream {
	w.T.Helper()
	s, err := w.conns[len(w.conns)-1].NewStream(ctx, actorstest.BaselineStream(), "/"+actorstest.BaselineService+"/"+method)
	require.NoError(w.T, err)
	return s
}

// baselineAgent registers an agent, and opens its streams.
func (w *world) baselineAgent(first actorstest.Fields) *baselineAgent {
	w.T.Helper()
	w.client()
	a := &baselineAgent{w: w}
	var ctx context.Context
	ctx, a.cancel = context.WithCancel(w.T.Context())
	a.reg = w.baselineStream(ctx, "RegisterAgent")
	a.beat(first)
	answer := actorstest.NewBaseline("RegisterAgentResponse")
	require.NoError(w.T, a.reg.RecvMsg(answer))
	f := actorstest.BaselineFields(answer)
	require.Equal(w.T, true, f["success"])
	require.Equal(w.T, "10", f["heartbeatIntervalSeconds"])
	a.id = f["agentId"].(string)
	a.ctx = metadata.AppendToOutgoingContext(ctx, "agent_id", a.id)
	a.metrics = w.baselineStream(a.ctx, "StreamMetrics")
	for _, method := range []string{"StreamClusterTopology", "StreamLifecycle", "StreamCrashDiagnostics",
		"StreamPressureProfiles", "StreamSchemaRegistry"} {
		s := w.baselineStream(a.ctx, method)
		require.NoError(w.T, s.SendMsg(actorstest.Baseline("Other", nil)))
		a.drained = append(a.drained, s)
	}
	synctest.Wait()
	return a
}

func (a *baselineAgent) beat(f actorstest.Fields) {
	a.w.T.Helper()
	require.NoError(a.w.T, a.reg.SendMsg(actorstest.Baseline("RegisterAgentRequest", f)))
}

// next takes the next request.
func (a *baselineAgent) next() actorstest.Fields {
	a.w.T.Helper()
	m := actorstest.NewBaseline("StreamMetricsResponse")
	require.NoError(a.w.T, a.metrics.RecvMsg(m))
	return actorstest.BaselineFields(m)
}

func (a *baselineAgent) answer(metrics ...any) error {
	return a.metrics.SendMsg(actorstest.Baseline("StreamMetricsRequest",
		actorstest.Fields{"metrics": metrics, "timestamp": time.Now().UTC().Format(time.RFC3339Nano)}))
}

func baselineMetric(name string, value float64, kind int, labels actorstest.Fields) actorstest.Fields {
	return actorstest.Fields{"name": name, "value": value, "type": kind, "labels": labels, "description": "About " + name + ".",
		"timestamp": time.Now().UTC().Format(time.RFC3339Nano)}
}

// ask starts a collection, whose outcome comes in the channel.
func (w *world) ask(window messages.Window) <-chan map[string]any {
	got := make(chan map[string]any, 1)
	go func() { got <- shown(w.collect(messages.Query{Selection: messages.Selection{Window: window}})) }()
	return got
}

// A baseline agent is served through register, a late role, collect, window, timeout,
// loss, return and goodbye.
func TestBaselineAgent(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		late := actorstest.Fields{"nodeRole": "ROLE_UNSPECIFIED", "podName": "data-0", "containerNames": []string{"data", "lifecycle"}}
		known := actorstest.Fields{"nodeRole": "ROLE_DATA", "podName": "data-0", "labels": actorstest.Fields{"type": "hot"}}
		a := w.baselineAgent(late)
		node := func() messages.NodeStatus {
			t.Helper()
			cluster, err := w.proxy.Cluster(t.Context(), messages.NodeFilter{})
			require.NoError(t, err)
			require.Len(t, cluster.Nodes, 1)
			return cluster.Nodes[0]
		}
		require.Equal(t, "ROLE_UNSPECIFIED", node().Identity.Role)
		require.Equal(t, []string{"data", "lifecycle"}, node().ContainerNames)
		a.beat(known)
		synctest.Wait()
		a.beat(late)
		synctest.Wait()
		require.Equal(t, messages.Identity{NodeID: "data-0", Role: "ROLE_DATA", PodName: "data-0", Labels: map[string]string{"type": "hot"}},
			node().Identity)

		// Latest, and a window. Requests have no more than the bounds.
		got := w.ask(messages.Window{})
		require.Empty(t, a.next())
		require.NoError(t, a.answer(baselineMetric("c", 5, 2, actorstest.Fields{"pod_name": "data-0"})))
		require.Equal(t, map[string]any{"data-0": 5.}, <-got)
		start := time.Now().Add(-time.Minute).UTC()
		got = w.ask(messages.Window{Start: start, End: start.Add(30 * time.Second)})
		require.Equal(t, actorstest.Fields{"startTime": start.Format(time.RFC3339), "endTime": start.Add(30 * time.Second).Format(time.RFC3339)}, a.next())
		require.NoError(t, a.answer())
		require.Equal(t, map[string]any{}, <-got, "whole, and without a sample")

		// Two at once: the answers come in the order of the requests.
		first, second := w.ask(messages.Window{Start: start}), (<-chan map[string]any)(nil)
		synctest.Wait()
		second = w.ask(messages.Window{End: start})
		require.Contains(t, a.next(), "startTime")
		require.Contains(t, a.next(), "endTime")
		require.NoError(t, a.answer(baselineMetric("g", 1, 1, nil)))
		require.NoError(t, a.answer(baselineMetric("g", 2, 1, nil)))
		require.Equal(t, 1., (<-first)["data-0"])
		require.Equal(t, 2., (<-second)["data-0"])

		// A late answer to a request that timed out is not matched with the next request.
		got = w.ask(messages.Window{})
		a.next()
		require.Equal(t, map[string]any{"data-0": messages.MissingTimeout}, <-got)
		require.NoError(t, a.answer(baselineMetric("g", 3, 1, nil)))
		synctest.Wait()
		got = w.ask(messages.Window{})
		a.next()
		require.NoError(t, a.answer(baselineMetric("g", 4, 1, nil)))
		require.Equal(t, map[string]any{"data-0": 4.}, <-got)

		// Lost, and back as the same node.
		a.cancel()
		synctest.Wait()
		require.Equal(t, messages.StatusUnconnected, node().Status)
		b := w.baselineAgent(late)
		require.NotEqual(t, a.id, b.id)
		require.Equal(t, messages.StatusOnline, node().Status)
		require.Equal(t, "ROLE_DATA", node().Identity.Role, "a known role is kept")

		// It leaves: it half-closes, and each stream ends in an orderly way.
		for _, s := range append([]grpc.ClientStream{b.metrics, b.reg}, b.drained...) {
			require.NoError(t, s.CloseSend())
		}
		for _, s := range append([]grpc.ClientStream{b.metrics, b.reg}, b.drained...) {
			require.ErrorIs(t, s.RecvMsg(actorstest.NewBaseline("Other")), io.EOF, "in between nothing came: no heartbeat is answered")
		}
		require.Empty(t, w.statuses())
	})
}

// Older agents say where they are, and no name.
func TestBaselineAgentWithoutAName(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.baselineAgent(actorstest.Fields{"nodeRole": "liaison", "primaryAddress": actorstest.Fields{"ip": "10.0.0.7", "port": 17912}})
		require.Equal(t, map[string]messages.Status{"10.0.0.7:17912": "online"}, w.statuses())
	})
}

// An answer just under the message limit is whole. One over it costs the stream and not
// the session, and the log says whose it was and what to do.
func TestBaselineAgentNearTheMessageLimit(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.baselineAgent(actorstest.Fields{"nodeRole": "liaison", "podName": "p1"})
		page := func(bytes int) proto.Message {
			var metrics []any
			each := proto.Size(actorstest.Baseline("StreamMetricsRequest",
				actorstest.Fields{"metrics": []any{largeMetric(1000)}}))
			for i := range bytes / each {
				metrics = append(metrics, largeMetric(1000+i))
			}
			m := actorstest.Baseline("StreamMetricsRequest", actorstest.Fields{"metrics": metrics})
			require.InDelta(t, bytes, proto.Size(m), 1<<10)
			return m
		}
		got := make(chan *messages.Collection, 1)
		ask := func() {
			t.Helper()
			go func() { got <- w.collect(messages.Query{}) }()
			a.next()
		}
		ask()
		small := page(testConfig.MaxMessageSize - 1<<10)
		require.NoError(t, a.metrics.SendMsg(small))
		node := (<-got).Nodes[0]
		require.Equal(t, messages.MissingNone, node.Missing)
		require.Zero(t, node.Rejected)
		series := 0
		for _, b := range node.Blocks {
			for f := range b.Each() {
				series += len(f.Series)
			}
		}
		require.Equal(t, len(actorstest.BaselineFields(small)["metrics"].([]any)), series)

		ask()
		require.NoError(t, a.metrics.SendMsg(page(testConfig.MaxMessageSize+2<<10)))
		require.Equal(t, messages.MissingError, (<-got).Nodes[0].Missing)
		err := a.metrics.RecvMsg(actorstest.NewBaseline("Other"))
		require.Equal(t, codes.ResourceExhausted, code(err))
		require.Equal(t, map[string]messages.Status{"p1": "online"}, w.statuses())

		a.metrics = w.baselineStream(a.ctx, "StreamMetrics")
		synctest.Wait()
		ask()
		require.NoError(t, a.answer(baselineMetric("g", 1, 1, nil)))
		require.Equal(t, map[string]any{"p1": 1.}, shown(<-got))
	})
}

func largeMetric(i int) actorstest.Fields {
	return actorstest.Fields{"name": "g", "value": 1.5, "type": 1, "labels": actorstest.Fields{
		"i": fmt.Sprintf("%06d", i), "text": strings.Repeat("x", 400)}}
}
