package recorder

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Scrapes give the same blocks whether they are in rows or in the head of a window.
func TestRowsAreAsAWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SampledFrom([][]string{nil, {"a", "h"}, {"none"}}).Draw(t, "names")
		wanted := func(family string) bool {
			return names == nil || family == names[0] || family == names[len(names)-1]
		}
		r, known := Rows{}, make(map[SeriesKey]int32)
		if rapid.Bool().Draw(t, "scrape times") {
			r = Rows{Target: "node"}
		}
		var keys []SeriesKey
		var familyOf []int32
		var families []Family
		batches := NewWindow(Limits{})
		for range rapid.IntRange(1, 3).Draw(t, "parts") {
			w := NewWindow(Limits{})
			for _, a := range drawNode(t) {
				_, b := batches.AppendBatch(Target{Name: "node"}, a.s)
				if !r.Accepts(b.At) {
					continue
				}
				w.ReplayBatch(b)
				var ids []int32
				for i, k := range b.Series.Keys {
					f := b.Series.Families[b.Series.FamilyOf[i]]
					at := slices.IndexFunc(families, func(other Family) bool { return other.Name == f.Name })
					if at < 0 {
						at, families = len(families), append(families, f)
					}
					families[at] = f
					if _, defined := known[k]; !defined {
						known[k] = int32(len(keys))
						keys, familyOf = append(keys, k), append(familyOf, int32(at))
					}
					ids = append(ids, known[k])
				}
				r.Define(keys, familyOf, wanted)
				r.Append(b.At, ids, b.Values)
			}
			sel := everything
			sel.Names, sel.ScrapeTimes = names, r.Target != ""
			require.Equal(t, fmt.Sprint(drain(w.SnapshotBeside(sel))), fmt.Sprint(drain(r.Snapshot(families))))
			r.Reset()
			require.Zero(t, r.Bytes())
		}
	})
}

// A scrape that a block has no room for, or whose time does not ascend, is for the next rows.
func TestRowsAccept(t *testing.T) {
	var r Rows
	r.Define([]SeriesKey{{Name: "a"}}, []int32{0}, func(string) bool { return true })
	for n := range defaultChunkScrapes {
		require.True(t, r.Accepts(ms(n)))
		r.Append(ms(n), []int32{0}, []float64{float64(n)})
		require.False(t, r.Accepts(ms(n)))
		require.False(t, r.Accepts(ms(n-1)))
	}
	require.False(t, r.Accepts(ms(defaultChunkScrapes)))
	r.Reset()
	require.True(t, r.Accepts(ms(0)))
	require.Empty(t, drain(r.Snapshot(nil)))
	r.Append(ms(0), nil, nil)
	require.Empty(t, drain(r.Snapshot([]Family{{Name: "a"}})), "no sample")
}
