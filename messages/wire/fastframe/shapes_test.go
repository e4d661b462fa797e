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
	require.NotNil(t, d.slots.lists.all[0].familyList)
	other := New()
	other.Renew(7)
	answerOf(t, other, encode(t, columns(page("d", "Help.", 7, 8))))
	require.Same(t, d.slots.lists.all[0].familyList, other.slots.lists.all[0].familyList)
	runtime.KeepAlive(one)
}

// frameOf is the answer in columns, described in dictionary 7.
func frameOf(a wire.Answer) *wire.StreamMetricsRequest {
	var d wire.Describer
	d.Begin(7)
	return d.Frame(a)
}

// A value with the hash of another one is not taken for it; and when nobody has a value any
// more, the commons have not either.
func TestCommonsGo(t *testing.T) {
	c := newCommons(func(a, b *string) bool { return *a == *b })
	of := func(text string) *string { return &text }
	first, other := of("a"), of("b")
	require.Same(t, first, c.share(1, first))
	require.Same(t, first, c.share(1, of("a")))
	require.Same(t, other, c.share(1, other))
	require.Same(t, other, c.share(2, other))
	there := func(hash uint64) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, there := c.byHash[hash]
		return there
	}
	runtime.KeepAlive(first)
	require.Eventually(t, func() bool {
		runtime.GC()
		return !there(1)
	}, 10*time.Second, time.Millisecond)
	require.True(t, there(2))
	runtime.KeepAlive(other)
}
