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

// Nodes with equal families share one copy of them, whichever form they send.
func TestNodesShareDescriptors(t *testing.T) {
	page := func(node, help string, values ...float64) *wire.StreamMetricsRequest {
		f := &wire.StreamMetricsRequest{}
		for i, v := range values {
			f.Metrics = append(f.Metrics, &wire.Metric{Name: "x", Labels: map[string]string{"l": fmt.Sprint(i), "pod_name": node},
				Value: v, Description: help})
		}
		return f
	}
	descriptor := func(m *wire.StreamMetricsRequest) *messages.Descriptor {
		return answerOf(t, New(), encode(t, m)).Blocks[0].Families[0].Descriptor
	}
	columns := func(m *wire.StreamMetricsRequest) *wire.StreamMetricsRequest {
		a := wire.FromAnswer(m, testNow)
		for i := range a.Blocks[0].Families[0].Series {
			s := &a.Blocks[0].Families[0].Series[i]
			_, s.Labels = s.AllLabels().Split()
		}
		return frameOf(a)
	}
	one := descriptor(page("a", "Help.", 1, 2))
	require.True(t, one.Normalized)
	require.Same(t, one, descriptor(page("b", "Help.", 3, 4)))
	require.NotSame(t, one, descriptor(page("b", "Other.", 3, 4)))
	require.NotSame(t, one, descriptor(page("b", "Help.", 3, 4, 5)))
	d := New()
	d.Renew(7)
	require.Same(t, one, answerOf(t, d, encode(t, columns(page("c", "Help.", 5, 6)))).Blocks[0].Families[0].Descriptor)
	require.NotNil(t, d.definitions.templates.all[0].familyList)
	other := New()
	other.Renew(7)
	answerOf(t, other, encode(t, columns(page("d", "Help.", 7, 8))))
	require.Same(t, d.definitions.templates.all[0].familyList, other.definitions.templates.all[0].familyList)
	runtime.KeepAlive(one)
}

// frameOf is the answer in columns, defined in dictionary 7.
func frameOf(a wire.Answer) *wire.StreamMetricsRequest {
	var d wire.DictionaryEncoder
	d.Begin(7)
	return d.Frame(a)
}

// A value is not mistaken for another one of the same hash, and the pool drops values that
// nobody refers to.
func TestInternedValuesAreReleased(t *testing.T) {
	c := newInternPool(func(a, b *string) bool { return *a == *b })
	of := func(text string) *string { return &text }
	first, other := of("a"), of("b")
	require.Same(t, first, c.intern(1, first))
	require.Same(t, first, c.intern(1, of("a")))
	require.Same(t, other, c.intern(1, other))
	require.Same(t, other, c.intern(2, other))
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
