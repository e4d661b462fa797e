package recorder

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"fodc/messages"
)

func withTimes(sel messages.Selection) messages.Selection {
	sel.ScrapeTimes = true
	return sel
}

func seriesOnly(sel messages.Selection) messages.Selection {
	sel.SeriesOnly = true
	return sel
}

// scrapesOf returns the times of all scrapes by target, as numbers of scrapes, in order, and the blocks that have
// families.
func scrapesOf(t require.TestingT, blocks []messages.Block) (scrapes map[string][]float64, samples []messages.Block) {
	scrapes = make(map[string][]float64)
	for _, b := range blocks {
		require.NotEmpty(t, b.Target)
		if len(b.Families) > 0 {
			samples = append(samples, b)
		}
		require.NotEmpty(t, b.Times)
		for i, at := range b.Times {
			require.True(t, i == 0 || b.Times[i-1] < at)
			scrapes[b.Target] = append(scrapes[b.Target], float64(at-ms(0))/10_000)
		}
	}
	for target, of := range scrapes {
		slices.Sort(of)
		scrapes[target] = slices.Compact(of)
	}
	return scrapes, samples
}

// The times of all scrapes are there, over the bounds of chunks, whatever the scrapes have recorded.
func TestScrapeTimes(t *testing.T) {
	w := NewWindow(Limits{chunkScrapes: 3})
	for n := range 8 {
		w.Append(Target{Name: "other"}, Scrape{At: at(n).Add(5 * time.Second), Samples: []Sample{{Name: "up", Value: 1}}})
		switch {
		case n == 3 || n == 7:
			fail(w, n)
		case n < 5:
			scrape(t, w, n, "a 1\nb 1\n")
		default:
			scrape(t, w, n, "a 1\n")
		}
	}
	f := func(sel messages.Selection, node, other []float64, b []string) {
		t.Helper()
		scrapes, samples := scrapesOf(t, drain(w.SnapshotBeside(withTimes(sel))))
		require.Equal(t, map[string][]float64{"node": node, "other": other}, scrapes)
		alone, _ := scrapesOf(t, drain(w.Snapshot(withTimes(sel))))
		switch {
		case len(sel.Names) == 0 || sel.Names[0] == messages.FamilyUp:
		case b == nil:
			clear(scrapes)
		default:
			delete(scrapes, "other")
		}
		require.Equal(t, scrapes, alone, "of the targets that have something of it")
		require.Equal(t, b, samplesOf(samples, "b{}"))
		plain := drain(w.Snapshot(sel))
		for i := range samples {
			require.Equal(t, plain[i].Target, "")
			plain[i].Target = samples[i].Target
		}
		require.Equal(t, fmt.Sprint(plain), fmt.Sprint(samples), "the samples are the same")
	}
	all := []float64{0, 1, 2, 3, 4, 5, 6, 7}
	half := []float64{.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5}
	f(everything, all, half, []string{"0:1", "1:1", "2:1", "4:1"})
	f(between(at(2), at(5)), all[2:6], half[2:5], []string{"2:1", "4:1"})
	f(between(at(6), at(9)), all[6:], half[6:], nil)
	none := everything
	none.Names = []string{"none"}
	f(none, all, half, nil)
	none.Names = []string{messages.FamilyUp}
	f(none, all, half, nil)
	none.Names = []string{"b"}
	f(none, all, half, []string{"0:1", "1:1", "2:1", "4:1"})

	require.Empty(t, drain(w.Snapshot(withTimes(between(at(20), at(30))))))
	require.Empty(t, drain(w.Snapshot(withTimes(between(at(5), at(2))))))
	require.Equal(t, drain(w.Snapshot(messages.Selection{})), drain(w.Snapshot(seriesOnly(withTimes(messages.Selection{})))), "the latest are what they are")
}

// A clock that is set back begins a new block.
func TestScrapeTimesThatStepBack(t *testing.T) {
	w := NewWindow(Limits{})
	for _, n := range []int{4, 5, 2, 3, 4, 4} {
		scrape(t, w, n, "a 1\n")
	}
	var times [][]float64
	for _, b := range drain(w.Snapshot(withTimes(between(at(3), at(4))))) {
		scrapes, _ := scrapesOf(t, []messages.Block{b})
		times = append(times, scrapes["node"])
	}
	require.Equal(t, [][]float64{{4}, {3, 4}, {4}}, times)
}

// Times that do not fit the budget are in several batches.
func TestScrapeTimesAreWithinTheBudget(t *testing.T) {
	w := NewWindow(Limits{chunkScrapes: 4})
	for n := range 50 {
		scrape(t, w, n, "a 1\n")
	}
	none := everything
	none.Names = []string{"none"}
	for _, sel := range []messages.Selection{everything, none} {
		for _, budget := range []int{-1, 0, 40, 100, 1000} {
			s, next := w.SnapshotBeside(withTimes(sel)), 0.
			for batch := s.Next(budget); batch != nil; batch = s.Next(budget) {
				scrapes, samples := scrapesOf(t, batch)
				require.True(t, encodedBytes(batch) <= budget || len(scrapes["node"]) == 1 || len(samples) == 1 && len(batch) == 1)
				for _, n := range scrapes["node"] {
					require.Equal(t, next, n)
					next++
				}
			}
			require.EqualValues(t, 50, next)
		}
	}
}

