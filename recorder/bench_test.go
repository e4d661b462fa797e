package recorder

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/textparse"
	"github.com/stretchr/testify/require"

	"fodc/recorder/recordertest"
)

// newestPage is the last of the real pages.
func newestPage(t testing.TB) []byte { return pages(t)["standalone-08.prom"] }

// largePage repeats a real page with another container until it has 3,000 series.
func largePage(t testing.TB) []byte {
	one, all := newestPage(t), []byte(nil)
	for i := 0; bytes.Count(all, []byte("\n")) < 4_500; i++ {
		for line := range bytes.Lines(one) {
			if line[0] != '#' {
				if open := bytes.IndexByte(line, '{'); open >= 0 {
					line = fmt.Appendf(nil, `%s{copy="%d",%s`, line[:open], i, line[open+1:])
				} else {
					space := bytes.IndexByte(line, ' ')
					line = fmt.Appendf(nil, `%s{copy="%d"}%s`, line[:space], i, line[space:])
				}
			} else if i > 0 {
				continue
			}
			all = append(all, line...)
		}
	}
	return all
}

// BenchmarkScrape compares parsing and appending pages with the floor, which only looks
// at each series' bytes and value, in the same run. It is the steady state: the series
// are known. The pages of a load are a node's, one after the other; "real-that-changes"
// has pages whose metadata changes, and the pages of "unlike" have a series more or less
// than the one before, so that each is parsed.
func BenchmarkScrape(b *testing.B) {
	const pagesOfLoad = 8
	load := func(next func() []byte) (all [][]byte) {
		for range pagesOfLoad {
			all = append(all, bytes.Clone(next()))
		}
		return all
	}
	f := func(name string, pages [][]byte) {
		b.Run(name, func(b *testing.B) {
			var p Page
			w := NewWindow(Limits{})
			n := 0
			once := func() {
				p.Parse(pages[n%len(pages)], textType, ParseLimits{})
				w.Append(node, Scrape{At: epoch.Add(time.Duration(n) * time.Second), Page: &p})
				n++
			}
			for range defaultChunkScrapes + 1 {
				once()
			}
			allocs := testing.AllocsPerRun(2*defaultChunkScrapes, once)
			var floorTook, took time.Duration
			samples := 0
			for b.Loop() {
				start := time.Now()
				samples += floor(pages[n%len(pages)])
				middle := time.Now()
				once()
				floorTook, took = floorTook+middle.Sub(start), took+time.Since(middle)
			}
			b.ReportMetric(took.Seconds()/floorTook.Seconds(), "x-floor")
			b.ReportMetric(float64(took.Nanoseconds())/float64(samples), "ns/sample")
			b.ReportMetric(float64(floorTook.Nanoseconds())/float64(samples), "floor-ns/sample")
			b.ReportMetric(100*allocs/float64(p.Samples()), "allocs/100samples")
			b.ReportMetric(0, "ns/op")
		})
	}
	f("real", [][]byte{newestPage(b)})
	f("real-that-changes", load(recordertest.NewRepeatedNode(b, pagesDir).Next))
	f("real-3000", [][]byte{largePage(b)})
	walking := load(recordertest.NewWalkingNode(3_000).Next)
	f("walking-3000", walking)
	for i := range walking {
		if i%2 == 0 {
			walking[i] = append(walking[i], "one_more 1\n"...)
		}
	}
	f("walking-3000-unlike", walking)
}

func perSample(b *testing.B, samples int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(samples), "ns/sample")
	b.ReportMetric(float64(samples), "samples")
}

func floor(page []byte) (samples int) {
	p := textparse.NewPromParser(page, nil, false)
	for {
		entry, err := p.Next()
		if err != nil {
			return samples
		}
		if entry == textparse.EntrySeries {
			raw, _, _ := p.Series()
			_ = raw
			samples++
		}
	}
}

// BenchmarkSnapshot reads a window of an hour.
func BenchmarkSnapshot(b *testing.B) {
	var p Page
	w := NewWindow(Limits{})
	p.Parse(largePage(b), textType, ParseLimits{})
	for n := range 360 {
		w.Append(node, Scrape{At: at(n), Page: &p})
	}
	b.ReportAllocs()
	for b.Loop() {
		require.NotEmpty(b, drain(w.Snapshot(everything)))
	}
	perSample(b, p.Samples()*360)
}
