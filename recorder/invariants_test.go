package recorder

import (
	"slices"

	"github.com/stretchr/testify/require"
)

// requireConsistent checks that the window's books agree with what it holds.
func requireConsistent(t require.TestingT, w *Window) {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	var total, samples int
	var fixed, segments int64
	require.Len(t, w.order, len(w.targets))
	for _, tg := range w.order {
		fixed += tg.meta.bytes
		columns := make(map[*series]int)
		for i, g := range tg.segments {
			require.NotEmpty(t, g.times)
			require.True(t, slices.IsSorted(g.times))
			require.LessOrEqual(t, len(g.times), g.rows)
			segments += g.bytes
			held := 0
			for _, c := range g.columns {
				columns[c.series]++
				held += c.samples()
				require.LessOrEqual(t, c.next(), len(g.times))
				require.Equal(t, i == len(tg.segments)-1, c.series.column == c)
			}
			require.Equal(t, g.samples, held)
			samples += held
			require.True(t, slices.IsSortedFunc(g.columns[:g.sorted], func(a, b *column) int {
				return compareSeries(a.series, b.series)
			}))
		}
		spellings, families := 0, make(map[int]int)
		require.Len(t, tg.series, len(columns))
		for key, s := range tg.series {
			require.Equal(t, key, s.seriesKey)
			require.Equal(t, columns[s], s.columns)
			require.Equal(t, key.name, tg.families.all[s.family].name)
			for _, raw := range s.spellings {
				require.Same(t, s, tg.spellings[raw])
			}
			spellings += len(s.spellings)
			families[s.family]++
			fixed += s.size()
		}
		require.Len(t, tg.spellings, spellings)
		require.Len(t, tg.families.byName, len(families))
		for i, n := range families {
			require.Equal(t, n, tg.families.series[i])
		}
		require.Len(t, tg.families.all, len(families)+len(tg.families.free))
		total += len(tg.series)
	}
	require.Equal(t, total, w.seriesCount)
	require.Equal(t, samples, w.samples)
	require.Equal(t, fixed, w.fixedBytes)
	require.Equal(t, segments, w.segmentBytes)
	require.Equal(t, w.counts.appended-w.counts.evicted, uint64(w.samples))
}
