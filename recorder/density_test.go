package recorder

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/recorder/recordertest"
)

// threeHours is how many scrapes there are in three hours, at one in 10 s.
const threeHours = 3 * 360

// maxSampleBytes is what a sample may take, without what its series takes.
const maxSampleBytes = 2.0

// record appends pages to a new window.
func record(t testing.TB, l Limits, scrapes int, next func() []byte) *Window {
	w := NewWindow(l)
	var p Page
	for n := range scrapes {
		p.Parse(next(), textType, ParseLimits{})
		require.NoError(t, p.FirstBad())
		done := w.Append(node, Scrape{At: at(n), Page: &p})
		require.Zero(t, done.Dropped.NotAllowed()+done.Dropped.NoRoom())
	}
	return w
}

// chunkDensity returns the bytes that a sample in a chunk takes.
func chunkDensity(w *Window) float64 {
	bytes, samples := 0, 0
	for _, t := range w.sorted {
		var list *seriesList
		for _, g := range t.chunks {
			bytes += int(g.bytes)
			samples += g.samples
			if g.list != list {
				list = g.list
				bytes += int(list.bytes())
			}
		}
	}
	return float64(bytes) / float64(samples)
}

// BenchmarkDensity prints what a sample takes in a chunk, and with all that is around
// it in a window of three hours: series, metadata, the open head.
func BenchmarkDensity(b *testing.B) {
	f := func(name string, next func() []byte) {
		b.Run(name, func(b *testing.B) {
			var w *Window
			for b.Loop() {
				w = record(b, Limits{}, threeHours, next)
			}
			b.ReportMetric(chunkDensity(w), "B/sample")
			s := w.Stats()
			b.ReportMetric(float64(s.Bytes)/float64(s.Samples), "all-B/sample")
			b.ReportMetric(float64(s.Bytes)/(1<<20), "MiB")
			b.ReportMetric(0, "ns/op")
		})
	}
	f("real", recordertest.NewRepeatedNode(b, pagesDir).Next)
	f("walking", recordertest.NewWalkingNode(3_000).Next)
}

// A sample takes no more than it may, of the real pages and of synthetic ones.
func TestDensity(t *testing.T) {
	f := func(scrapes int, next func() []byte) {
		t.Helper()
		require.Less(t, chunkDensity(record(t, Limits{}, scrapes, next)), maxSampleBytes)
	}
	f(threeHours/4, recordertest.NewRepeatedNode(t, pagesDir).Next)
	f(threeHours/2, recordertest.NewWalkingNode(1_000).Next)
}

// A tenth of 30 MB holds a tenth of 3,000 series for three hours and more. The whole
// is in BenchmarkResident.
func TestThreeHoursFitTheBudget(t *testing.T) {
	const limit = 3_000_000
	w := record(t, Limits{Bytes: limit}, threeHours+1, recordertest.NewWalkingNode(300).Next)
	s := w.Stats()
	require.GreaterOrEqual(t, s.Span(), 3*time.Hour)
	require.LessOrEqual(t, s.Bytes, int64(limit))
}
