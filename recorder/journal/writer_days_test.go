package journal_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/recorder"
	"fodc/recorder/disktest"
	"fodc/recorder/journal"
	"fodc/recorder/journal/journaltest"
	"fodc/recorder/recordertest"
)

// walkingBatches returns a function that makes the scrapes of a node with so many series. It goes
// round in some pages, for parsing them would take longer than writing.
func walkingBatches(t testing.TB, series int) func(number int64, at time.Time) *recorder.Batch {
	const pages = 360
	node, window := recordertest.NewWalkingNode(series), recorder.NewWindow(recorder.Limits{})
	var page recorder.Page
	var made []*recorder.Batch
	for n := range pages {
		page.Parse(node.Next(), "text/plain; version=0.0.4; charset=utf-8", recorder.ParseLimits{})
		require.NoError(t, page.FirstBad())
		_, b := window.AppendBatch(recorder.Target{Name: "http://127.0.0.1:2121/metrics"}, recorder.Scrape{At: begin.Add(time.Duration(n) * time.Second), Page: &page})
		made = append(made, b)
	}
	return func(number int64, at time.Time) *recorder.Batch {
		b := *made[number%pages]
		b.Number, b.At = number, at.UnixMilli()
		return &b
	}
}

// days writes so long, with a scrape each 10 s, and returns the kit. The size is checked after each
// operation, the age after each scrape.
func days(t testing.TB, cfg journal.Config, series int, d time.Duration) (*journal.Writer, *journaltest.Disk) {
	next := walkingBatches(t, series)
	disk := journaltest.New()
	largest := int64(0)
	disk.Watch(func(op disktest.Op, _ string) {
		if op == disktest.Write {
			largest = max(largest, disk.Total())
		}
	})
	w := journal.NewWriter(disk, cfg)
	now := begin
	require.NoError(t, w.Open(now))
	const interval = 10 * time.Second
	for n := int64(1); now.Sub(begin) < d; n++ {
		require.NoError(t, w.Append(next(n, now), now))
		if stats := w.Stats(); now.UnixMilli()-stats.Oldest > (cfg.RetentionTime + 2*time.Hour + time.Minute).Milliseconds() {
			t.Fatalf("%s after the begin, the oldest sample is of %s", now.Sub(begin), time.UnixMilli(stats.Oldest))
		}
		now = now.Add(interval)
		for !w.NextDue().After(now) {
			require.NoError(t, w.Due(now))
		}
	}
	require.LessOrEqual(t, largest, cfg.RetentionBytes)
	return w, disk
}

func TestThreeDays(t *testing.T) {
	cfg := config
	cfg.RetentionTime, cfg.RetentionBytes = 24*time.Hour, 512<<10
	w, disk := days(t, cfg, 30, 72*time.Hour)
	stats := w.Stats()
	require.EqualValues(t, 72*360, stats.Written.Scrapes)
	require.Equal(t, disk.Total(), stats.Bytes)
	require.Empty(t, stats.Errors)
	require.Empty(t, stats.Dropped)
	require.Positive(t, stats.Removed)
}

// BenchmarkWriterThreeDays writes three days of 3,000 series. It prints the size of the directory at
// the end, and how long a scrape takes on a disk that takes no time.
func BenchmarkWriterThreeDays(b *testing.B) {
	cfg := config
	cfg.RetentionBytes = 128 << 20
	for range b.N {
		w, disk := days(b, cfg, 3000, 72*time.Hour)
		stats := w.Stats()
		b.ReportMetric(float64(disk.Total())/(1<<20), "MiB")
		b.ReportMetric(float64(stats.WrittenBytes)/float64(stats.Written.Samples), "B/sample")
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(stats.Written.Scrapes), "us/scrape")
		b.ReportMetric(float64(time.UnixMilli(stats.Newest).Sub(time.UnixMilli(stats.Oldest)).Hours()), "hours")
	}
}

// nowhere is a disk that keeps nothing.
type nowhere struct{ journal.FS }

type nowhereFile struct{}

func (nowhere) Create(string) (journal.File, error) { return nowhereFile{}, nil }
func (nowhereFile) Write(p []byte) (int, error)     { return len(p), nil }
func (nowhereFile) Sync() error                     { return nil }
func (nowhereFile) Present() error                  { return nil }
func (nowhereFile) Close() error                    { return nil }

// BenchmarkWriterMemory prints what a writer of 3,000 series takes of the heap.
func BenchmarkWriterMemory(b *testing.B) {
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for range b.N {
		next := walkingBatches(b, 3000)
		cfg := config
		cfg.RetentionBytes = 512 << 20
		before := heap()
		w := journal.NewWriter(nowhere{journaltest.New()}, cfg)
		require.NoError(b, w.Open(begin))
		for n := range int64(720) {
			now := begin.Add(time.Duration(n) * 10 * time.Second)
			require.NoError(b, w.Append(next(n+1, now), now))
			require.NoError(b, w.Due(now))
		}
		b.ReportMetric(float64(heap()-before)/(1<<20), "MiB")
		runtime.KeepAlive(w)
		runtime.KeepAlive(next)
	}
}
