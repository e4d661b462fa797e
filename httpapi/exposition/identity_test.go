package exposition

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

func nodeOf(a messages.NodeAnswer) *node {
	return nodesOf(&messages.Collection{Nodes: []messages.NodeAnswer{a}})[0]
}

func TestIdentityText(t *testing.T) {
	f := func(id messages.Identity, want, wantShort string) {
		t.Helper()
		n := nodeOf(messages.NodeAnswer{Identity: id})
		require.Equal(t, want, string(n.identityText))
		require.Equal(t, wantShort, string(n.shortIdentity))
	}
	f(messages.Identity{NodeID: "a", Role: "data"}, `node_id="a",node_role="data"`, `node_id="a",node_role="data"`)
	f(messages.Identity{NodeID: "a", Role: "data", PodName: "p"}, `node_id="a",node_role="data",pod_name="p"`, `node_id="a",node_role="data",pod_name="p"`)
	f(messages.Identity{NodeID: "[::1]:17912", Role: ""}, `node_id="[::1]:17912"`, `node_id="[::1]:17912"`)
	f(messages.Identity{NodeID: "a\"\\\n", Role: "r"}, `node_id="a\"\\\n",node_role="r"`, `node_id="a\"\\\n",node_role="r"`)
	f(messages.Identity{NodeID: "a\xff", Role: "r"}, "node_id=\"a\uFFFD\",node_role=\"r\"", "node_id=\"a\uFFFD\",node_role=\"r\"")
	short := `node_id="a",node_role="r"`
	labels := func(want string, labels map[string]string) {
		t.Helper()
		f(messages.Identity{NodeID: "a", Role: "r", Labels: labels}, short+want, short)
	}
	labels(`,node_a="2",node_b="1"`, map[string]string{"b": "1", "a": "2"})
	labels(`,node_app_kubernetes_io_name="x"`, map[string]string{"app.kubernetes.io/name": "x"})
	labels(`,node_1st="x"`, map[string]string{"1st": "x"})
	labels(`,node_a_b="dash"`, map[string]string{"a.b": "dot", "a-b": "dash"})
	labels(``, map[string]string{"id": "x", "role": "y", "empty": ""})
}

// parted is a series as sessions give it.
func parted(text messages.LabelText, bound string) messages.Series {
	s := messages.Series{Labels: text}
	claimed, own := text.Split()
	if claimed != "" && claimed.HasLegacyNames() {
		s.Labels, s.Claimed = own, &claimed
	}
	s.Info = messages.InternLabelInfo(s.Labels, bound)
	return s
}

func TestLabelsWithoutIdentity(t *testing.T) {
	n := nodeOf(messages.NodeAnswer{Identity: messages.Identity{
		NodeID: "n1", Role: "data", PodName: ",b=", Labels: map[string]string{"zone": "z"}}})
	f := func(in, want string) {
		t.Helper()
		for _, bound := range []string{"", "le"} {
			text := messages.LabelText(in)
			for _, s := range []messages.Series{{Labels: text}, parted(text, ""), parted(text, "le")} {
				e := entry{SortKey: messages.SortKey{Labels: s.Labels}}
				require.True(t, e.label(n, &s, bound))
				require.Equal(t, want, string(e.Labels))
				require.NoError(t, messages.CheckLabelText(e.Labels))
				// Of a node without an identity all labels are its own.
				e = entry{SortKey: messages.SortKey{Labels: s.Labels}}
				require.True(t, e.label(&node{}, &s, bound))
				require.Equal(t, in, string(e.Labels))
			}
		}
	}
	f(``, ``)
	f(`a="1"`, `a="1"`)
	f(`node_id="n1"`, ``)
	f(`node_role="data",pod_name=",b=",segment="1"`, `segment="1"`)
	f(`a="1",node_role="data",o="2",pod_name=",b=",segment="3",z="4"`, `a="1",o="2",segment="3",z="4"`)
	f(`node_zone="z",z="1"`, `z="1"`)
	f(`node_zonex="z"`, `node_zonex="z"`)
	f(`node_other="z",pod_names="y"`, `node_other="z",pod_names="y"`)
	f(`a="node_id",b="pod_name=\"x\""`, `a="node_id",b="pod_name=\"x\""`)
	// Not the label pod_name, though the text holds what looks like it.
	f(`a=",pod_name=",b="1"`, `a=",pod_name=",b="1"`)
	f(`node_id="other"`, `exported_node_id="other"`)
	f(`a="1",node_id="other",z="2"`, `a="1",exported_node_id="other",z="2"`)
	f(`exported_node_id="x",node_id="y"`, `exported_exported_node_id="y",exported_node_id="x"`)
	f(`exported_exported_node_id="w",exported_node_id="x",node_id="y"`,
		`exported_exported_exported_node_id="y",exported_exported_node_id="w",exported_node_id="x"`)
	f(`node_id="n1",node_role="x",pod_name="y"`, `exported_node_role="x",exported_pod_name="y"`)
	f(`"a.b"="1",node_id="x\"\\\n"`, `"a.b"="1",exported_node_id="x\"\\\n"`)
}

