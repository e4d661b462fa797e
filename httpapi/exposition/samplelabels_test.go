package exposition

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"fodc/messages"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSampleLabels(t *testing.T) {
	f := func(id messages.Identity, own, want string) {
		t.Helper()
		labels, err := NewSampleLabels(id).Of(messages.LabelText(own))
		require.NoError(t, err)
		require.Equal(t, want, string(messages.RenderLabels(labels)))
	}
	id := messages.Identity{NodeID: "n1", Role: "data", PodName: "p", Labels: map[string]string{"zone": "z"}}
	f(id, ``, `node_id="n1",node_role="data",node_zone="z",pod_name="p"`)
	f(id, `a="1",node_id="n1"`, `a="1",node_id="n1",node_role="data",node_zone="z",pod_name="p"`)
	f(id, `node_id="x",pod_name="y"`, `exported_node_id="x",exported_pod_name="y",node_id="n1",node_role="data",node_zone="z",pod_name="p"`)
	id = messages.Identity{NodeID: "n1", PodName: "n1", PodNameIsNodeID: true}
	f(id, `pod_name="y"`, `node_id="n1",pod_name="y"`)
	f(id, `a="b\"c"`, `a="b\"c",node_id="n1",pod_name="n1"`)
	_, err := NewSampleLabels(id).Of(`a=`)
	require.Error(t, err)
}

func TestStampedLabels(t *testing.T) {
	f := func(id messages.Identity, name, want string, ok bool) {
		t.Helper()
		value, got := NewSampleLabels(id).Stamped(name)
		require.Equal(t, ok, got)
		require.Equal(t, want, value)
	}
	id := messages.Identity{NodeID: "n1", PodName: "p", Labels: map[string]string{"zone": "z"}}
	f(id, "node_id", "n1", true)
	f(id, "node_zone", "z", true)
	f(id, "pod_name", "p", true)
	f(id, "node_role", "", false)
	f(id, "a", "", false)
	f(messages.Identity{NodeID: "n1", PodName: "n1", PodNameIsNodeID: true}, "pod_name", "", false)
}

// A page shows the same labels.
func TestSampleLabelsAreThoseOfThePage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := collections().Draw(t, "collection")
		for _, n := range c.Nodes {
			of := NewSampleLabels(n.Identity)
			for b := range n.Blocks {
				for f := range n.Blocks[b].Each() {
					for i := range f.Series {
						s := f.At(i)
						checkLabelsOfPage(t, n.Identity, of, s.AllLabels())
					}
				}
			}
		}
	})
}

func checkLabelsOfPage(t *rapid.T, id messages.Identity, of *SampleLabels, own messages.LabelText) {
	alone := messages.Block{Times: []int64{1}, Families: []messages.Family{{Name: "m", Series: []messages.Series{{Labels: own, Values: []float64{1}}}}}}
	var page bytes.Buffer
	_, err := WriteOpenMetrics(&page, &messages.Collection{Nodes: []messages.NodeAnswer{{Identity: id, Blocks: []messages.Block{alone}}}}, Options{})
	require.NoError(t, err)
	shown := slices.Collect(maps.Keys(parseOpen(t, page.Bytes())))
	got, err := of.Of(own)
	if err != nil {
		require.Empty(t, shown)
		return
	}
	all := map[string]string{model.MetricNameLabel: "m"}
	for _, l := range got {
		require.NotContains(t, all, l.Name)
		all[l.Name] = l.Value
	}
	require.Equal(t, []modelKey{{seriesKey(labels.FromMap(all)), 1}}, shown)
}
