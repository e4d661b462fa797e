package journalbench

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"fodc/recorder/recordertest"

	"github.com/stretchr/testify/require"
)

// pagesDir has the pages of a real node.
const pagesDir = "../../testdata/banyandb"

const (
	// interval is that of the scrapes: short, so that there are many.
	interval = 100 * time.Millisecond
	// syncInterval is as long, as it is by default: each scrape is synced on its own.
	syncInterval = interval
	// scrapes is how many are measured. A segment has as many in two hours, at one in 10 s: so
	// what is once in a segment counts as much as it does there.
	scrapes = 720
	// warmUp is how many scrapes come before: the heap grows, series are new.
	warmUp = 130
	// parts is in how many parts the time is cut. The ratio of processor times is the median of
	// those of the parts.
	parts = 12
)

// side is one of two agents that are compared.
type side struct {
	*agent
	node *node
	// cpus are the processor times for each sample in the parts, in ns; memory the anonymous
	// memory in the second half, in MB.
	cpus, memory []float64

	cpuBefore     time.Duration
	samplesBefore float64
}

func startSide(b *testing.B, program string, next func() []byte, more ...string) *side {
	n := startNode(b, next)
	return &side{node: n, agent: startAgent(b, program, n.URL+"/metrics",
		append([]string{"--poll-metrics-interval", interval.String()}, more...)...)}
}

// await waits until the node was scraped so often.
func (s *side) await(count int) {
	require.Eventually(s.b, func() bool { return s.node.served() >= count }, scrapes*interval+patience, time.Millisecond)
}

// cut begins the next part, and keeps the figures of the one that ends.
func (s *side) cut(part int) {
	cpu := s.cpu()
	samples, err := s.recorded()
	require.NoError(s.b, err)
	if part > 0 {
		s.cpus = append(s.cpus, float64(cpu-s.cpuBefore)/(samples-s.samplesBefore))
	}
	if part > parts/2 {
		s.memory = append(s.memory, s.anonymous())
	}
	s.cpuBefore, s.samplesBefore = cpu, samples
}

// pair is an agent with a journal and one without, whose nodes have the same pages.
type pair struct {
	name          string
	dir           string
	with, without *side
}

func startPair(b *testing.B, program, name string, next func() func() []byte) *pair {
	dir := b.TempDir()
	return &pair{name: name, dir: dir, without: startSide(b, program, next()),
		with: startSide(b, program, next(), "--storage-dir", dir, "--storage-sync-interval", syncInterval.String())}
}

// BenchmarkCost runs agents with and without a journal at the same time. It prints the processor
// time for each sample of both and their ratio, the bytes of a sample on disk with all that is
// around it, and the anonymous memory of both and their difference.
func BenchmarkCost(b *testing.B) {
	program := binary(b)
	pairs := []*pair{
		startPair(b, program, "real", func() func() []byte { return recordertest.NewRepeatedNode(b, pagesDir).Next }),
		startPair(b, program, "walking-3000", func() func() []byte { return recordertest.NewWalkingNode(3_000).Next }),
	}
	for part := range parts + 1 {
		for _, p := range pairs {
			for _, s := range []*side{p.with, p.without} {
				s.await(warmUp + scrapes*part/parts)
				s.cut(part)
			}
		}
	}
	for _, p := range pairs {
		b.Run(p.name, p.report)
	}
}

func (p *pair) report(b *testing.B) {
	var ratios []float64
	for i := range p.with.cpus {
		ratios = append(ratios, p.with.cpus[i]/p.without.cpus[i])
	}
	for b.Loop() { // All was measured before.
	}
	b.ReportMetric(median(ratios), "x-cpu")
	b.ReportMetric(median(p.with.cpus), "cpu-ns/sample")
	b.ReportMetric(median(p.without.cpus), "plain-cpu-ns/sample")
	recorded, err := p.with.recorded()
	require.NoError(b, err)
	b.ReportMetric(sizeOf(b, p.dir)/recorded, "disk-B/sample")
	b.ReportMetric(median(p.with.memory), "MB-anonymous")
	b.ReportMetric(median(p.without.memory), "plain-MB-anonymous")
	b.ReportMetric(median(p.with.memory)-median(p.without.memory), "MB-more")
	b.ReportMetric(0, "ns/op")
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// sizeOf returns the size of all segments.
func sizeOf(b *testing.B, dir string) (size float64) {
	segments, err := filepath.Glob(filepath.Join(dir, "journal", "*.segment"))
	require.NoError(b, err)
	for _, s := range segments {
		info, err := os.Stat(s)
		require.NoError(b, err)
		size += float64(info.Size())
	}
	return size
}
