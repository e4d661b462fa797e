package recorder

import (
	"slices"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder/codec"
)

// requireConsistent checks that the books of a window agree with what it holds, if nothing
// was replayed into it.
func requireConsistent(t require.TestingT, w *Window) {
	requireBooks(t, w)
	require.Equal(t, w.counts.appended-w.counts.evicted, uint64(w.samples))
}

// requireBooks is requireConsistent without the counters.
func requireBooks(t require.TestingT, w *Window) {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	var total, samples int
	var bytes int64
	require.Len(t, w.sorted, len(w.targets))
	for _, tg := range w.sorted {
		refs := make(map[*series]int)
		var lists []*seriesList
		for _, g := range tg.chunks {
			require.Equal(t, g.samples, chunkSamples(t, g))
			samples += g.samples
			bytes += g.bytes
			for _, s := range g.list.all {
				refs[s]++
			}
			if !slices.Contains(lists, g.list) {
				lists = append(lists, g.list)
				bytes += g.list.bytes()
			}
		}
		samples += headSamples(t, tg.head)
		bytes += tg.head.bytes
		for _, c := range tg.head.columns {
			refs[c.series]++
		}
		requireSeries(t, tg, refs)
		total += len(tg.series.entries)
	}
	require.Equal(t, total, w.seriesCount)
	require.Equal(t, samples, w.samples)
	require.Equal(t, bytes, w.sampleBytes)
}

func chunkSamples(t require.TestingT, g *chunk) (samples int) {
	requireTimes(t, g.times)
	require.True(t, slices.IsSortedFunc(g.list.all, compareSeries))
	require.Equal(t, sizeOf(cap(g.data))+sizeOf(cap(g.times)*timeBytes)+sizeOf(cap(g.marks)*markBytes)+chunkBytes, g.bytes)
	values := make([]float64, len(g.times))
	c := newChunkCursor(g, []columnRange{{0, len(g.list.all)}})
	for ; c.left() > 0; c.advance() {
		_, end := c.read(values, 0)
		if end <= 0 {
			require.Positive(t, end, "a column has a value")
		}
		samples += presentIn(values)
	}
	require.Equal(t, c.index, len(g.list.all)-1)
	require.Equal(t, len(g.data)-codec.ReadPadding, c.end)
	return samples
}

func headSamples(t require.TestingT, h *head) (samples int) {
	requireTimes(t, h.times)
	require.LessOrEqual(t, len(h.times), h.capacity)
	for _, c := range h.columns {
		samples += presentIn(c.values)
		if c.next() > len(h.times) {
			require.LessOrEqual(t, c.next(), len(h.times))
		}
		requireSame(t, c, c.series.column)
	}
	require.Equal(t, h.samples, samples)
	require.True(t, slices.IsSortedFunc(h.columns[:h.sorted], func(a, b *column) int {
		return compareSeries(a.series, b.series)
	}))
	return samples
}

func requireTimes(t require.TestingT, times []int64) {
	require.NotEmpty(t, times)
	for i := 1; i < len(times); i++ {
		if times[i-1] >= times[i] {
			require.Less(t, times[i-1], times[i])
		}
	}
}

// requireSame asks testify only of what differs: for each series of thousands of windows that is what takes the time.
func requireSame[T comparable](t require.TestingT, want, got T, say ...any) {
	if want != got {
		require.Equal(t, want, got, say...)
		require.Fail(t, "not the same", say...) // Equal values at two addresses.
	}
}

func presentIn(values []float64) (n int) {
	for _, v := range values {
		if !messages.IsGap(v) {
			n++
		}
	}
	return n
}

// requireSeries checks the series of a target against the columns that there are.
func requireSeries(t require.TestingT, tg *target, refs map[*series]int) {
	for _, s := range tg.byPosition {
		if s != nil {
			requireSame(t, s, tg.series.entries[s.SeriesKey], "a series that is gone is found by its position")
		}
	}
	rawTexts, families := 0, make(map[int]int)
	var bytes, texts int64
	require.Len(t, tg.series.entries, len(refs))
	for key, s := range tg.series.entries {
		requireSame(t, key, s.SeriesKey)
		requireSame(t, refs[s], s.refs)
		requireSame(t, key.Name, tg.families.all[s.family].Name)
		for _, raw := range s.rawTexts {
			requireSame(t, s, tg.cache.entries[raw])
		}
		rawTexts += len(s.rawTexts)
		families[s.family]++
		bytes += s.bytes()
	}
	require.Len(t, tg.cache.entries, rawTexts)
	require.Equal(t, bytes, tg.seriesBytes)
	require.Len(t, tg.families.byName.entries, len(families))
	for i, n := range families {
		requireSame(t, n, tg.families.seriesCounts[i])
	}
	require.Len(t, tg.families.all, len(families)+len(tg.families.free))
	for _, f := range tg.families.all {
		texts += sizeOf(len(f.Name)) + sizeOf(len(f.Help))
	}
	require.Equal(t, texts, tg.families.textBytes)
}
