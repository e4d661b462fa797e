package recorder

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"fodc/messages"
	"fodc/recorder/recordertest"
)

// samplesOfBatch are the samples of a batch, with what is known of their families.
func samplesOfBatch(t require.TestingT, b *Batch) map[string]float64 {
	l := b.Series
	require.Len(t, l.FamilyOf, len(l.Keys))
	require.Len(t, b.Values, len(l.Keys))
	names := make(map[string]bool)
	for _, f := range l.Families {
		require.False(t, names[f.Name], "a family is there twice")
		names[f.Name] = true
	}
	all := make(map[string]float64)
	for i, k := range l.Keys {
		f := l.Families[l.FamilyOf[i]]
		require.Equal(t, f.Name, k.Name)
		all[fmt.Sprintf("%s%s{%s} %s %s", k.Name, k.Suffix, k.Labels, f.Type, f.Help)] = b.Values[i]
	}
	require.Len(t, all, len(l.Keys), "a series is there twice")
	return all
}

func samplesOfLatest(w *Window, target string) map[string]float64 {
	all := make(map[string]float64)
	for _, r := range w.Snapshot(messages.Selection{}).readers {
		for _, b := range unshared((&Snapshot{readers: []chunkReader{r}}).Next(1 << 30)) {
			for _, f := range b.Families {
				for _, s := range f.Series {
					if messages.LabelText(s.Labels).Labels()[0].Value == target {
						all[fmt.Sprintf("%s %s %s", fullName(f, s), f.Type, f.Help)] = s.Values[0]
					}
				}
			}
		}
	}
	return all
}

// Whatever is appended, a batch has what the window recorded of the scrape, and never
// changes. Successive batches share their list if, and only if, it has not changed.
func TestBatchIsWhatWasRecorded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := NewWindow(Limits{chunkScrapes: 5, Bytes: rapid.SampledFrom([]int64{40_000, 1 << 20}).Draw(t, "limit")})
		newest := make(map[string]*Batch)
		var batches []*Batch
		var contents []map[string]float64
		for n := range rapid.IntRange(1, 30).Draw(t, "scrapes") {
			of := Target{Name: rapid.SampledFrom([]string{"one", "two"}).Draw(t, "target")}
			of.Labels = []messages.Label{{Name: "a_target", Value: of.Name}}
			s := Scrape{At: at(n), Samples: []Sample{{Name: "up", Type: messages.TypeGauge, Value: float64(n)}}}
			if rapid.IntRange(0, 9).Draw(t, "fails") == 0 {
				s.Failure = "timeout"
			} else {
				s.Page = &Page{}
				s.Page.Parse([]byte(drawPage(t)), textType, ParseLimits{})
			}
			if rapid.IntRange(0, 9).Draw(t, "no batch") == 0 {
				w.Append(of, s)
				require.Zero(t, w.targets[of.Name].listed.bytes())
				delete(newest, of.Name)
				continue
			}
			done, b := w.AppendBatch(of, s)
			require.Equal(t, Batch{Number: int64(n + 1), Target: of.Name, At: ms(n), Failure: s.Failure, Series: b.Series, Values: b.Values}, *b)
			require.Len(t, b.Values, done.Samples)
			has := samplesOfBatch(t, b)
			require.Equal(t, samplesOfLatest(w, of.Name), has)
			if before := newest[of.Name]; before != nil {
				require.Equal(t, sameList(before.Series, b.Series), before.Series == b.Series)
			}
			newest[of.Name] = b
			batches, contents = append(batches, b), append(contents, has)
		}
		requireConsistent(t, w)
		for i, b := range batches {
			require.Equal(t, contents[i], samplesOfBatch(t, b))
		}
	})
}

func sameList(a, b *SeriesList) bool {
	return fmt.Sprint(*a) == fmt.Sprint(*b)
}

