package export

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"fodc/messages"
	"fodc/recorder/blocks/blockstest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Both formats have exactly the samples of the journal, whatever types and targets its families
// have, however small the memory is, and also if the clock was set back.
func TestExportHasTheSamplesOfTheJournal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var nodes []*node
		want := map[blockstest.Point]int{}
		for _, id := range []messages.Identity{nodeA, {NodeID: "b", PodName: "b", PodNameIsNodeID: true, Labels: map[string]string{"zone": "z"}}} {
			if all := drawBlocks(t); len(all) > 0 {
				nodes = append(nodes, fakeNode(id, all...))
				addPoints(t, want, nodes[len(nodes)-1], all)
			}
		}
		if len(want) == 0 {
			return
		}
		dir, err := os.MkdirTemp("", "export")
		require.NoError(t, err)
		defer os.RemoveAll(dir)
		var page, errs bytes.Buffer
		e := newExporter(Config{Format: FormatOpenMetrics}, nodes, newReport(&errs, "test"))
		e.passValues = rapid.Int64Range(1, 1000).Draw(t, "budget")
		require.NoError(t, e.run(context.Background(), &page))
		requireSame(t, want, readPage(t, page.Bytes()))

		e.Format, e.Output = FormatTSDB, filepath.Join(dir, "blocks")
		require.NoError(t, e.run(context.Background(), &page))
		points, _ := blockstest.Read(t, e.Output)
		got := map[blockstest.Point]int{}
		for p, n := range points {
			p.Bits = bitsOf(math.Float64frombits(p.Bits))
			got[p] += n
		}
		requireSame(t, want, got)
		require.Empty(t, errs.String())
	})
}

// drawBlocks draws what a node has recorded: the clock may be set back once, to times that it has
// not had.
func drawBlocks(t *rapid.T) (all []messages.Block) {
	now := noon + 2*rapid.Int64Range(0, 7_000_000).Draw(t, "begin")
	setBack := rapid.IntRange(1, 8).Draw(t, "set back")
	for i := range rapid.IntRange(0, 5).Draw(t, "blocks") {
		if i == setBack {
			now = noon + 1 + 2*rapid.Int64Range(0, 7_000_000).Draw(t, "to")
		}
		b := messages.Block{}
		for range rapid.IntRange(1, 20).Draw(t, "scrapes") {
			b.Times = append(b.Times, now)
			now += 2 * rapid.Int64Range(1, 200_000).Draw(t, "step")
		}
		names := []string{"x", "x_total", "x_count", "x_created", "y_total", "z", "ü.z"}
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 4, rapid.ID).Draw(t, "names") {
			b.Families = append(b.Families, drawFamily(t, name, len(b.Times)))
		}
		all = append(all, b)
	}
	return all
}

func drawFamily(t *rapid.T, name string, n int) messages.Family {
	f := messages.Family{Name: name, Type: messages.MetricType(rapid.IntRange(0, 5).Draw(t, "type")), Help: rapid.SampledFrom([]string{"", "H."}).Draw(t, "help")}
	value := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{messages.Gap, math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1)}))
	texts := []messages.LabelText{"", `container_name="a"`, `container_name="b"`, `node_id="x"`, `pod_name="y"`, `le="0.5"`, `le="+Inf"`, `quantile="0.5"`, `container_name="a",le="0.5"`}
	if name == "x_count" { // no series of which the histogram x may have the same
		texts = []messages.LabelText{`family="1"`, `family="2"`, `family="3"`, `family="4"`, `family="5"`}
	}
	type key struct {
		s messages.Suffix
		l messages.LabelText
	}
	series := rapid.Custom(func(t *rapid.T) key {
		k := key{messages.SuffixNone, rapid.SampledFrom(texts).Draw(t, "labels")}
		if s := messages.Suffix(rapid.IntRange(0, 3).Draw(t, "suffix")); f.Type.Has(s) {
			k.s = s
		}
		return k
	})
	for _, k := range rapid.SliceOfNDistinct(series, 1, 5, rapid.ID).Draw(t, "series") {
		f.Series = append(f.Series, messages.Series{Suffix: k.s, Labels: k.l, Values: rapid.SliceOfN(value, n, n).Draw(t, "values")})
	}
	return f
}

// addPoints adds the samples as they are exported.
func addPoints(t *rapid.T, want map[blockstest.Point]int, n *node, all []messages.Block) {
	for i := range all {
		for f := range all[i].Each() {
			for j := range f.Series {
				s := f.At(j)
				l, err := n.labels.Labels(f.Name+s.Suffix.String(), s.AllLabels())
				require.NoError(t, err)
				for k, v := range s.Values {
					if !messages.IsGap(v) {
						want[blockstest.Point{Series: l.String(), At: all[i].Times[k], Bits: bitsOf(v)}]++
					}
				}
			}
		}
	}
}
