package export

import (
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func TestBaseOf(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		require.Equal(t, want, baseOf(name))
	}
	f("x", "x")
	f("x_total", "x")
	f("x_count_total", "x")
	f("x_total_count", "x")
	f("x_bucket", "x")
	f("x_sum_created", "x")
	f("x_totals", "x_totals")
	f("_total", "_total")
	f("_total_total", "_total")
}

// planOf returns the plan for the families of one block of two scrapes.
func planOf(t *testing.T, budget int64, families ...messages.Family) *plan {
	t.Helper()
	n := fakeNode(nodeA, blockOf([]int64{0, 1000}, families...))
	s, err := surveySeries(t.Context(), newExporter(Config{}, []*node{n}, quiet()))
	require.NoError(t, err)
	return planPasses(s, budget)
}

func TestPassesFitTheBudget(t *testing.T) {
	two := []messages.Series{seriesOf(`l="1"`, 1, 2), seriesOf(`l="2"`, 1, messages.Gap)}
	a, b, c := familyOf("a", messages.TypeGauge, two...), familyOf("b", messages.TypeGauge, two...), familyOf("c", messages.TypeGauge, two...)
	f := func(budget int64, want ...[]string) {
		t.Helper()
		p := planOf(t, budget, c, b, a)
		var got [][]string
		for i := range p.passes {
			got = append(got, p.names(i))
		}
		require.Equal(t, want, got)
	}
	f(12, []string{"a", "b", "c"})
	f(11, []string{"a", "b"}, []string{"c"})
	f(8, []string{"a", "b"}, []string{"c"})
	f(7, []string{"a"}, []string{"b"}, []string{"c"})
	f(4, []string{"a"}, []string{"b"}, []string{"c"})
	f(3, []string{"a"}, []string{"a"}, []string{"b"}, []string{"b"}, []string{"c"}, []string{"c"})
	f(1, []string{"a"}, []string{"a"}, []string{"b"}, []string{"b"}, []string{"c"}, []string{"c"})
}

func TestFamiliesThatArePartedOrContradict(t *testing.T) {
	one := seriesOf("", 1, 2)
	h := func(name string) messages.Family {
		return familyOf(name, messages.TypeHistogram, suffixed(messages.SuffixBucket, `le="1"`, 1, 2), suffixed(messages.SuffixCount, "", 1, 2))
	}
	f := func(want bool, budget int64, families ...messages.Family) {
		t.Helper()
		p := planOf(t, budget, families...)
		for of, flat := range p.flat {
			require.Equal(t, want, flat, of.name)
		}
	}
	f(false, 100, h("x"), familyOf("y_count", messages.TypeGauge, one))
	f(true, 3, h("x"))
	f(true, 100, h("x"), familyOf("x_count", messages.TypeGauge, one))
	f(false, 100, familyOf("x", messages.TypeGauge, one), familyOf("x_count", messages.TypeGauge, one))
	f(false, 100, familyOf("x", messages.TypeSummary, one), familyOf("x_bucket", messages.TypeGauge, one))
	f(true, 100, familyOf("x", messages.TypeSummary, one), familyOf("x_sum", messages.TypeGauge, one))
	f(true, 100, h("x"), familyOf("x", messages.TypeGauge, one))
	f(true, 100, familyOf("x", messages.TypeCounter, one), familyOf("x", messages.TypeGauge, one))
	f(false, 100, familyOf("x", messages.TypeUnknown, one), familyOf("x", messages.TypeGauge, one))
	f(true, 100, familyOf("x", messages.TypeUnknown, one), familyOf("x", messages.TypeSummary, one))
	f(true, 100, familyOf("x", messages.TypeGauge, one, suffixed(messages.SuffixSum, "", 1, 2)))
	f(true, 100, familyOf("x", messages.TypeUnknown, suffixed(messages.SuffixSum, "", 1, 2)))
}

func TestTypesThatChange(t *testing.T) {
	n := fakeNode(nodeA,
		blockOf([]int64{0}, familyOf("x", messages.TypeSummary, seriesOf(`quantile="1"`, 1), suffixed(messages.SuffixSum, "", 2))),
		blockOf([]int64{1000}, familyOf("x", messages.TypeGauge, seriesOf("", 3))))
	page, said := pageOf(t, Config{}, n)
	require.Equal(t, `# TYPE x unknown
x{node_id="a",node_role="data"} 3 1704110401
x{quantile="1",node_id="a",node_role="data"} 1 1704110400
# TYPE x_sum unknown
x_sum{node_id="a",node_role="data"} 2 1704110400
# EOF
`, page)
	require.Empty(t, said)
}
