package recorder

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

// gauges is a page of n series a{i="from"} and on.
func gauges(from, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a{i=\"%d\"} %d\n", from+i, i)
	}
	return b.String()
}

// noisy is a page of n series like gauges, whose values have many digits and differ in each
// scrape, so that they hardly compress.
func noisy(scrape, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a{i=\"%d\"} %g\n", i, restlessValue(scrape, i))
	}
	return b.String()
}

func restlessValue(scrape, i int) float64 { return 2 + math.Sin(float64(1_000*scrape+i)) }

func TestOldestIsEvicted(t *testing.T) {
	const limit = 200 << 10
	w := NewWindow(Limits{Bytes: limit})
	for n := range 400 {
		scrape(t, w, n, noisy(n, 100))
		require.LessOrEqual(t, w.Stats().Bytes, int64(limit))
	}
	requireConsistent(t, w)
	s := w.Stats()
	require.Equal(t, uint64(400*100), s.Appended)
	require.Equal(t, s.Appended-uint64(s.Samples), s.Evicted)
	require.Greater(t, s.Samples, 100*100, "most of the budget is in use")
	require.Equal(t, at(399), s.Newest)

	kept := samplesOf(drain(w.Snapshot(everything)), `a{i="7"}`)
	require.Len(t, kept, s.Samples/100)
	for i, sample := range kept {
		n := 400 - len(kept) + i
		require.Equal(t, fmt.Sprintf("%d:%g", n, restlessValue(n, 7)), sample)
	}
}

// The oldest chunks are evicted first: those of the target that was not scraped for the
// longest time, which keeps its newest scrape.
func TestEvictionAcrossTargets(t *testing.T) {
	w := NewWindow(Limits{Bytes: 200 << 10})
	quiet := Target{Name: "quiet"}
	for n := range 10 {
		w.Append(quiet, Scrape{At: at(n), Page: textPage(t, gauges(0, 10))})
	}
	for n := 10; n < 400; n++ {
		scrape(t, w, n, noisy(n, 100))
	}
	requireConsistent(t, w)
	require.Equal(t, []string{"9:3"}, samplesOf(drain(w.Snapshot(between(at(0), at(9)))), `a{i="3"}`))
	require.Len(t, latest(w), 110)
}

// Scrapes that are recorded after the clock was set back are not evicted as the oldest.
func TestEvictionIgnoresTheClock(t *testing.T) {
	w := NewWindow(Limits{Bytes: 200 << 10})
	other := Target{Name: "other"}
	for n := 100_000; n < 100_400; n++ {
		scrape(t, w, n, noisy(n, 50))
		w.Append(other, Scrape{At: at(n), Page: textPage(t, noisy(n, 50))})
	}
	for n := range 400 {
		scrape(t, w, n, noisy(n, 50))
	}
	requireConsistent(t, w)
	require.Greater(t, w.Stats().Samples, 50*100)
	newest := fmt.Sprintf("100399:%g", restlessValue(100_399, 7))
	require.Equal(t, []string{newest}, samplesOf(drain(w.Snapshot(between(at(100_000), time.Time{}))), `a{i="7"}`))
}

func TestVanishedSeriesLeave(t *testing.T) {
	w := NewWindow(Limits{Bytes: 300 << 10, chunkScrapes: 10})
	for n := range 2_000 {
		scrape(t, w, n, "stays 1\n"+gauges(n, 3))
		require.Less(t, w.Stats().Series, 1_000)
	}
	requireConsistent(t, w)
	require.Equal(t, uint64(0), w.Stats().DroppedNoRoom)
	require.Equal(t, []string{`a{i="1999"} 0`, `a{i="2000"} 1`, `a{i="2001"} 2`, "stays{} 1"}, latest(w))
	require.Len(t, w.sorted[0].families.byName.entries, 2)
}

// A series that was absent for a long time has no column in a new head.
func TestAbsentSeriesAreNotCarried(t *testing.T) {
	w := NewWindow(Limits{chunkScrapes: 2 * carryScrapes})
	for n := range 2*carryScrapes + 1 {
		page := "stays 1\n"
		if n < carryScrapes-1 {
			page += "short 1\n"
		}
		if n < carryScrapes {
			page += "longer 1\n"
		}
		scrape(t, w, n, page)
	}
	require.Len(t, w.sorted[0].chunks, 1)
	require.Len(t, w.sorted[0].head.columns, 2)
	require.Equal(t, []string{"stays{} 1"}, latest(w))
	requireConsistent(t, w)
}

