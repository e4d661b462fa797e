package agent

import (
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// A baseline proxy gets one message an answer, in the order of its requests.
func TestBaselineAnswers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		w.proxy.ask(&wire.StreamMetricsResponse{})
		w.proxy.ask(&wire.StreamMetricsResponse{StartTime: timestamppb.New(w.start), EndTime: timestamppb.New(w.start.Add(-time.Second))})
		w.proxy.ask(&wire.StreamMetricsResponse{Names: []string{""}}) // garbage
		w.proxy.ask(&wire.StreamMetricsResponse{StartTime: timestamppb.New(w.start), EndTime: timestamppb.New(w.start)})
		synctest.Wait()
		frames := w.proxy.answers()
		require.Len(t, frames, 4)
		for _, f := range frames {
			require.Zero(t, f.GetRequestId())
			require.Empty(t, f.GetBlocks())
			require.Empty(t, f.GetError())
			require.Equal(t, w.start.UTC(), f.GetTimestamp().AsTime())
		}
		for _, i := range []int{0, 3} {
			var g []*wire.Metric
			for _, m := range frames[i].GetMetrics() {
				if m.GetName() == "g" {
					g = append(g, m)
				}
			}
			require.Len(t, g, 2)
			require.Equal(t, map[string]string{"a": "1", "container_name": "db", "node_role": "liaison", "node_zone": "a", "pod_name": "p1"}, g[0].GetLabels())
			require.Equal(t, wire.MetricType_METRIC_TYPE_GAUGE, g[0].GetType())
			require.Equal(t, "A gauge.", g[0].GetDescription())
			require.EqualValues(t, 1, g[0].GetValue())
		}
		require.Empty(t, frames[1].GetMetrics())
		require.Empty(t, frames[2].GetMetrics())
	})
}

// An answer that does not fit the one message is truncated, and that is logged once.
func TestBaselineAnswerIsCut(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.node.serve(widePage(10_000, 500), nil)
		w.run()
		for range 3 {
			w.proxy.ask(&wire.StreamMetricsResponse{})
		}
		synctest.Wait()
		frames := w.proxy.answers()
		require.Len(t, frames, 3)
		for _, f := range frames {
			require.LessOrEqual(t, proto.Size(f), maxBaselineBytes)
			require.Greater(t, proto.Size(f), maxBaselineBytes-1024)
		}
		require.Len(t, w.lines("does not fit"), 1)
	})
}
