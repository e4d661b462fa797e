package recorder

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"fodc/messages"
	"fodc/recorder/recordertest"
)

// aScrape is what a node did at one moment.
type aScrape struct {
	of Target
	s  Scrape
}

// drawNode draws successive scrapes of two targets: their series, families and processes come
// and go, they fail, and the clock is set back.
func drawNode(t *rapid.T) (all []aScrape) {
	clock := epoch
	for n := range rapid.IntRange(1, 30).Draw(t, "scrapes") {
		name := rapid.SampledFrom([]string{"one", "two"}).Draw(t, "target")
		of := Target{Name: name, Labels: []messages.Label{{Name: "target", Value: name}}}
		step := rapid.SampledFrom([]int{10_000_000, 10_000_000, 10_000_000, 15_000_001, 3_000, 0, -25_000_000, -3_600_000_000}).Draw(t, "step")
		clock = clock.Add(time.Duration(step) * time.Microsecond)
		s := Scrape{At: clock, Samples: []Sample{{Name: "up", Type: messages.TypeGauge, Help: "Up.", Value: float64(n)}}}
		switch rapid.IntRange(0, 9).Draw(t, "fails") {
		case 0, 1:
			s.Failure = rapid.SampledFrom([]string{"timeout", strings.Repeat("é", maxDetailBytes)}).Draw(t, "why")
		case 2:
			s.Page = &Page{}
			s.Page.Parse([]byte("<html>"), textType, ParseLimits{})
		default:
			s.Page = &Page{}
			s.Page.Parse([]byte(drawPage(t)+drawStart(t)), textType, ParseLimits{})
			require.NoError(t, s.Page.Err())
		}
		all = append(all, aScrape{of, s})
	}
	return all
}

func drawStart(t *rapid.T) string {
	text := "# TYPE h histogram\nh_bucket{le=\"10\"} 1\nh_bucket{le=\"9\"} 1\nh_count 1\nup 7\n"
	if start := rapid.SampledFrom([]int{0, 1_000, 1_001, 2_000, 3_000}).Draw(t, "start"); start > 0 {
		text += fmt.Sprintf("process_start_time_seconds %d\n", start)
	}
	return text
}

// continued returns a window to which the first scrapes are replayed as those of a former
// process, the next as those of another window of this process, and the rest is appended.
func continued(t require.TestingT, l Limits, all []aScrape, past, meanwhile int) *Window {
	former, other, w := NewWindow(l), NewWindow(l), NewWindow(l)
	known := newReplayed()
	for i, a := range all {
		switch {
		case i < past:
			_, b := former.AppendBatch(a.of, a.s)
			w.Replay(known.past(b, b.Number-int64(past)))
		case i < past+meanwhile:
			_, b := other.AppendBatch(a.of, a.s)
			w.ReplayBatch(b)
		default:
			if i == past+meanwhile {
				w.TakeCounters(other)
			}
			before := w.Stats().Appended
			done, b := w.AppendBatch(a.of, a.s)
			require.Len(t, samplesOfBatch(t, b), done.Samples)
			require.Zero(t, done.Dropped.NoRoom())
			require.Equal(t, before+uint64(done.Samples), w.Stats().Appended)
		}
		requireBooks(t, w)
		require.LessOrEqual(t, w.Stats().Bytes, w.limits.Bytes)
	}
	return w
}

// replayed makes the series of batches that are replayed, by family.
type replayed struct {
	series   map[string]map[SeriesKey]*PastSeries
	families map[string]Family
}

func newReplayed() *replayed {
	return &replayed{make(map[string]map[SeriesKey]*PastSeries), make(map[string]Family)}
}

func (r *replayed) past(b *Batch, number int64) Past {
	p := Past{Number: number, Target: b.Target, At: b.At, Failure: b.Failure, Values: b.Values}
	for i, k := range b.Series.Keys {
		f := b.Series.Families[b.Series.FamilyOf[i]]
		family := fmt.Sprint(b.Target, " ", f.Name)
		if r.families[family] != f {
			r.families[family] = f
			r.series[family] = make(map[SeriesKey]*PastSeries)
		}
		if r.series[family][k] == nil {
			r.series[family][k] = NewPastSeries(k, f)
		}
		p.Series = append(p.Series, r.series[family][k])
	}
	return p
}

