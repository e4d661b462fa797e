package messages

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSplitAndJoin(t *testing.T) {
	f := func(text, claimed, own string) {
		t.Helper()
		gotClaimed, gotOwn := LabelText(text).Split()
		require.Equal(t, LabelText(claimed), gotClaimed)
		require.Equal(t, LabelText(own), gotOwn)
		require.Equal(t, LabelText(text), gotOwn.Join(gotClaimed))
	}
	f(``, ``, ``)
	f(`a="1"`, ``, `a="1"`)
	f(`a="1",node_role="x",pod_name="p",z="2"`, `node_role="x",pod_name="p"`, `a="1",z="2"`)
	f(`node_="x"`, `node_="x"`, ``)
	f(`a="1","node_a.b"="x"`, `"node_a.b"="x"`, `a="1"`)
	// No label of these names, though the text looks like it.
	f(`a=",pod_name=",b="node_id"`, ``, `a=",pod_name=",b="node_id"`)
	f(`pod_names="1"`, ``, `pod_names="1"`)
	f(`node_`, ``, `node_`)
}

func TestKnowLabels(t *testing.T) {
	f := func(text, bound string, want LabelInfo) {
		t.Helper()
		want.Text = LabelText(text)
		require.Equal(t, want, InternLabelInfo(LabelText(text), bound).Get())
	}
	f(``, "", LabelInfo{Legacy: true})
	f(`a="1"`, "", LabelInfo{Legacy: true})
	f(`"a.b"="1"`, "", LabelInfo{})
	f(`a="1"`, "le", LabelInfo{Legacy: true, BoundName: "le", Rest: `a="1"`})
	f(`a="1",le="0.5",z="2"`, "le", LabelInfo{Legacy: true, BoundName: "le", Rest: `a="1",z="2"`, Bound: 0.5})
	f(`quantile="x"`, "quantile", LabelInfo{Legacy: true, BoundName: "quantile", Bound: math.Inf(1)})
	require.True(t, InternLabelInfo(`node_id="x"`, "").IsZero())
	require.Equal(t, InternLabelInfo(`a="1"`, ""), InternLabelInfo(`a="1"`, ""))
	require.NotEqual(t, InternLabelInfo(`a="1"`, ""), InternLabelInfo(`a="1"`, "le"))
}

func TestCutBound(t *testing.T) {
	f := func(in, rest string, bound float64) {
		t.Helper()
		got, v, err := LabelText(in).CutBound("le")
		require.NoError(t, err)
		require.Equal(t, LabelText(rest), got)
		require.Equal(t, bound, v)
	}
	f(``, ``, 0)
	f(`le="1"`, ``, 1)
	f(`le="1",z="2"`, `z="2"`, 1)
	f(`a="1",le="-1e3"`, `a="1"`, -1000)
	f(`a="1",le="2",z="2"`, `a="1",z="2"`, 2)
	f(`a="le=",le="nan"`, `a="le="`, math.Inf(1))
	_, _, err := LabelText(`a`).CutBound("le")
	require.Error(t, err)
}

// A split text has lost no label, and joined it is what it was.
func TestSplitIsOfAllLabels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		labels := labelSets().Draw(t, "labels")
		for _, name := range []string{"node_id", "node_role", "pod_name", "node_a.b"} {
			if rapid.Bool().Draw(t, name) && !slices.ContainsFunc(labels, func(l Label) bool { return l.Name == name }) {
				labels = append(labels, Label{name, rapid.String().Draw(t, "value")})
			}
		}
		text := RenderLabels(labels)
		claimed, own := text.Split()
		for _, l := range claimed.Labels() {
			require.True(t, IsIdentityName(l.Name))
		}
		for _, l := range own.Labels() {
			require.False(t, IsIdentityName(l.Name))
		}
		require.NoError(t, CheckLabelText(claimed))
		require.NoError(t, CheckLabelText(own))
		s := Series{Labels: own, Claimed: &claimed}
		require.Equal(t, text, s.AllLabels())
	})
}
