package promstore

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The times are those of all blocks, however these overlap.
func TestScrapeTimes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s scrapeTimes
		want := make(map[int64]bool)
		for range rapid.IntRange(0, 6).Draw(t, "blocks") {
			some := make(map[int64]bool)
			for _, at := range rapid.SliceOfN(rapid.Int64Range(0, 30), 1, 10).Draw(t, "times") {
				some[at], want[at] = true, true
			}
			s = s.with(slices.Sorted(maps.Keys(some)), 6)
		}
		s = s.sorted()
		require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Concat(s...))
		from := rapid.Int64Range(-1, 31).Draw(t, "from")
		var place scrapePlace
		place.reset(s, from)
		require.True(t, place.is(s))
		for at := from; at < 32; at += rapid.Int64Range(0, 2).Draw(t, "step") {
			got, ok := place.after(at)
			left := slices.DeleteFunc(slices.Sorted(maps.Keys(want)), func(other int64) bool { return other <= at })
			require.Equal(t, len(left) > 0, ok)
			if ok {
				require.Equal(t, left[0], got)
			}
			if at == 31 {
				break
			}
		}
	})
}

// Times that are there already, or come one behind the other, are not copied.
func TestScrapeTimesAreShared(t *testing.T) {
	f := func(want int, blocks ...[]int64) {
		t.Helper()
		var s scrapeTimes
		for _, b := range blocks {
			s = s.with(b, len(blocks))
		}
		s = s.sorted()
		require.Len(t, s, want)
		for _, part := range s {
			require.True(t, slices.ContainsFunc(blocks, func(b []int64) bool { return &b[0] == &part[0] }))
		}
	}
	f(0)
	f(1, []int64{1, 2}, []int64{1, 2})
	f(2, []int64{3, 4}, []int64{1, 2})
	f(1, []int64{1, 2}, []int64{4}, []int64{1, 2, 3, 4})
	f(2, []int64{1, 2}, []int64{6, 7}, []int64{6, 8, 9}[:1])
}
