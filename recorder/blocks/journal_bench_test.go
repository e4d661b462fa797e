package blocks

import (
	"bytes"
	"context"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
	"fodc/recorder/recordertest"
)

// BenchmarkFreeze makes a segment of a window, as an agent does, and blocks of that, as a proxy does. It
// prints the time of each, by how much the heap grows meanwhile at most, and the size.
func BenchmarkFreeze(b *testing.B) {
	const series, scrapes = 3_000, 75
	w := recorder.NewWindow(recorder.Limits{Bytes: 1 << 30, Series: 1 << 20})
	node := recordertest.NewWalkingNode(series)
	for n := range scrapes {
		page := &recorder.Page{}
		page.Parse(node.Next(), "text/plain; version=0.0.4", recorder.ParseLimits{MetaLines: 1 << 20})
		w.Append(recorder.Target{Name: "http://node/metrics"}, recorder.Scrape{At: begin.Add(time.Duration(n) * 10 * time.Second), Page: page})
	}
	var file bytes.Buffer
	freeze := func(to io.Writer, look func()) {
		batcher := recorder.NewBatcher()
		_, err := journal.WriteSegment(to, journal.Node{NodeID: "n1"}, begin.UnixMilli(), func(yield func(*recorder.Batch, error) bool) {
			for from := begin; from.Before(begin.Add(time.Hour)); from = from.Add(2 * time.Minute) {
				s := w.Snapshot(messages.Selection{ScrapeTimes: true, Window: messages.Window{Start: from, End: from.Add(2*time.Minute - time.Millisecond)}})
				var blocks []messages.Block
				for some := s.Next(60 << 10); some != nil; some = s.Next(60 << 10) {
					blocks = append(blocks, some...)
				}
				look()
				for batch := range batcher.Of(blocks) {
					if !yield(batch, nil) {
						return
					}
				}
			}
		})
		require.NoError(b, err)
	}
	freeze(&file, func() {})
	b.Run("segment", func(b *testing.B) {
		b.ReportAllocs()
		before, peak := liveBytes(), int64(0)
		freeze(io.Discard, func() { peak = max(peak, liveBytes()-before) })
		for b.Loop() {
			freeze(io.Discard, func() {})
		}
		b.ReportMetric(float64(peak)/(1<<20), "MiB-live")
		b.ReportMetric(float64(file.Len())/(1<<10), "KiB")
	})
	b.Run("blocks", func(b *testing.B) {
		b.ReportAllocs()
		dir, err := os.MkdirTemp(b.TempDir(), "")
		require.NoError(b, err)
		for b.Loop() {
			v, files, err := journal.OpenSegment(bytes.NewReader(file.Bytes()), int64(file.Len()))
			require.NoError(b, err)
			c, err := FromJournal(context.Background(), v, files, JournalOptions{Identity: frozenNode}, dir)
			require.NoError(b, err)
			require.Equal(b, series*scrapes, c.Samples)
		}
	})
}

func liveBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
