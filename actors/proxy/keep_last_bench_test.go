package proxy

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

// BenchmarkKeepLast keeps ten minutes of ten agents of 3,000 series that are scraped every 10 s, without what collecting
// costs. It prints the time for each minute of all, the size on disk, and the memory that stays.
func BenchmarkKeepLast(b *testing.B) {
	const agents, series, minutes = 10, 3000, 10
	now := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	windows, nodes := make([]*recorder.Window, agents), make([]*keptNode, agents)
	disks := keptDisks{}
	cfg := disks.config(minutes * time.Minute)
	for i := range agents {
		windows[i] = recorder.NewWindow(recorder.Limits{Bytes: 1 << 30, Series: 1 << 20})
		nodes[i] = &keptNode{cfg: cfg, nodeID: fmt.Sprint("n", i), collect: func(_ context.Context, q messages.Query) (*messages.Collection, error) {
			s := windows[i].Snapshot(q.Selection)
			a := messages.NodeAnswer{Identity: messages.Identity{NodeID: fmt.Sprint("n", i)}}
			for some := s.Next(60 << 10); some != nil; some = s.Next(60 << 10) {
				a.Blocks = append(a.Blocks, some...)
			}
			return &messages.Collection{Nodes: []messages.NodeAnswer{a}}, nil
		}}
	}
	scrape := 0
	record := func() {
		scrape++
		now = now.Add(10 * time.Second)
		for i := range agents {
			samples := make([]recorder.Sample, series)
			for k := range samples {
				samples[k] = recorder.Sample{Name: fmt.Sprint("family_", k/10), Type: messages.TypeCounter, Value: float64(scrape * (k%50 + i)), Labels: []messages.Label{{Name: "group", Value: fmt.Sprint(k % 10)}}}
			}
			windows[i].Append(recorder.Target{Name: "http://node/metrics"}, recorder.Scrape{At: now, Samples: samples})
		}
	}
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	var spent time.Duration
	fetch := func() {
		began := time.Now()
		for _, k := range nodes {
			require.NoError(b, k.fetch(b.Context(), now))
		}
		spent += time.Since(began)
	}
	for range 6 * minutes {
		record()
	}
	fetch()
	for b.Loop() {
		for range 6 {
			record()
			fetch()
		}
	}
	bytes := int64(0)
	for _, d := range disks {
		bytes += d.Total()
	}
	b.ReportMetric(spent.Seconds()*1000/float64(b.N), "ms/minute")
	b.ReportMetric(float64(bytes)/agents/(1<<10), "KiB/agent")
	with := heap()
	clear(nodes)
	b.ReportMetric(float64(with-heap())/agents/(1<<10), "KiB-heap/agent")
	runtime.KeepAlive(windows)
	b.ReportMetric(0, "ns/op")
}
