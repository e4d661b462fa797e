//go:build bench

package proxybench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"
)

// rounds is how many runs a median is of.
const rounds = 5

// run is what is measured at once.
type run struct {
	name    string
	floor   bool
	load    load
	path    string
	gzip    bool
	scrapes int
}

// result is what a run has cost.
type result struct {
	cpu  float64 // microseconds a sample
	p50  float64 // milliseconds
	peak float64 // MiB
	idle float64 // KiB an agent that is connected, and was never asked
}

func (r run) samples() int { return r.load.agents * r.load.series * max(1, r.load.samples) }

// measure runs it once, in a process of its own.
func (r run) measure(t *testing.T) (got result) {
	start := startProxy
	if r.floor {
		start = startFloor
	}
	p := start(t)
	defer p.stop()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	empty := p.memory("VmRSS")
	r.load.connect(ctx, t, p)
	got.idle = (p.memory("VmRSS") - empty) / float64(r.load.agents) / 1024
	for range 2 { // Until caches are warm.
		r.scrape(t, p)
	}
	took := make([]float64, r.scrapes)
	before := p.cpu()
	for i := range took {
		took[i] = float64(r.scrape(t, p)) / float64(time.Millisecond)
	}
	got.cpu = float64(p.cpu()-before) / float64(time.Microsecond) / float64(r.scrapes*r.samples())
	got.p50 = median(took)
	got.peak = p.memory("VmHWM") / (1 << 20)
	return got
}

// scrape asks once, and returns how long the whole answer took. It must be complete.
func (r run) scrape(t *testing.T, p *process) time.Duration {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.httpAddr+r.path, nil)
	require.NoError(t, err)
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "60")
	request.Header.Set("Accept-Encoding", "identity")
	if r.gzip {
		request.Header.Set("Accept-Encoding", "gzip")
	}
	begin := time.Now()
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	took := time.Since(begin)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	if !r.floor && !r.gzip {
		require.Equal(t, r.samples(), bytes.Count(page, []byte("\nbench_node_metric_"))+bytes.Count(page, []byte(`"value":`)))
	}
	return took
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// medians runs them in turn, and returns the medians of each.
func medians(t *testing.T, runs []run) []result {
	all := make([][]result, len(runs))
	for range rounds {
		for i, r := range runs {
			all[i] = append(all[i], r.measure(t))
		}
	}
	of := func(results []result, f func(result) float64) float64 {
		values := make([]float64, len(results))
		for i, r := range results {
			values[i] = f(r)
		}
		return median(values)
	}
	var found []result
	for _, results := range all {
		found = append(found, result{
			cpu:  of(results, func(r result) float64 { return r.cpu }),
			p50:  of(results, func(r result) float64 { return r.p50 }),
			peak: of(results, func(r result) float64 { return r.peak }),
			idle: of(results, func(r result) float64 { return r.idle }),
		})
	}
	return found
}

func runsOf() []run {
	hundred, thousand := load{agents: 100, series: 300}, load{agents: 1000, series: 300}
	own := load{agents: 100, series: 300, own: true}
	window := load{agents: 100, series: 300, samples: 60}
	ownWindow := load{agents: 100, series: 300, samples: 60, own: true}
	const metrics, windows = "/metrics", "/metrics-windows?start_time=1"
	return []run{
		{name: "floor", floor: true, load: hundred, path: metrics, scrapes: 30},
		{name: "baseline", load: hundred, path: metrics, scrapes: 30},
		{name: "baseline, gzip", load: hundred, path: metrics, gzip: true, scrapes: 20},
		{name: "baseline, 1000 agents", load: thousand, path: metrics, scrapes: 3},
		{name: "baseline, window of 60", load: window, path: windows, scrapes: 1},
		{name: "own", load: own, path: metrics, scrapes: 30},
		{name: "own, window of 60", load: ownWindow, path: windows, scrapes: 2},
		{name: "own, window of 60, JSON", load: ownWindow, path: windows + "&format=json", scrapes: 2},
	}
}

func TestBenchProxy(t *testing.T) {
	runs := runsOf()
	results := medians(t, runs)
	floor := results[0]
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "medians of %d\tCPU us/sample\tx floor\tp50 ms\tx floor\tpeak MiB\tx floor\tidle KiB/agent\t\n", rounds)
	for i, r := range results {
		fmt.Fprintf(w, "%s\t%.3f\t%.2f\t%.1f\t%.2f\t%.1f\t%.2f\t%.0f\t\n", runs[i].name,
			r.cpu, r.cpu/floor.cpu, r.p50, r.p50/floor.p50, r.peak, r.peak/floor.peak, r.idle)
	}
	require.NoError(t, w.Flush())
}
