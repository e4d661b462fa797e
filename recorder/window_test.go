package recorder

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

func TestEachValueKeepsItsOwnTime(t *testing.T) {
	w := NewWindow(Limits{chunkScrapes: 4})
	scrape(t, w, 0, "always 0\nvanishes 10\n")
	scrape(t, w, 1, "always 1\nvanishes 11\n")
	scrape(t, w, 2, "always 2\nlate 22\n")
	scrape(t, w, 3, "always 3\nlate 23\n")
	scrape(t, w, 4, "always 4\n") // the second chunk
	fail(w, 5)
	scrape(t, w, 6, "always 6\nlate 26\nvanishes 16\n")

	all := drain(w.Snapshot(everything))
	require.Equal(t, []string{"0:0", "1:1", "2:2", "3:3", "4:4", "6:6"}, samplesOf(all, "always{}"))
	require.Equal(t, []string{"0:10", "1:11", "6:16"}, samplesOf(all, "vanishes{}"))
	require.Equal(t, []string{"2:22", "3:23", "6:26"}, samplesOf(all, "late{}"))
	require.Equal(t, []string{"always{} 6", "late{} 26", "vanishes{} 16"}, latest(w))
}

func TestLatestIsTheNewestScrape(t *testing.T) {
	w := NewWindow(Limits{})
	require.Empty(t, latest(w))
	scrape(t, w, 0, "a 1\nb 2\n")
	scrape(t, w, 1, "b 3\nc 4\n")
	require.Equal(t, []string{"b{} 3", "c{} 4"}, latest(w))
	require.Equal(t, []string{"c{} 4"}, latest(w, "c", "a", "none"))
	require.Empty(t, latest(w, "none"))

	up := Sample{Name: "fodc_node_up", Type: messages.TypeGauge, Help: "Whether it answers.", Value: 0}
	w.Append(node, Scrape{At: at(2), Samples: []Sample{up}})
	require.Equal(t, []string{"fodc_node_up{} 0"}, latest(w))
	fail(w, 3)
	require.Empty(t, latest(w))
	require.Equal(t, []string{"0:2", "1:3"}, samplesOf(drain(w.Snapshot(everything)), "b{}"))
}

func TestLatestOfSeveralTargets(t *testing.T) {
	w := NewWindow(Limits{})
	hot := Target{Name: "hot", Labels: []messages.Label{{Name: "container_name", Value: "hot"}}}
	w.Append(hot, Scrape{At: at(1), Page: textPage(t, "a 1\n")})
	w.Append(Target{Name: "agent"}, Scrape{At: at(2), Samples: []Sample{{Name: "r", Value: 5}}})
	w.Append(hot, Scrape{At: at(4), Page: textPage(t, "a 2\n")})
	blocks := drain(w.Snapshot(messages.Selection{}))
	require.Len(t, blocks, 2)
	require.Equal(t, []int64{ms(2)}, blocks[0].Times)
	require.Equal(t, []int64{ms(4)}, blocks[1].Times)
	require.Equal(t, []string{"r{}", `a{container_name="hot"}`}, sampleNames(blocks))
}

func TestUnusablePageIsAFailedScrape(t *testing.T) {
	w := NewWindow(Limits{})
	scrape(t, w, 0, "a 1\n")
	var p Page
	p.Parse([]byte("<html>"), "text/html", ParseLimits{})
	require.Error(t, p.Err())
	require.Equal(t, AppendResult{}, w.Append(node, Scrape{At: at(1), Page: &p}))
	require.Empty(t, latest(w))
}

func TestClockSetBack(t *testing.T) {
	w := NewWindow(Limits{})
	scrape(t, w, 360, "a 1\n")
	scrape(t, w, 361, "a 2\n")
	scrape(t, w, 1, "a 3\n")
	scrape(t, w, 1, "a 4\n") // The clock stands still.
	scrape(t, w, 2, "a 5\n")
	require.Equal(t, []string{"a{} 5"}, latest(w))
	require.Equal(t, []string{"360:1", "361:2", "1:3", "1:4", "2:5"}, samplesOf(drain(w.Snapshot(everything)), "a{}"))
	require.Equal(t, []string{"1:3", "1:4"}, samplesOf(drain(w.Snapshot(between(at(0), at(1)))), "a{}"))
	require.Equal(t, 3600*time.Second, w.Stats().Span())
}

