package recorder

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/textparse"
	"github.com/stretchr/testify/require"
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

// BenchmarkScrape compares parsing and appending a page with the floor, which only
// looks at each series' bytes and value. It is the steady state: the series are known.
func BenchmarkScrape(b *testing.B) {
	for name, page := range map[string][]byte{"real": newestPage(b), "3000": largePage(b)} {
		b.Run(name+"/floor", func(b *testing.B) {
			var samples int
			b.ReportAllocs()
			for b.Loop() {
				samples = floor(page)
			}
			perSample(b, samples)
		})
		b.Run(name+"/recorder", func(b *testing.B) {
			var p Page
			w := NewWindow(Limits{})
			n := 0
			once := func() {
				n++
				p.Parse(page, textType, ParseLimits{})
				w.Append(node, Scrape{At: epoch.Add(time.Duration(n) * time.Second), Page: &p})
			}
			for range defaultRows + 1 {
				once()
			}
			b.ReportAllocs()
			for b.Loop() {
				once()
			}
			perSample(b, p.Samples())
		})
	}
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