// A window with a past is as if the process had never ended.
func TestReplay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := drawNode(t)
		l := Limits{chunkScrapes: rapid.IntRange(1, 6).Draw(t, "chunk")}
		past := rapid.IntRange(0, len(all)).Draw(t, "past")
		meanwhile := rapid.IntRange(0, len(all)-past).Draw(t, "meanwhile")
		without := NewWindow(l)
		for _, a := range all {
			without.Append(a.of, a.s)
		}
		w := continued(t, l, all, past, meanwhile)

		sel := messages.Selection{Window: drawBounds(t), Names: rapid.SampledFrom([][]string{nil, {"a", "h"}}).Draw(t, "names")}
		for name, t := range without.targets { // The latest are those of this process.
			t.head.newestAppend = w.targets[name].head.newestAppend
		}
		for _, sel := range []messages.Selection{{}, everything, sel, {Names: sel.Names}} {
			require.Equal(t, fmt.Sprint(drain(without.Snapshot(sel))), fmt.Sprint(drain(w.Snapshot(sel))))
		}
		require.Equal(t, without.Events(), w.Events())
		held := without.Held()
		for i := range held {
			held[i].Oldest -= int64(past)
		}
		require.Equal(t, held, w.Held())
		require.Equal(t, without.sampleBytes, w.sampleBytes)
		require.Equal(t, withoutCounters(without), withoutCounters(w))
	})
}

// withoutCounters is the state that does not depend on which pages the process saw itself.
func withoutCounters(w *Window) Stats {
	s := w.Stats()
	return Stats{Oldest: s.Oldest, Newest: s.Newest, Series: s.Series, LimitSeries: s.LimitSeries, Samples: s.Samples, LimitBytes: s.LimitBytes}
}

// The same in so little memory that scrapes are evicted: the newest scrapes of each target
// are kept, one at least.
func TestReplayWithEviction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := drawNode(t)
		for len(all) < 60 {
			all = append(all, drawNode(t)...)
		}
		l := Limits{Bytes: rapid.Int64Range(64<<10, 80<<10).Draw(t, "bytes"), chunkScrapes: rapid.IntRange(1, 20).Draw(t, "chunk")}
		past := rapid.IntRange(0, len(all)).Draw(t, "past")
		w := continued(t, l, all, past, rapid.IntRange(0, len(all)-past).Draw(t, "meanwhile"))

		for _, h := range w.Held() {
			kept, oldest := 0, h.Oldest
			for _, g := range w.targets[h.Target].chunks {
				kept += len(g.times)
			}
			kept += len(w.targets[h.Target].head.times)
			without := NewWindow(Limits{chunkScrapes: 1})
			for i, a := range all {
				if number := int64(i + 1 - past); a.of.Name == h.Target && number >= oldest {
					without.Append(a.of, a.s)
					kept--
				}
			}
			require.Zero(t, kept)
			require.Equal(t, valuesOf(t, without, h.Target), valuesOf(t, w, h.Target))
		}
	})
}

// valuesOf are the samples of a target, by series and in the order of recording.
func valuesOf(t require.TestingT, w *Window, target string) map[string][]string {
	all := make(map[string][]string)
	for _, b := range drain(w.Snapshot(everything)) {
		for _, f := range b.Families {
			for _, s := range f.Series {
				if !strings.Contains(string(s.Labels), target) {
					continue
				}
				for i, v := range s.Values {
					if !messages.IsGap(v) {
						name := fullName(f, s)
						all[name] = append(all[name], fmt.Sprint(b.Times[i], " ", v))
					}
				}
			}
		}
	}
	return all
}

