package wire

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

var stampedNode = messages.Identity{NodeID: "n1", Role: "liaison", PodName: "p1", Labels: map[string]string{"zone": "a", "app.kubernetes.io/name": "x"}}

// Each sample gets the identity of its node, but for the node id.
func TestBaselineLabels(t *testing.T) {
	l := NewBaselineLabels(stampedNode)
	for range 2 { // made, and known
		frame, left := l.Frame(windowBlocks(), testNow, roomy)
		require.Zero(t, left)
		require.Equal(t, proto.Size(frame), sizeByHand(frame))
		for i, m := range frame.GetMetrics() {
			want := map[string]string{"node_role": "liaison", "pod_name": "p1", "node_zone": "a", "node_app_kubernetes_io_name": "x"}
			switch m.GetName() {
			case "h_bucket":
				want["le"] = "1"
			case "up":
				want["a"] = `"b"`
			}
			require.Equal(t, want, m.GetLabels(), "%d", i)
		}
	}
	f := func(text string, want map[string]string) {
		t.Helper()
		for k, v := range map[string]string{"node_role": "liaison", "pod_name": "p1", "node_zone": "a", "node_app_kubernetes_io_name": "x"} {
			want[k] = v
		}
		require.Equal(t, want, l.of(messages.LabelText(text)).byName)
	}
	f(``, map[string]string{})
	f(`node_role="liaison",pod_name="p1"`, map[string]string{})
	f(`node_role="x",pod_name="y",q="z"`, map[string]string{"exported_node_role": "x", "exported_pod_name": "y", "q": "z"})
	f(`node_id="x"`, map[string]string{"node_id": "x"})
}

// A node label named id is left out: node_id is the name of the label with the id of the node.
func TestBaselineLabelsHaveNoNodeID(t *testing.T) {
	l := NewBaselineLabels(messages.Identity{NodeID: "n1", PodName: "p1", Labels: map[string]string{"id": "x", "zone": "a"}})
	require.Equal(t, map[string]string{"pod_name": "p1", "node_zone": "a"}, l.of("").byName)
	require.Equal(t, map[string]string{"pod_name": "p1", "node_zone": "a", "node_id": "y"}, l.of(`node_id="y"`).byName)
}

// sizeByHand is the size of a frame as the sum of its fields.
func sizeByHand(f *StreamMetricsRequest) int {
	size := proto.Size(&StreamMetricsRequest{Timestamp: f.GetTimestamp()})
	for _, m := range f.GetMetrics() {
		size += proto.Size(&StreamMetricsRequest{Metrics: []*Metric{m}})
	}
	return size
}

// What is stamped counts for the limit of a frame.
func TestStampedFrameNeverExceedsItsLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		blocks := drawBlocks(t)
		l := NewBaselineLabels(stampedNode)
		whole, left := l.Frame(blocks, testNow, math.MaxInt32)
		require.Zero(t, left)
		limit := rapid.IntRange(0, proto.Size(whole)).Draw(t, "limit")
		cut, left := l.Frame(blocks, testNow, limit)
		require.LessOrEqual(t, proto.Size(cut), limit)
		require.Len(t, whole.GetMetrics(), len(cut.GetMetrics())+left)
		for _, m := range whole.GetMetrics() {
			require.Equal(t, "p1", m.GetLabels()["pod_name"])
		}
	})
}

// Labels of series that are gone make room for those that come, and all that are kept stay
// below the limit.
func TestKnownBaselineLabelsAreBounded(t *testing.T) {
	l := NewBaselineLabels(stampedNode)
	of := func(from, n int) []messages.Block {
		f := messages.Family{Name: "a"}
		for i := range n {
			f.Series = append(f.Series, messages.Series{Labels: messages.LabelText(fmt.Sprintf(`x="%d %s"`, from+i, strings.Repeat("-", 1000))), Values: []float64{1}})
		}
		return []messages.Block{{Times: []int64{1}, Families: []messages.Family{f}}}
	}
	known := func() int {
		bytes := 0
		for _, m := range l.known {
			bytes += m.bytes
		}
		require.Equal(t, bytes, l.bytes)
		require.LessOrEqual(t, bytes, maxKnownLabelBytes)
		return len(l.known)
	}
	frame := func(from, n int) *StreamMetricsRequest {
		f, left := l.Frame(of(from, n), testNow, math.MaxInt32)
		require.Zero(t, left)
		require.Len(t, f.GetMetrics(), n)
		require.Contains(t, f.GetMetrics()[n-1].GetLabels()["x"], fmt.Sprintf("%d -", from+n-1))
		require.Equal(t, "p1", f.GetMetrics()[n-1].GetLabels()["pod_name"])
		return f
	}
	frame(0, 1000)
	require.Equal(t, 1000, known())
	frame(0, 3000)
	most := known()
	require.Less(t, most, 3000)
	frame(0, 3000)
	require.Equal(t, most, known())
	frame(5000, 10)
	require.Equal(t, 10, known(), "those before had filled it")
}
