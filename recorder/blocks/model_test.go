package blocks

import (
	"context"
	"math"
	"os"
	"testing"

	"fodc/messages"
	"fodc/recorder/blocks/blockstest"
	"fodc/recorder/promstore"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The blocks have exactly the samples that were appended, whatever the types, the targets and the
// gaps, also if the clock was set back.
func TestBlocksHoldWhatWasAppended(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "blocks")
		require.NoError(t, err)
		defer os.RemoveAll(dir)
		w := NewWriter(dir, Options{})
		defer w.Close()
		nodes := []*promstore.NodeLabels{node("a"), promstore.NewNodeLabels(messages.Identity{NodeID: "b", PodName: "b", PodNameIsNodeID: true})}
		want := map[blockstest.Point]int{}
		for i := range rapid.Int64Range(0, 3).Draw(t, "ranges") {
			at := hour12 + i*rangeMillis
			setBack := rapid.IntRange(0, 6).Draw(t, "set back")
			for j := range rapid.IntRange(0, 6).Draw(t, "blocks") {
				if j == setBack { // to times between those that were there
					at = hour12 + i*rangeMillis + 1
				}
				b := drawBlock(t, &at)
				n := rapid.SampledFrom(nodes).Draw(t, "node")
				require.NoError(t, w.Append(n, &b))
				addPoints(t, want, n, &b)
			}
			require.NoError(t, w.Flush(context.Background()))
		}
		got, _ := blockstest.Read(t, dir)
		require.Equal(t, want, got)
		require.Equal(t, len(want), w.Counts().Samples)
		if len(want) > 0 {
			r, err := Open(dir)
			require.NoError(t, err)
			defer r.Close()
			requireReads(t, want, r)
		}
	})
}

// drawBlock draws a block of the time from at on, and moves at behind it.
func drawBlock(t *rapid.T, at *int64) messages.Block {
	var b messages.Block
	for range rapid.IntRange(1, 150).Draw(t, "scrapes") {
		b.Times = append(b.Times, *at)
		*at += 2 * rapid.Int64Range(1, 1000).Draw(t, "step")
	}
	value := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{messages.Gap, math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1)}))
	names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x", "x_total", "y", "ü.z"}), 1, 3, rapid.ID).Draw(t, "names")
	for _, name := range names {
		f := messages.Family{Name: name, Type: messages.MetricType(rapid.IntRange(0, 5).Draw(t, "type"))}
		own := rapid.SliceOfNDistinct(rapid.SampledFrom([]messages.LabelText{"", `container_name="a"`, `container_name="b"`, `node_id="x"`, `pod_name="y"`, `le="1"`}), 1, 4, rapid.ID)
		for _, l := range own.Draw(t, "labels") {
			suffix := messages.SuffixNone
			if f.Type == messages.TypeHistogram {
				suffix = messages.SuffixBucket
			}
			f.Series = append(f.Series, messages.Series{Suffix: suffix, Labels: l, Values: rapid.SliceOfN(value, len(b.Times), len(b.Times)).Draw(t, "values")})
		}
		b.Families = append(b.Families, f)
	}
	if rapid.Bool().Draw(t, "columns") {
		for i := range b.Families {
			for j := range b.Families[i].Series {
				s := &b.Families[i].Series[j]
				b.Values = append(b.Values, s.Values...)
				s.Values = nil
			}
		}
	}
	return b
}

func addPoints(t *rapid.T, want map[blockstest.Point]int, n *promstore.NodeLabels, b *messages.Block) {
	for f := range b.Each() {
		for i := range f.Series {
			s := f.At(i)
			l, err := n.Labels(f.Name+s.Suffix.String(), s.AllLabels())
			require.NoError(t, err)
			for j, v := range s.Values {
				if messages.IsGap(v) {
					continue
				}
				want[blockstest.Point{Series: l.String(), At: b.Times[j], Bits: math.Float64bits(v)}]++
			}
		}
	}
}