// What is replayed counts as nothing, and what is evicted for it neither.
func TestReplayCountsAsNothing(t *testing.T) {
	w, from := NewWindow(Limits{Bytes: 100 << 10, Series: 1_000}), NewWindow(Limits{})
	scrape(t, from, 0, gauges(0, 10))
	for n := range 200 {
		_, b := NewWindow(Limits{}).AppendBatch(node, Scrape{At: at(n), Page: textPage(t, noisy(n, 80))})
		b.Number = int64(n - 300)
		w.ReplayBatch(b)
	}
	require.Greater(t, w.Held()[0].At, ms(0), "something was evicted")
	require.Zero(t, w.counts)
	w.TakeCounters(from)
	require.Equal(t, from.counts, w.counts)
	_, b := w.AppendBatch(node, Scrape{At: at(300), Failure: "timeout"})
	require.EqualValues(t, 2, b.Number)
}

// A series for which there is no room is left out, and what is no sample.
func TestReplayWithoutRoom(t *testing.T) {
	w := NewWindow(Limits{Series: 2})
	f := Family{Name: "a", Type: messages.TypeGauge}
	p := Past{Number: 1, Target: "node", At: ms(0)}
	for i, v := range []float64{messages.Gap, 1, math.NaN(), 3} {
		p.Series = append(p.Series, NewPastSeries(SeriesKey{Name: "a", Labels: messages.LabelText(fmt.Sprintf(`i="%d"`, i))}, f))
		p.Values = append(p.Values, v)
	}
	w.Replay(p)
	requireBooks(t, w)
	require.Equal(t, []string{`a{i="1"} 1`, `a{i="2"} NaN`}, latest(w))
}

func TestAddEvent(t *testing.T) {
	w := NewWindow(Limits{})
	e := Event{Kind: EventAgentStarted, Target: "agent", At: at(1), Last: at(1), Detail: "version 1"}
	w.AddEvent(e)
	require.Equal(t, []Event{e}, w.Events())
}

// BenchmarkReplay replays three hours of 3,000 series.
func BenchmarkReplay(b *testing.B) {
	var batches []*Batch
	var past []Past
	w, known := NewWindow(Limits{}), newReplayed()
	walking := recordertest.NewWalkingNode(3_000)
	for n := range threeHours {
		_, batch := w.AppendBatch(node, Scrape{At: at(n), Page: textPage(b, string(walking.Next()))})
		batches = append(batches, batch)
		p := known.past(batch, batch.Number-threeHours)
		if n > 0 && batch.Series == batches[n-1].Series {
			p.Series = past[n-1].Series
		}
		past = append(past, p)
	}
	f := func(name string, replay func(w *Window, n int)) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				w := NewWindow(Limits{})
				for n := range threeHours {
					replay(w, n)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/3h")
			perSample(b, threeHours*3_000)
		})
	}
	f("past", func(w *Window, n int) {
		p := past[n]
		w.Replay(p)
	})
	f("batches", func(w *Window, n int) { w.ReplayBatch(batches[n]) })
}

// The latest samples are those of targets that this process has scraped: of others nobody knows how
// they are now. In windows of time all are.
func TestLatestHasNothingOfFormerProcesses(t *testing.T) {
	w := NewWindow(Limits{})
	k, f := SeriesKey{Name: "a"}, Family{Name: "a"}
	past := func(target string) {
		w.Replay(Past{Number: 0, Target: target, At: epoch.UnixMilli(), Series: []*PastSeries{NewPastSeries(k, f)}, Values: []float64{7}})
	}
	past("gone")
	past("node")
	require.Empty(t, latest(w))
	require.Empty(t, latest(w, "a"))
	w.Append(Target{Name: "node"}, Scrape{At: epoch.Add(time.Second), Samples: []Sample{{Name: "a", Value: 8}}})
	require.Equal(t, []string{"a{} 8"}, latest(w))
	require.Equal(t, []string{"a{} 8"}, latest(w, "a"))
	require.Equal(t, 3, w.Stats().Samples)
	all := w.Snapshot(messages.Selection{Window: messages.Window{End: epoch.Add(time.Hour)}}).Next(math.MaxInt)
	require.Len(t, all, 2)
}