// A head that outgrows its share is sealed, so that eviction later drops a part of the
// target's samples, not all of them.
func TestLargeHeadIsSealed(t *testing.T) {
	w := NewWindow(Limits{Bytes: 200 << 10})
	for n := range 60 {
		scrape(t, w, n, gauges(0, 100))
	}
	require.NotEmpty(t, w.sorted[0].chunks)
	require.Zero(t, w.Stats().Evicted)
}

// A family without series is removed from the table, and its index is used again.
func TestFamiliesLeave(t *testing.T) {
	w := NewWindow(Limits{Bytes: 100 << 10, chunkScrapes: 10})
	for n := range 1_000 {
		scrape(t, w, n, fmt.Sprintf("# HELP f%d help %d\n# TYPE f%d counter\nf%d 1\n", n, n, n, n))
		require.Equal(t, []string{fmt.Sprintf("f%d{} 1", n)}, latest(w))
	}
	requireConsistent(t, w)
	all := drain(w.Snapshot(everything))
	require.Equal(t, "help 990", family(t, all, "f990").Help)
	require.Less(t, len(w.sorted[0].families.all), 500)
}

func TestSeriesOverTheLimitAreDropped(t *testing.T) {
	w := NewWindow(Limits{Series: 10})
	require.Equal(t, AppendResult{Samples: 8, NewSeries: 8}, scrape(t, w, 0, gauges(0, 8)))
	require.Equal(t, AppendResult{Samples: 10, NewSeries: 2, Dropped: Dropped{SeriesLimit: 90}}, scrape(t, w, 1, gauges(0, 100)))
	require.Equal(t, AppendResult{Samples: 10, Dropped: Dropped{SeriesLimit: 90}}, scrape(t, w, 2, gauges(0, 100)))
	// The known are known under another text, and another metadata, as well.
	require.Equal(t, AppendResult{Samples: 10, Dropped: Dropped{SeriesLimit: 10}}, scrape(t, w, 3, "# TYPE a gauge\n"+strings.ReplaceAll(gauges(0, 20), "{", "{ ")))
	require.Equal(t, uint64(190), w.Stats().DroppedNoRoom)
	require.Equal(t, 10, w.Stats().Series)
	requireConsistent(t, w)
}

// Series over their share of the memory are dropped, so that there is memory for samples.
func TestSeriesOverTheirShareAreDropped(t *testing.T) {
	const limit = 100 << 10
	w := NewWindow(Limits{Bytes: limit})
	for n := range 50 {
		done := scrape(t, w, n, gauges(0, 1_000))
		require.Equal(t, 1_000, done.Samples+done.Dropped.MemoryLimit)
		require.Greater(t, done.Dropped.MemoryLimit, 800)
		require.Zero(t, done.Dropped.SeriesLimit)
		require.Greater(t, done.Samples, 50)
		require.LessOrEqual(t, w.Stats().Bytes, int64(limit))
	}
	require.Greater(t, w.Stats().Samples, 500, "the rest is for samples")
	requireConsistent(t, w)
}

// A label explosion does not evict the samples that were recorded before it.
func TestExplosion(t *testing.T) {
	const limit = 300 << 10
	w := NewWindow(Limits{Bytes: limit})
	for n := range 100 {
		page := gauges(0, 20)
		if n >= 50 {
			page += gauges(1000*n, 1000)
		}
		done := scrape(t, w, n, page)
		require.GreaterOrEqual(t, done.Samples, 20)
		require.LessOrEqual(t, w.Stats().Bytes, int64(limit))
	}
	requireConsistent(t, w)
	require.NotZero(t, w.Stats().DroppedNoRoom)
	require.Len(t, samplesOf(drain(w.Snapshot(messages.Selection{})), `a{i="7"}`), 1)
}

// The heads of many targets are within the limit together.
func TestManyTargetsShareTheBudget(t *testing.T) {
	const limit = 400 << 10
	w := NewWindow(Limits{Bytes: limit})
	page := textPage(t, gauges(0, 20))
	for n := range 300 {
		for i := range 20 {
			w.Append(Target{Name: fmt.Sprint(i)}, Scrape{At: at(n), Page: page})
			require.LessOrEqual(t, w.Stats().Bytes, int64(limit))
		}
	}
	requireConsistent(t, w)
	require.Len(t, latest(w), 20*20)
	require.Greater(t, w.Stats().Samples, 20*20*20)
}

// A window without memory for any series drops all samples, and keeps its newest scrape.
func TestNoRoom(t *testing.T) {
	w := NewWindow(Limits{Bytes: 1})
	for n := range 3 {
		require.Equal(t, AppendResult{Dropped: Dropped{MemoryLimit: 5}}, scrape(t, w, n, gauges(0, 5)))
	}
	require.Empty(t, latest(w))
	require.Equal(t, at(2), w.Stats().Oldest)
	requireConsistent(t, w)
}