// A sample may name its pod where the agent has not: the node id stands in for a name that
// is not known.
func TestSampleNamesItsPod(t *testing.T) {
	n := nodeOf(messages.NodeAnswer{Identity: messages.Identity{NodeID: "n1", Role: "data", PodName: "n1", PodNameIsNodeID: true}})
	f := func(in, want, identity string) {
		t.Helper()
		for _, s := range []messages.Series{{Labels: messages.LabelText(in)}, parted(messages.LabelText(in), "")} {
			e := entry{SortKey: messages.SortKey{Labels: s.Labels}}
			require.True(t, e.label(n, &s, ""))
			require.Equal(t, want, string(e.Labels))
			require.Equal(t, identity, string(e.node.identityText))
		}
	}
	whole, withoutPod := `node_id="n1",node_role="data",pod_name="n1"`, `node_id="n1",node_role="data"`
	f(`a="1"`, `a="1"`, whole)
	f(`a="1",pod_name="n1"`, `a="1"`, whole)
	f(`a="pod_name"`, `a="pod_name"`, whole)
	f(`a="1",pod_name="p"`, `a="1",pod_name="p"`, withoutPod)
	f(`node_id="x",pod_name="p"`, `exported_node_id="x",pod_name="p"`, withoutPod)
	f(`node_role="data",pod_name="p"`, `pod_name="p"`, withoutPod)
	require.False(t, (&entry{}).label(n, &messages.Series{Labels: `pod_name`}, ""))
}

func TestBound(t *testing.T) {
	f := func(in, rest string, bound float64) {
		t.Helper()
		n := nodeOf(messages.NodeAnswer{Identity: messages.Identity{NodeID: "n1"}})
		text := messages.LabelText(in)
		for _, s := range []messages.Series{{Labels: text}, parted(text, ""), parted(text, "quantile"), parted(text, "le")} {
			e := entry{SortKey: messages.SortKey{Labels: s.Labels}}
			require.True(t, e.label(n, &s, "le"))
			require.Equal(t, rest, string(e.Rest))
			require.Equal(t, bound, e.Bound)
		}
	}
	f(``, ``, 0)
	f(`a="1"`, `a="1"`, 0)
	f(`le="1"`, ``, 1)
	f(`le="1",z="2"`, `z="2"`, 1)
	f(`a="1",le="0.5"`, `a="1"`, 0.5)
	f(`a="1",le="-1e3",z="2"`, `a="1",z="2"`, -1000)
	f(`a="1",le="1",node_id="n1"`, `a="1"`, 1)
	f(`a="1",le="1",node_id="n2"`, `a="1",exported_node_id="n2"`, 1)
	f(`le="+Inf"`, ``, math.Inf(1))
	f(`le="nan"`, ``, math.Inf(1))
}

func TestSameLabelsOfNodeAreNotDoubled(t *testing.T) {
	page, _ := text(t, collection(answer("a", block(1, family("x", gauge, "", one(`b="1",node_id="a",node_role="data",q="2"`, 1))))), Options{})
	require.Equal(t, `x{b="1",q="2",node_id="a",node_role="data"} 1`+"\n", samplesOf(page, "x{"))
	require.Equal(t, 1, strings.Count(samplesOf(page, "x{"), "node_id"))
}
