package journal_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
	"fodc/recorder/journal/journaltest"
	"fodc/recorder/recordertest"
)

// recorded is a journal of so many scrapes of a node, 10 s apart, and a window with the same.
func recorded(b *testing.B, series, scrapes int) (*journal.Writer, *journaltest.Disk, *recorder.Window) {
	disk := journaltest.New()
	cfg := config
	cfg.RetentionBytes = 1 << 30
	writer := journal.NewWriter(disk, cfg)
	require.NoError(b, writer.Open(begin))
	w := recorder.NewWindow(recorder.Limits{Bytes: 4 << 30, Series: 1 << 20})
	node := recordertest.NewWalkingNode(series)
	var page recorder.Page
	for n := range scrapes {
		page.Parse(node.Next(), "text/plain; version=0.0.4", recorder.ParseLimits{MetaLines: 1 << 20})
		at := begin.Add(time.Duration(n) * 10 * time.Second)
		_, batch := w.AppendBatch(recorder.Target{Name: "http://node/metrics"}, recorder.Scrape{At: at, Page: &page})
		require.Len(b, batch.Values, series)
		require.NoError(b, writer.Append(batch, at))
	}
	return writer, disk, w
}

// BenchmarkReadHour reads an hour of scrapes from the journal, in batches that fit a chunk of an
// answer, and prints how much longer that takes than from memory, and by how much the heap
// grows meanwhile.
func BenchmarkReadHour(b *testing.B) {
	const batch = 60 << 10
	f := func(series, scrapes, from, to int) {
		b.Run(fmt.Sprint(series), func(b *testing.B) {
			writer, disk, w := recorded(b, series, scrapes)
			sel := messages.Selection{Window: messages.Window{
				Start: begin.Add(time.Duration(from) * 10 * time.Second), End: begin.Add(time.Duration(to-1) * 10 * time.Second)}}
			before := heap()
			var peak, samples int64
			var took, tookMemory time.Duration
			for b.Loop() {
				start := time.Now()
				r := writer.View().NewReader(disk, journal.Query{Selection: sel})
				for n := 0; ; n++ {
					blocks, err := r.Next(batch)
					require.NoError(b, err)
					if blocks == nil {
						break
					}
					if n%50 == 0 {
						paused := time.Now()
						peak = max(peak, heap()-before)
						start = start.Add(time.Since(paused))
					}
					for _, block := range blocks {
						for i := range block.Families {
							samples += int64(len(block.Families[i].Series) * len(block.Times))
						}
					}
				}
				r.Close()
				took += time.Since(start)
				start = time.Now()
				for s := w.Snapshot(sel); s.Next(batch) != nil; {
				}
				tookMemory += time.Since(start)
			}
			require.EqualValues(b, b.N*series*(to-from), samples)
			b.ReportMetric(took.Seconds()/float64(b.N), "s/range")
			b.ReportMetric(took.Seconds()/tookMemory.Seconds(), "x-memory")
			b.ReportMetric(float64(took.Nanoseconds())/float64(samples), "ns/sample")
			b.ReportMetric(float64(peak)/(1<<20), "MiB-added")
			b.ReportMetric(0, "ns/op")
		})
	}
	f(3_000, 4*360, 360, 2*360)
	f(200_000, 8, 2, 6)
}

// heap is the size of all live objects.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkRecover replays three hours of 3,000 series.
func BenchmarkRecover(b *testing.B) {
	writer, disk, _ := recorded(b, 3_000, 3*360)
	view, base := writer.View(), int64(3*360)
	for b.Loop() {
		_, done, err := journal.Recover(view, disk, journal.Recovery{Base: base})
		require.NoError(b, err)
		require.Equal(b, 3*360*3_000, done.Samples)
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/3h")
}
