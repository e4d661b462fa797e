package journal

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/recorder"
	"fodc/recorder/recordertest"
)

// twoHours is how many scrapes there are in two hours, at one in 10 s: those of a segment.
const twoHours = 2 * 360

const pagesDir = "../../testdata/banyandb"

// recorded returns what a window makes of so many pages.
func recorded(t testing.TB, scrapes int, next func() []byte) (batches []*recorder.Batch, samples int) {
	t.Helper()
	w := recorder.NewWindow(recorder.Limits{})
	var p recorder.Page
	at := time.UnixMilli(created)
	for n := range scrapes {
		p.Parse(next(), "text/plain; version=0.0.4; charset=utf-8", recorder.ParseLimits{})
		require.NoError(t, p.FirstBad())
		// A scrape begins some milliseconds late, and never as many.
		at = at.Add(10*time.Second + time.Duration(n*7%5-2)*time.Millisecond)
		_, b := w.AppendBatch(recorder.Target{Name: "http://127.0.0.1:2121/metrics"}, recorder.Scrape{At: at, Page: &p})
		batches, samples = append(batches, b), samples+len(b.Values)
	}
	return batches, samples
}

// closedSegment returns a whole segment of the batches.
func closedSegment(t testing.TB, batches []*recorder.Batch) []byte {
	segment, _, e := encoded(t, batches)
	return e.appendIndex(segment, int64(len(segment)), created+1)
}

// loads are the pages for which the density is promised.
func loads(t testing.TB) map[string]func() []byte {
	return map[string]func() []byte{
		"real":    recordertest.NewRepeatedNode(t, pagesDir).Next,
		"walking": recordertest.NewWalkingNode(3_000).Next,
	}
}

// A sample takes no more than it may, with all that is in the file.
func TestDensity(t *testing.T) {
	f := func(scrapes int, most float64, next func() []byte) {
		t.Helper()
		batches, samples := recorded(t, scrapes, next)
		segment := closedSegment(t, batches)
		require.LessOrEqual(t, float64(len(segment))/float64(samples), most)
		got, _, _, err := scanAll(t, segment)
		require.Equal(t, io.EOF, err)
		requireSameBatches(t, batches, got)
	}
	f(twoHours, 1.0, recordertest.NewRepeatedNode(t, pagesDir).Next)
	f(twoHours, 2.0, recordertest.NewWalkingNode(400).Next)
}

// BenchmarkJournalEncode prints what a sample takes in a segment of two hours, and what it takes to
// encode it; BenchmarkJournalDecode to decode it.
func BenchmarkJournalEncode(b *testing.B) {
	for name, next := range loads(b) {
		b.Run(name, func(b *testing.B) {
			batches, samples := recorded(b, twoHours, next)
			size := len(closedSegment(b, batches))
			buffer := make([]byte, 0, 1<<20)
			for b.Loop() {
				e := newEncoder(testHeader)
				for _, batch := range batches {
					var err error
					buffer, err = e.appendScrape(buffer[:0], batch, batch.Number)
					require.NoError(b, err)
				}
			}
			perSample(b, samples)
			b.ReportMetric(float64(size)/float64(samples), "B/sample")
		})
	}
}

func BenchmarkJournalDecode(b *testing.B) {
	for name, next := range loads(b) {
		b.Run(name, func(b *testing.B) {
			batches, samples := recorded(b, twoHours, next)
			segment := closedSegment(b, batches)
			for b.Loop() {
				s, _, err := newScanner(bytes.NewReader(segment), int64(len(segment)))
				require.NoError(b, err)
				for err == nil {
					_, err = s.next()
				}
				require.Equal(b, io.EOF, err)
			}
			perSample(b, samples)
		})
	}
}

func perSample(b *testing.B, samples int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(samples), "ns/sample")
	b.ReportMetric(0, "ns/op")
}
