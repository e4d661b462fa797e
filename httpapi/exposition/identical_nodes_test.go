package exposition

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"fodc/messages"
)

// identicalBlocks are the blocks of another node that runs the same: the same families, shared
// as sessions share them, and other values.
func identicalBlocks(t *rapid.T, blocks []messages.Block) []messages.Block {
	other := func(values []float64) []float64 {
		values = slices.Clone(values)
		for i := range values {
			if rapid.Bool().Draw(t, "other") {
				values[i] = rapid.SampledFrom([]float64{0, 7, messages.Gap}).Draw(t, "value")
			}
		}
		return values
	}
	blocks = slices.Clone(blocks)
	for i := range blocks {
		b := &blocks[i]
		if b.Values != nil {
			b.Values = other(b.Values)
			continue
		}
		b.Families = slices.Clone(b.Families)
		for j := range b.Families {
			if f := &b.Families[j]; f.Descriptor != nil {
				f.Values = other(f.Values)
			}
		}
	}
	return blocks
}

// Lines begin as they do for one node, whichever nodes have the descriptor before, and however
// long it is.
func TestIdenticalNodes(t *testing.T) {
	f := func(kind messages.MetricType, series ...messages.Series) {
		t.Helper()
		b := messages.Block{Times: []int64{1}, Families: []messages.Family{family("x", kind, "", series...)}}
		shareBlock(&b)
		other := messages.Block{Times: b.Times, Families: []messages.Family{family("x", kind, "", slices.Clone(series[1:])...)}}
		shareBlock(&other)
		require.True(t, b.Families[0].Descriptor.Normalized)
		var nodes []messages.NodeAnswer
		want := ""
		for i, from := range []messages.Block{b, b, b, other, b, other, other, other, b, b} {
			id := fmt.Sprint(i)
			from.Values = slices.Clone(from.Values)
			if i%3 == 2 {
				from.Values[0] = messages.Gap
			}
			nodes = append(nodes, answer(id, from))
			page, _ := text(t, collection(nodes[i]), Options{})
			want += samplesOf(page, "x")
		}
		page, conflicts := text(t, collection(nodes...), Options{})
		require.Zero(t, conflicts)
		require.Equal(t, want, samplesOf(page, "x"))

		// On a node's own page there are no identities.
		var own, plain strings.Builder
		require.NoError(t, WriteNodeText(&own, []messages.Block{b}, Options{}))
		b.Families = slices.Clone(b.Families)
		b.Families[0].Descriptor = nil // else it would be shown by that
		require.NoError(t, WriteNodeText(&plain, []messages.Block{b}, Options{}))
		require.Equal(t, plain.String(), own.String())
	}
	of := func(suffix messages.Suffix, labels, bound string) messages.Series {
		s := parted(messages.LabelText(labels), bound)
		s.Suffix, s.Values = suffix, []float64{1}
		return s
	}
	f(gauge, of(messages.SuffixNone, "", ""), of(messages.SuffixNone, `a="1"`, ""), of(messages.SuffixNone, `a="2"`, ""))
	f(histogram, of(messages.SuffixBucket, `le="1.0"`, "le"), of(messages.SuffixBucket, `le="+Inf"`, "le"), of(messages.SuffixSum, "", ""),
		of(messages.SuffixCount, "", ""))
	var long []messages.Series
	for i := range 9 {
		long = append(long, of(messages.SuffixNone, fmt.Sprintf(`a="%d%s"`, i, strings.Repeat("x", maxPrefixBytes/8)), ""))
	}
	f(gauge, long...)
	s := linePrefixes{descriptor: messages.NewDescriptor("x", gauge, "", long)}
	s.make(&[messages.SuffixCount + 1][]byte{})
	require.Equal(t, prefixesTooLong, s.state)
	require.Less(t, len(s.text), 2*maxPrefixBytes)
}

// Nodes may have the beginning of a list in common, and families may begin without samples.
func TestNodesThatAreAlmostAlike(t *testing.T) {
	of := func(values ...float64) messages.Block {
		b := messages.Block{Times: []int64{1}, Families: []messages.Family{
			family("x", gauge, "", parted(`a="1"`, "")), family("y", gauge, "", parted(`a="1"`, ""))}}
		shareBlock(&b)
		require.True(t, b.Families[1].Descriptor.Normalized)
		b.Values = values
		return b
	}
	first := of(1, messages.Gap)
	second, third, fourth := first, first, first
	second.Values = []float64{3, messages.Gap}
	third.Values = []float64{5, 6}
	fourth.Families, fourth.Values = first.Families[:1], []float64{7}
	page, conflicts := text(t, collection(answer("a", first), answer("b", second), answer("c", third), answer("d", fourth),
		answer("e", third)), Options{})
	require.Zero(t, conflicts)
	line := func(name, node string, value int) string {
		return fmt.Sprintf("%s{a=\"1\",node_id=%q,node_role=\"data\"} %d\n", name, node, value)
	}
	require.Equal(t, line("x", "a", 1)+line("x", "b", 3)+line("x", "c", 5)+line("x", "d", 7)+line("x", "e", 5), samplesOf(page, "x"))
	require.Equal(t, line("y", "c", 6)+line("y", "e", 6), samplesOf(page, "y"))
}