// Each series comes once, of each target, if it has a sample about then.
func TestSeriesOnly(t *testing.T) {
	w := NewWindow(Limits{chunkScrapes: 4})
	w.Append(Target{Name: "other"}, Scrape{At: at(1), Samples: []Sample{{Name: "a", Value: 1}}})
	for n := range 12 { // in chunks of 4, and the last ones in the head
		body := "a{x=\"1\"} 7\nb 1\n"
		switch {
		case n < 4:
			body += "old 1\n"
		case n < 8:
			body = "a{x=\"2\"} 1\n# TYPE h histogram\nh_count 1\nh_bucket{le=\"1\"} 1\n" + body
		case n == 8:
			body += "first 1\n"
		case n == 11:
			fail(w, n)
			continue
		}
		scrape(t, w, n, body)
	}
	f := func(sel messages.Selection, newest int, want ...string) {
		t.Helper()
		var got []string
		for _, b := range drain(w.Snapshot(seriesOnly(withTimes(sel)))) {
			if len(b.Families) == 0 {
				continue
			}
			requireWellFormed(t, b)
			require.Len(t, b.Times, 1)
			if b.Target == "node" {
				require.Equal(t, ms(newest), b.Times[0])
				got = append(got, sampleNames([]messages.Block{b})...)
			}
			for family := range b.Each() {
				for _, s := range family.Series {
					require.Equal(t, []float64{0}, s.Values)
				}
			}
		}
		require.Equal(t, want, got)
	}
	h := []string{`h_bucket{le="1"}`, `h_count{}`}
	f(everything, 11, append([]string{`a{x="1"}`, `a{x="2"}`, `b{}`, `first{}`}, append(h, `old{}`)...)...)
	f(between(at(5), at(6)), 6, append([]string{`a{x="1"}`, `a{x="2"}`, `b{}`}, h...)...)
	f(between(at(6), at(8)), 8, append([]string{`a{x="1"}`, `a{x="2"}`, `b{}`, `first{}`}, h...)...)
	f(between(at(9), at(10)), 10, `a{x="1"}`, `b{}`)
	f(between(at(11), at(11)), 11)
	f(between(at(20), at(30)), 0)
	some := between(at(0), at(5))
	some.Names = []string{"h", "old", "none"}
	f(some, 5, append(h, `old{}`)...)
	some.Names = []string{"none"}
	f(some, 0)
}

// The series are those of the samples, and those of their chunks at most.
func TestSeriesOnlyModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := NewWindow(Limits{chunkScrapes: rapid.IntRange(1, 6).Draw(t, "scrapes")})
		m, clock := make(naive), epoch
		for range rapid.IntRange(1, 25).Draw(t, "scrapes") {
			m.record(t, w, &clock)
		}
		bounds := drawBounds(t)
		budget := rapid.SampledFrom([]int{0, 300, math.MaxInt}).Draw(t, "budget")
		sel := withTimes(messages.Selection{Window: bounds, Names: rapid.SampledFrom([][]string{nil, nil, {"a", "h"}}).Draw(t, "names")})

		var blocks []messages.Block
		s := w.SnapshotBeside(sel)
		for batch := unshared(s.Next(budget)); batch != nil; batch = unshared(s.Next(budget)) {
			blocks = append(blocks, batch...)
		}
		scrapes, samples := scrapesOf(t, blocks)
		want := make(map[string][]float64)
		for name, all := range m {
			for _, one := range all {
				if within(bounds, one) {
					want[name] = append(want[name], float64(one.at.UnixMilli()-ms(0))/10_000)
				}
			}
		}
		for name, times := range want {
			slices.Sort(times)
			want[name] = slices.Compact(times)
		}
		require.Equal(t, want, scrapes)

		found := make(map[string]int)
		s = w.Snapshot(seriesOnly(sel))
		for batch := unshared(s.Next(budget)); batch != nil; batch = unshared(s.Next(budget)) {
			_, some := scrapesOf(t, batch)
			for _, b := range some {
				require.Contains(t, want[b.Target], float64(b.Times[0]-ms(0))/10_000)
				for _, name := range sampleNames([]messages.Block{b}) {
					found[b.Target+" "+name]++
				}
			}
		}
		for _, n := range found {
			require.Equal(t, 1, n)
		}
		for _, b := range samples {
			for _, name := range sampleNames([]messages.Block{b}) {
				require.Contains(t, found, b.Target+" "+name)
			}
		}
		if w.limits.chunkScrapes == 1 {
			exact := make(map[string]int)
			for _, b := range samples {
				for _, name := range sampleNames([]messages.Block{b}) {
					exact[b.Target+" "+name] = 1
				}
			}
			require.Equal(t, exact, found)
		}
	})
}

func TestMergeSeries(t *testing.T) {
	all := make([]*series, 6)
	for i := range all {
		all[i] = newSeries(SeriesKey{Name: fmt.Sprint(i)}, 0)
	}
	f := func(want []int, lists ...[]int) {
		t.Helper()
		of := func(ids []int) (list []*series) {
			for _, id := range ids {
				list = append(list, all[id])
			}
			return slices.Clip(list)
		}
		c := &seriesCursor{view: &targetView{}}
		for _, ids := range lists {
			c.lists = append(c.lists, of(ids))
		}
		require.Equal(t, len(want), c.left())
		require.Equal(t, of(want), c.merged)
	}
	f(nil)
	f(nil, nil, nil)
	f([]int{1, 2}, []int{1, 2}, nil, []int{1, 2})
	f([]int{0, 1, 2, 3, 4, 5}, []int{0, 2, 4}, []int{1, 3, 5})
	f([]int{0, 1, 2, 3, 4}, []int{0, 1, 2}, []int{2, 3, 4}, []int{1})
	f([]int{0, 5}, []int{5}, []int{0})
}
