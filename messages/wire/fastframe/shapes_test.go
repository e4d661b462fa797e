package fastframe

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

// Nodes whose families are alike have one copy of them, whichever form they send.
func TestNodesShareShapes(t *testing.T) {
	page := func(node, help string, values ...float64) *wire.StreamMetricsRequest {
		f := &wire.StreamMetricsRequest{}
		for i, v := range values {
			f.Metrics = append(f.Metrics, &wire.Metric{Name: "x", Labels: map[string]string{"l": fmt.Sprint(i), "pod_name": node},
				Value: v, Description: help})
		}
		return f
	}
	shape := func(m *wire.StreamMetricsRequest) *messages.Shape {
		return answerOf(t, New(), encode(t, m)).Blocks[0].Families[0].Shape
	}
	columns := func(m *wire.StreamMetricsRequest) *wire.StreamMetricsRequest {
		a := wire.FromAnswer(m, testNow)
		for i := range a.Blocks[0].Families[0].Series {
			s := &a.Blocks[0].Families[0].Series[i]
			_, s.Labels = s.AllLabels().Split()
		}
		return frameOf(a)
	}
	one := shape(page("a", "Help.", 1, 2))
	require.True(t, one.Settled)
	require.Same(t, one, shape(page("b", "Help.", 3, 4)))
	require.NotSame(t, one, shape(page("b", "Other.", 3, 4)))
	require.NotSame(t, one, shape(page("b", "Help.", 3, 4, 5)))
	d := New()
	d.Renew(7)
	require.Same(t, one, answerOf(t, d, encode(t, columns(page("c", "Help.", 5, 6)))).Blocks[0].Families[0].Shape)
	runtime.KeepAlive(one)
}

// frameOf is the answer in columns, described in dictionary 7.
func frameOf(a wire.Answer) *wire.StreamMetricsRequest {
	var d wire.Describer
	d.Begin(7)
	return d.Frame(a)
}

// A shape with the hash of another one is not taken for it; and when nobody has a shape any
// more, the table has not either.
func TestShapesGo(t *testing.T) {
	table := newShapeTable()
	first, other := messages.NewShape("x", messages.TypeGauge, "", nil), messages.NewShape("y", messages.TypeGauge, "", nil)
	hash := table.hash(first)
	require.Same(t, first, table.share(first))
	require.Same(t, first, table.share(messages.NewShape("x", messages.TypeGauge, "", nil)))
	table.byHash[table.hash(other)] = table.byHash[hash]
	require.Same(t, other, table.share(other))

	runtime.KeepAlive(first)
	require.Eventually(t, func() bool {
		runtime.GC()
		table.mu.Lock()
		defer table.mu.Unlock()
		_, there := table.byHash[hash]
		return !there
	}, 10*time.Second, time.Millisecond)
}
