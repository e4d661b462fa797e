package journalbench

import (
	"runtime"
	"testing"
	"time"

	"fodc/recorder"
	"fodc/recorder/journal"
	"fodc/recorder/journal/diskfs"
	"fodc/recorder/recordertest"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// appendedTarget is a target as agents have it.
var appendedTarget = recorder.Target{Name: "http://127.0.0.1:2121/metrics"}

// appender takes the scrapes of one load.
type appender struct {
	plain, window *recorder.Window
	writer        *journal.Writer
	page          recorder.Page
	at            time.Time

	parsed, appended, journaled time.Duration
	samples                     int
}

// BenchmarkAppend compares the processor time of a scrape with and without a journal, in one process
// and without actors: parsing and appending it to a window, and writing it to a real file as well.
// "x-scrape" is their ratio. Nothing is synced, for that is the disk's time.
func BenchmarkAppend(b *testing.B) {
	f := func(name string, next func() []byte) {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			a := &appender{plain: recorder.NewWindow(recorder.Limits{}), window: recorder.NewWindow(recorder.Limits{}), at: time.Now(),
				writer: journal.NewWriter(diskfs.New(dir+"/journal"), journal.Config{Node: journal.Node{NodeID: "n1"},
					RetentionTime: 72 * time.Hour, RetentionBytes: 512 << 20, SyncInterval: time.Hour, MinFree: .01})}
			require.NoError(b, a.writer.Open(a.at))
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for range warmUp {
				a.scrape(b, next())
			}
			a.parsed, a.appended, a.journaled, a.samples = 0, 0, 0, 0
			b.ReportAllocs()
			for b.Loop() {
				a.scrape(b, next())
			}
			samples := float64(a.samples)
			b.ReportMetric(float64(a.parsed+a.journaled)/float64(a.parsed+a.appended), "x-scrape")
			b.ReportMetric(float64(a.parsed)/samples, "parse-ns/sample")
			b.ReportMetric(float64(a.appended)/samples, "append-ns/sample")
			b.ReportMetric(float64(a.journaled)/samples, "journal-ns/sample")
			require.NoError(b, a.writer.Close(a.at))
		})
	}
	f("real", recordertest.NewRepeatedNode(b, pagesDir).Next)
	f("walking-3000", recordertest.NewWalkingNode(3_000).Next)
}

// scrape records a page with and without the journal.
func (a *appender) scrape(b *testing.B, page []byte) {
	a.at = a.at.Add(10 * time.Second)
	began := threadCPU(b)
	a.page.Parse(page, "text/plain; version=0.0.4", recorder.ParseLimits{})
	parsed := threadCPU(b)
	a.plain.Append(appendedTarget, recorder.Scrape{At: a.at, Page: &a.page})
	appended := threadCPU(b)
	done, batch := a.window.AppendBatch(appendedTarget, recorder.Scrape{At: a.at, Page: &a.page})
	require.NoError(b, a.writer.Append(batch, a.at))
	if due := a.writer.NextDue(); !due.IsZero() && !due.After(a.at) {
		require.NoError(b, a.writer.Due(a.at))
	}
	journaled := threadCPU(b)
	a.parsed += parsed - began
	a.appended += appended - parsed
	a.journaled += journaled - appended
	a.samples += done.Samples
}

// threadCPU is the processor time of the thread: the machine may be busy with other things.
func threadCPU(b *testing.B) time.Duration {
	var now unix.Timespec
	require.NoError(b, unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now))
	return time.Duration(now.Nano())
}
