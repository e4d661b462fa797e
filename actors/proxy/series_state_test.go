package proxy

import (
	"fmt"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// seriesBlock is a block of gauges, named family+label.
func seriesBlock(at int64, names ...string) messages.Block {
	b := messages.Block{Times: []int64{at}}
	for _, name := range names {
		text := messages.RenderLabels([]messages.Label{{Name: "l", Value: name[1:]}})
		x := messages.Series{Labels: text, Values: []float64{float64(at)}}
		if n := len(b.Families); n > 0 && b.Families[n-1].Name == name[:1] {
			b.Families[n-1].Series = append(b.Families[n-1].Series, x)
			continue
		}
		b.Families = append(b.Families, messages.Family{Name: name[:1], Series: []messages.Series{x}})
	}
	return b
}

func namesOf(blocks []messages.Block) (names []string) {
	for _, b := range blocks {
		for f := range b.Each() {
			for _, x := range f.Series {
				names = append(names, fmt.Sprintf("%s%s@%d", f.Name, x.Labels.Labels()[0].Value, b.Times[0]))
			}
		}
	}
	return names
}

func TestSeriesOverTheLimitAreLeftOut(t *testing.T) {
	f := func(latest bool, limit int, want []string, tooMany int, frames ...[]messages.Block) {
		t.Helper()
		var s seriesCount
		var kept []messages.Block
		left := 0
		for _, blocks := range frames {
			some, more := s.admit(blocks, limit, latest)
			for _, b := range some {
				require.NotEmpty(t, b.Families)
				for family := range b.Each() {
					require.NotEmpty(t, family.Series)
				}
			}
			kept = append(kept, some...)
			left += more
		}
		require.Equal(t, want, namesOf(kept))
		require.Equal(t, tooMany, left)
	}
	type frame = []messages.Block
	f(true, 3, []string{"a1@1", "a2@1", "b1@1"}, 0, frame{seriesBlock(1, "a1", "a2", "b1")})
	f(true, 2, []string{"a1@1", "a2@1"}, 1, frame{seriesBlock(1, "a1", "a2", "b1")})
	f(true, 2, []string{"a1@1", "b1@2"}, 2, frame{seriesBlock(1, "a1")}, frame{seriesBlock(2, "b1", "b2")}, frame{seriesBlock(3, "c1")})
	f(true, 1, []string{"a1@1"}, 1, frame{seriesBlock(1, "a1", "a1")})
	// In a window the same series comes again.
	f(false, 2, []string{"a1@1", "a2@1", "a1@2", "a2@2"}, 2, frame{seriesBlock(1, "a1", "a2", "b1")}, frame{seriesBlock(2, "a1", "a2", "b1")})
	f(false, 2, []string{"a1@1", "b1@1", "b1@2"}, 1, frame{seriesBlock(1, "a1", "b1"), seriesBlock(2, "a2", "b1")})
	f(false, 3, []string{"a1@1", "a1@2", "b1@2"}, 0, frame{seriesBlock(1, "a1"), seriesBlock(2, "a1", "b1")})
}

func TestSuffixesAreSeriesOfTheirOwn(t *testing.T) {
	var s seriesCount
	b := seriesBlock(1, "a1", "a1")
	b.Families[0].Series[1].Suffix = messages.SuffixSum
	_, tooMany := s.admit([]messages.Block{b}, 1, false)
	require.Equal(t, 1, tooMany)
}

// Families that answers share are not changed if series of one of the answers are dropped.
func TestSharedSeriesOverTheLimit(t *testing.T) {
	shape := messages.NewDescriptor("a", messages.TypeGauge, "", []messages.Series{{Labels: `l="1"`}, {Labels: `l="2"`}})
	var f messages.Family
	f.SetDescriptor(shape)
	b := messages.Block{Times: []int64{1}, Families: []messages.Family{f, f}, Values: []float64{1, 2, 3, 4}}
	shared := b.Families
	var s seriesCount
	kept, tooMany := s.admit([]messages.Block{b}, 3, true)
	require.Equal(t, 1, tooMany)
	require.Equal(t, []string{"a1@1", "a2@1", "a1@1"}, namesOf(kept))
	require.Equal(t, []float64{3}, kept[0].Families[1].Series[0].Values)
	require.Equal(t, []messages.Series{{Labels: `l="1"`}, {Labels: `l="2"`}}, shape.Series)
	require.Equal(t, []messages.Family{f, f}, shared)
}

// Times of scrapes are no series, and stay where they are among the blocks.
func TestScrapeTimesAreNoSeries(t *testing.T) {
	times := func(at int64) messages.Block { return messages.Block{Target: "agent", Times: []int64{at}} }
	var s seriesCount
	kept, tooMany := s.admit([]messages.Block{times(1), seriesBlock(2, "b1"), times(3), seriesBlock(4, "a1", "b1", "b2"), seriesBlock(5, "c1"), times(6)}, 2, false)
	require.Equal(t, 2, tooMany)
	require.Equal(t, []string{"b1@2", "a1@4", "b1@4"}, namesOf(kept))
	var at []int64
	for _, b := range kept {
		at = append(at, b.Times...)
	}
	require.Equal(t, []int64{1, 2, 3, 4, 6}, at)
}
