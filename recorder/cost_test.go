package recorder

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/recorder/recordertest"
)

// BenchmarkResident prints the resident memory of the process after three hours of
// 3,000 series in a budget of 30 MB. Run it alone, once, with the GOGC that is in
// question: what other benchmarks leave behind counts as well.
func BenchmarkResident(b *testing.B) {
	var w *Window
	for b.Loop() {
		w = record(b, Limits{Bytes: 30_000_000}, threeHours+1, recordertest.NewWalkingNode(3_000).Next)
	}
	b.ReportMetric(residentMiB(b), "MiB-resident")
	b.ReportMetric(float64(w.Stats().Bytes)/(1<<20), "MiB-window")
	b.ReportMetric(w.Stats().Span().Hours(), "hours")
	b.ReportMetric(0, "ns/op")
}

func residentMiB(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("no /proc: ", err)
	}
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte("VmRSS:")); ok {
			kib, err := strconv.ParseFloat(string(bytes.Fields(rest)[0]), 64)
			require.NoError(b, err)
			return kib / 1024
		}
	}
	b.Skip("no VmRSS")
	return 0
}

// BenchmarkRange streams three hours of 3,000 series in batches that fit a chunk of an
// answer, and prints how long one range takes, and by how much the heap and the resident
// memory of the process grow meanwhile.
func BenchmarkRange(b *testing.B) {
	const batch = 60 << 10
	w := record(b, Limits{Bytes: 30_000_000}, threeHours, recordertest.NewWalkingNode(3_000).Next)
	before, resident := heapBytes(), residentMiB(b)
	var peak int64
	peakResident := resident
	b.ReportAllocs()
	for b.Loop() {
		s := w.Snapshot(everything)
		for n := 0; ; n++ {
			blocks := s.Next(batch)
			if blocks == nil {
				break
			}
			if n%100 == 0 {
				b.StopTimer()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, int64(m.HeapAlloc)-before)
				peakResident = max(peakResident, residentMiB(b))
				b.StartTimer()
			}
		}
	}
	b.ReportMetric(float64(peak)/(1<<20), "MiB-added")
	b.ReportMetric(peakResident-resident, "MiB-resident-added")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/range")
	perSample(b, w.Stats().Samples)
}

// BenchmarkSeal packs a head of 3,000 columns: it is what one scrape in 120 costs on
// top of the others.
func BenchmarkSeal(b *testing.B) {
	w := record(b, Limits{}, defaultChunkScrapes, recordertest.NewWalkingNode(3_000).Next)
	var e encoder
	start := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		g, _ := seal(w.sorted[0].head, &e, nil)
		require.NotNil(b, g)
	}
	b.ReportMetric(float64(time.Since(start).Nanoseconds())/float64(b.N)/float64(w.Stats().Samples), "ns/sample")
}
