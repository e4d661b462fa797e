package exposition

import (
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

const (
	benchNodes    = 100
	benchFamilies = 30
	benchPerNode  = 300
)

// benchCollection is a cluster as sessions read it. Baseline agents stamp the
// identity on their samples themselves.
func benchCollection(baseline bool, rows int) *messages.Collection {
	c := &messages.Collection{}
	for n := range benchNodes {
		pod := fmt.Sprintf("banyandb-data-%03d", n)
		b := messages.Block{}
		for i := range rows {
			b.Times = append(b.Times, 1767225600000+int64(i)*10_000)
		}
		for f := range benchFamilies {
			family := messages.Family{Name: fmt.Sprintf("banyandb_measure_metric_%02d_total", f), Type: messages.TypeCounter, Help: "help"}
			for s := range benchPerNode / benchFamilies {
				labels := []messages.Label{{Name: "group", Value: "sw_metric"}, {Name: "segment", Value: fmt.Sprint(s)}, {Name: "operation", Value: "write"}}
				if baseline {
					labels = append(labels, messages.Label{Name: "node_role", Value: "ROLE_DATA"}, messages.Label{Name: "pod_name", Value: pod})
				}
				values := make([]float64, rows)
				for i := range values {
					values[i] = float64(n*1000+f*10+i) + float64(s%4)/4
				}
				series := parted(messages.RenderLabels(labels), "")
				series.Values = values
				family.Series = append(family.Series, series)
			}
			b.Families = append(b.Families, family)
		}
		shareBlock(&b)
		if n > 0 && !baseline { // Identical nodes share their families.
			b.Families = c.Nodes[0].Blocks[0].Families
		}
		c.Nodes = append(c.Nodes, messages.NodeAnswer{
			Identity: messages.Identity{NodeID: pod, Role: "ROLE_DATA", PodName: pod, Labels: map[string]string{"zone": "a"}},
			AgentID:  "5b2f5a52-0a3c-4d5b-9e0b-0d3a4a7c1e11", Blocks: []messages.Block{b},
		})
	}
	return c
}

func BenchmarkWriteText(b *testing.B) {
	f := func(name string, c *messages.Collection, o Options, rows int) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := WriteText(io.Discard, c, o); err != nil {
					b.Fatal(err)
				}
			}
			samples := float64(benchNodes * benchPerNode * rows)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/samples, "ns/sample")
		})
	}
	f("columnar", benchCollection(false, 1), Options{}, 1)
	f("escaped", benchCollection(false, 1), Options{EscapedNames: true}, 1)
	f("baseline", benchCollection(true, 1), Options{}, 1)
	f("window", benchCollection(false, 30), Options{Timestamps: true}, 30)
}

func BenchmarkWriteJSON(b *testing.B) {
	c := benchCollection(false, 30)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := WriteJSON(io.Discard, c); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(benchNodes*benchPerNode*30), "ns/sample")
}

// A sample costs no allocation: what there is belongs to nodes and families.
func TestAllocationsPerSample(t *testing.T) {
	for _, baseline := range []bool{false, true} {
		c := benchCollection(baseline, 1)
		allocs := testing.AllocsPerRun(2, func() {
			_, err := WriteText(io.Discard, c, Options{})
			require.NoError(t, err)
		})
		require.Less(t, allocs/(benchNodes*benchPerNode), 0.1, "baseline %t", baseline)
	}
}