// A page that cannot be used, and a text that is too long for an event.
func TestFailureOfBatch(t *testing.T) {
	w := NewWindow(Limits{})
	var unusable Page
	unusable.Parse([]byte("<html>"), textType, ParseLimits{})
	_, b := w.AppendBatch(node, Scrape{At: at(1), Page: &unusable})
	require.Equal(t, unusable.Err().Error(), b.Failure)
	require.Empty(t, b.Values)
	long := string(make([]byte, 2*maxDetailBytes))
	_, b = w.AppendBatch(node, Scrape{At: at(2), Failure: long})
	require.Equal(t, long[:maxDetailBytes], b.Failure)
	require.Equal(t, []Event{failureEvent(1, 2, 2, long[:maxDetailBytes])}, w.Events())
}

// Held agrees with what a window has after any evictions.
func TestHeld(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Int64Range(50<<10, 70<<10).Draw(t, "bytes")
		w := NewWindow(Limits{Bytes: limit, chunkScrapes: rapid.IntRange(1, 20).Draw(t, "scrapes")})
		require.Empty(t, w.Held())
		m, clock := make(naive), epoch
		numbers := make(map[string][]int64)
		for n := range rapid.IntRange(1, 60).Draw(t, "scrapes") {
			before := len(m["one"])
			m.record(t, w, &clock)
			name := "two"
			if len(m["one"]) > before {
				name = "one"
			}
			numbers[name] = append(numbers[name], int64(n+1))
		}
		held := w.Held()
		require.Len(t, held, len(m))
		for i, h := range held {
			tg := w.sorted[i]
			require.Equal(t, tg.name, h.Target)
			kept := len(tg.head.times)
			for _, g := range tg.chunks {
				kept += len(g.times)
			}
			oldest := len(numbers[h.Target]) - kept
			require.Equal(t, numbers[h.Target][oldest], h.Oldest)
			require.Equal(t, m[h.Target][oldest].at.UnixMilli(), h.At)
			require.Len(t, h.Families, len(tg.families.byName.entries))
			for _, f := range h.Families {
				require.Equal(t, tg.families.all[tg.families.byName.entries[f.Name]], f)
			}
		}
	})
}

// BenchmarkAppendBatch compares AppendBatch with Append, over the pages of BenchmarkScrape
// and in turn.
func BenchmarkAppendBatch(b *testing.B) {
	f := func(name string, next func() []byte) {
		b.Run(name, func(b *testing.B) {
			const pagesOfLoad = 8
			var pages [pagesOfLoad]*Page
			for i := range pages {
				pages[i] = textPage(b, string(next()))
			}
			plain, batches := NewWindow(Limits{}), NewWindow(Limits{})
			n := 0
			var took, tookBatch time.Duration
			once := func() {
				s := Scrape{At: epoch.Add(time.Duration(n) * time.Second), Page: pages[n%pagesOfLoad]}
				start := time.Now()
				plain.Append(node, s)
				middle := time.Now()
				batches.AppendBatch(node, s)
				took, tookBatch = took+middle.Sub(start), tookBatch+time.Since(middle)
				n++
			}
			for range defaultChunkScrapes + 1 {
				once()
			}
			took, tookBatch = 0, 0
			for b.Loop() {
				once()
			}
			b.ReportMetric(tookBatch.Seconds()/took.Seconds(), "x-append")
			b.ReportMetric(float64((tookBatch-took).Nanoseconds())/float64(b.N)/float64(pages[0].Samples()), "ns/sample-added")
			b.ReportMetric(0, "ns/op")
		})
	}
	f("real-that-changes", recordertest.NewRepeatedNode(b, pagesDir).Next)
	large := largePage(b)
	f("real-3000", func() []byte { return large })
	walking := recordertest.NewWalkingNode(3_000)
	f("walking-3000", walking.Next)
	odd := false
	f("walking-3000-unlike", func() []byte {
		page := walking.Next()
		if odd = !odd; odd {
			page = append(page, "one_more 1\n"...)
		}
		return page
	})
}