func TestRangeBounds(t *testing.T) {
	w := NewWindow(Limits{chunkScrapes: 3})
	for n := range 8 {
		scrape(t, w, n, "a 1\n")
	}
	f := func(from, to time.Time, want ...string) {
		t.Helper()
		require.Equal(t, want, samplesOf(drain(w.Snapshot(between(from, to))), "a{}"))
	}
	f(at(2), at(4), "2:1", "3:1", "4:1")
	f(at(2).Add(1), at(4).Add(-1), "3:1")
	f(at(2).Add(-1), at(4).Add(1), "2:1", "3:1", "4:1")
	f(at(6), time.Time{}, "6:1", "7:1")
	f(time.Time{}, at(1), "0:1", "1:1")
	f(at(8), time.Time{})
	f(time.Time{}, at(-1))
	f(at(4), at(2))
	f(at(4).Add(time.Second), at(5).Add(-time.Second))
	f(time.Unix(1<<40, 0), time.Time{})
}

// Series without a sample in the range are left out, and scrapes at its ends.
func TestRangeIsCut(t *testing.T) {
	w := NewWindow(Limits{})
	fail(w, 0)
	scrape(t, w, 1, "a 1\n")
	fail(w, 2)
	scrape(t, w, 3, "a 3\n")
	scrape(t, w, 4, "b 4\n")
	blocks := drain(w.Snapshot(between(at(0), at(4))))
	require.Len(t, blocks, 1)
	require.Equal(t, []int64{ms(1), ms(2), ms(3), ms(4)}, blocks[0].Times)
	blocks = drain(w.Snapshot(messages.Selection{Names: []string{"a"}, Window: messages.Window{Start: at(0)}}))
	require.Len(t, blocks, 1)
	require.Equal(t, []int64{ms(1), ms(2), ms(3)}, blocks[0].Times)
	require.Equal(t, []string{"a{}"}, sampleNames(blocks))
	require.Equal(t, []string{"b{}"}, sampleNames(drain(w.Snapshot(between(at(4), at(9))))))
	require.Empty(t, drain(w.Snapshot(between(at(2), at(2)))))
}

func TestSamplesOfTheAgent(t *testing.T) {
	w := NewWindow(Limits{})
	target := Target{Name: "t", Labels: []messages.Label{{Name: "container_name", Value: "data"}}}
	own := []Sample{
		{Name: "r", Type: messages.TypeCounter, Help: "h", Labels: []messages.Label{{Name: "z", Value: "1"}, {Name: "b", Value: "x\"y"}}, Value: 1},
		{Name: "r", Type: messages.TypeCounter, Help: "h", Labels: []messages.Label{{Name: "z", Value: "2"}}, Value: math.NaN()},
		{Name: "absent", Value: messages.Gap},
		{Name: "", Value: 1},
		{Name: "twice", Labels: []messages.Label{{Name: "a", Value: "1"}, {Name: "a", Value: "1"}}, Value: 1},
	}
	page := textPage(t, `r{container_name="data",z="2"} 7`)
	done := w.Append(target, Scrape{At: at(0), Page: page, Samples: own})
	require.ErrorContains(t, done.FirstInvalid, "metric name is empty")
	done.FirstInvalid = nil
	require.Equal(t, AppendResult{Samples: 2, NewSeries: 2, Dropped: Dropped{Duplicate: 1, Invalid: 2}}, done)
	require.Equal(t, []string{`r{b="x\"y",container_name="data",z="1"} 1`, `r{container_name="data",z="2"} NaN`}, latest(w))
	require.Equal(t, "z", own[0].Labels[0].Name, "samples are not changed")
}
