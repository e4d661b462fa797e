package bundle

import (
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"fodc/recorder/bundle/bundletest"
)

// BenchmarkBundle is what an incident of ten nodes with 3,000 series of an hour costs: what changed, a bundle and a small one. The memory is
// the most that the heap had.
func BenchmarkBundle(b *testing.B) {
	var nodes []string
	for n := range 10 {
		nodes = append(nodes, fmt.Sprintf("data-%d", n))
	}
	for name, o := range map[string]bundletest.Options{"blocks": {Blocks: nodes}, "journals": {Windows: nodes}} {
		o.Series, o.Scrapes, o.LogBytes = 3000, 360, 1<<20
		dir, _ := bundletest.Write(b, b.TempDir(), o)
		d, err := OpenDir(dir)
		if err != nil {
			b.Fatal(err)
		}
		run := func(what string, f func() error) {
			b.Run(name+"/"+what, func(b *testing.B) {
				stop, most := make(chan struct{}), make(chan uint64)
				go func() { most <- highest(stop) }()
				for b.Loop() {
					if err := f(); err != nil {
						b.Fatal(err)
					}
				}
				close(stop)
				b.ReportMetric(float64(<-most>>20), "heap-MiB")
			})
		}
		run("changes", func() error { _, err := Changes(b.Context(), d); return err })
		run("full", func() error { return Write(b.Context(), io.Discard, d, Options{}) })
		run("lite", func() error { return Write(b.Context(), io.Discard, d, Options{Lite: true}) })
	}
}

// highest returns the largest size that the heap had.
func highest(stop chan struct{}) (most uint64) {
	runtime.GC()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapInuse)
		select {
		case <-stop:
			return most
		case <-tick.C:
		}
	}
}
