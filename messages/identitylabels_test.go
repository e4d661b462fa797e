package messages

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestIdentityLabels(t *testing.T) {
	f := func(id Identity, want string) {
		t.Helper()
		before := []Label{{"node_id", "before"}}
		got := id.AppendSampleLabels(before)
		require.Equal(t, before[0], got[0])
		text := ""
		for _, l := range got[1:] {
			text += " " + l.Name + "=" + l.Value
			require.True(t, IsIdentityName(l.Name), l.Name)
			require.True(t, IsLegacyLabelName(l.Name), l.Name)
		}
		require.Equal(t, want, text)
	}
	f(Identity{}, "")
	f(Identity{NodeID: "n", Role: "r", PodName: "p"}, " node_id=n node_role=r pod_name=p")
	f(Identity{Role: "r", Labels: map[string]string{"b": "1", "a": "2", "empty": ""}}, " node_role=r node_a=2 node_b=1")
	f(Identity{NodeID: "n", Labels: map[string]string{"app.kubernetes.io/name": "x", "1st": "y", "größe": "z", "": "v"}},
		" node_id=n node_=v node_1st=y node_app_kubernetes_io_name=x node_gr____e=z")
	// Of two labels that become one the first by its own name stays, and none replaces another.
	f(Identity{NodeID: "n", Role: "r", Labels: map[string]string{"a.b": "dot", "a-b": "dash", "id": "x", "role": "y"}},
		" node_id=n node_role=r node_a_b=dash")
	f(Identity{Role: "r", Labels: map[string]string{"id": "x"}}, " node_role=r node_id=x")
	f(Identity{PodName: "a\xff"}, " pod_name=a\uFFFD")
}

func TestStampLabels(t *testing.T) {
	stamped := []Label{{"a", "1"}, {"exported_b", "2"}, {"b", "3"}, {"none", ""}}
	const all = `a="1",b="3",exported_b="2"`
	f := func(own, want, exported string) {
		t.Helper()
		require.Equal(t, exported, string(RenderLabels(ExportLabels(LabelText(own).Labels(), stamped))))
		require.Equal(t, want, string(RenderLabels(StampLabels(LabelText(own).Labels(), stamped))))
	}
	f(``, all, ``)
	f(`z="1"`, all+`,z="1"`, `z="1"`)
	f(`a="1"`, all, ``)
	f(`a="x"`, `a="1",b="3",exported_a="x",exported_b="2"`, `exported_a="x"`)
	f(`a="x",exported_a="y"`, `a="1",b="3",exported_a="y",exported_b="2",exported_exported_a="x"`, `exported_a="y",exported_exported_a="x"`)
	f(`b="x"`, all+`,exported_exported_b="x"`, `exported_exported_b="x"`)
	f(`b="x",exported_b="y"`, all+`,exported_exported_b="x",exported_exported_exported_b="y"`,
		`exported_exported_b="x",exported_exported_exported_b="y"`)
	f(`none="x"`, all+`,none="x"`, `none="x"`)
}

// Whatever labels a sample has, those that it is stamped with are there unchanged, no name
// is there twice, and no value is lost.
func TestStampLabelsKeepsAll(t *testing.T) {
	labels := func(values ...string) *rapid.Generator[[]Label] {
		return rapid.Custom(func(t *rapid.T) []Label {
			names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "exported_a", "exported_exported_a", "exported_b"}), 0, 5, rapid.ID).Draw(t, "names")
			var all []Label
			for _, name := range names {
				all = append(all, Label{name, rapid.SampledFrom(values).Draw(t, "value")})
			}
			return all
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		stamped := labels("1", "2", "").Draw(t, "stamped")
		own := labels("1", "2", "3").Draw(t, "own")
		got := StampLabels(slices.Clone(own), stamped)
		text := RenderLabels(got)
		require.NoError(t, CheckLabelText(text))
		count := map[string]int{}
		for _, l := range got {
			count[l.Value]++
		}
		for _, l := range stamped {
			if l.Value != "" {
				require.Contains(t, got, l)
			}
		}
		for _, l := range own {
			count[l.Value]--
			if i := indexOfLabel(stamped, l.Name); i >= 0 && stamped[i] == l {
				count[l.Value]++ // the two have become one
			}
		}
		for _, l := range stamped {
			if l.Value != "" {
				count[l.Value]--
			}
		}
		for value, n := range count {
			require.Zero(t, n, "of the value %q in %s", value, text)
		}
	})
}
