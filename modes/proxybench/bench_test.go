//go:build bench && linux

package proxybench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"
)

// rounds is how many runs a median is of, unless roundsVariable says otherwise.
const rounds = 5

// What the environment may say.
const (
	rowsVariable    = "FODC_BENCH_ROWS"    // a regular expression for the rows to run beside the floor
	roundsVariable  = "FODC_BENCH_ROUNDS"  // how many runs a median is of
	scrapesVariable = "FODC_BENCH_SCRAPES" // how many scrapes a run is of
)

// run is what is measured at once.
type run struct {
	name    string
	floor   bool
	load    load
	path    string
	gzip    bool
	secured bool // agents connect with TLS, and show a certificate
	first   bool // measures the first scrape, with which the proxy learns what agents have
	scrapes int
}

// result is what a run has cost.
type result struct {
	cpu  float64 // microseconds a sample
	p50  float64 // milliseconds
	peak float64 // MiB
}

func (r run) samples() int { return r.load.agents * r.load.series * max(1, r.load.samples) }

// measure runs it once, in a process of its own.
func (r run) measure(t *testing.T) (got result) {
	start := startProxy
	switch {
	case r.floor:
		start = startFloor
	case r.secured:
		start = startSecured
	}
	p := start(t)
	defer p.stop()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r.load.connect(ctx, t, p)
	for range 2 { // Until caches are warm.
		if !r.first {
			r.scrape(t, p)
		}
	}
	if n, err := strconv.Atoi(os.Getenv(scrapesVariable)); err == nil && n > 0 && !r.first {
		r.scrapes = n // to profile the proxy meanwhile
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

// measureAll runs them in turn, round after round, and returns the results of each.
func measureAll(t *testing.T, runs []run) [][]result {
	all := make([][]result, len(runs))
	rounds := rounds
	if n, err := strconv.Atoi(os.Getenv(roundsVariable)); err == nil && n > 0 {
		rounds = n
	}
	for range rounds {
		for i, r := range runs {
			all[i] = append(all[i], r.measure(t))
		}
	}
	return all
}

// medianOf returns the median of a figure, and that of its ratios to the floor of the same
// round: what slows the machine for some seconds slows both.
func medianOf(results, floor []result, figure func(result) float64) (value, ratio float64) {
	var values, ratios []float64
	for i, r := range results {
		values = append(values, figure(r))
		ratios = append(ratios, figure(r)/figure(floor[i]))
	}
	return median(values), median(ratios)
}

func runsOf() []run {
	const metrics, windows = "/metrics", "/metrics-windows?start_time=1"
	var runs []run
	// three are the floor and both kinds of agents beside it.
	three := func(suffix string, agents, series, scrapes int) {
		of := load{agents: agents, series: series}
		own := of
		own.own = true
		runs = append(runs, run{name: "floor" + suffix, floor: true, load: of, path: metrics, scrapes: scrapes},
			run{name: "baseline" + suffix, load: of, path: metrics, scrapes: scrapes},
			run{name: "own" + suffix, load: own, path: metrics, scrapes: scrapes})
	}
	three("", 100, 300, 100)
	three(", x 1000", 100, 1000, 30)
	three(", x 3000", 100, 3000, 10)
	three(", 1000 agents", 1000, 300, 6)
	baseline, own := load{agents: 100, series: 300}, load{agents: 100, series: 300, own: true}
	window, ownWindow := baseline, own
	window.samples, ownWindow.samples = 60, 60
	return append(runs,
		run{name: "baseline, gzip", load: baseline, path: metrics, gzip: true, scrapes: 20},
		run{name: "baseline, first scrape", load: baseline, path: metrics, first: true, scrapes: 1},
		run{name: "own, first scrape", load: own, path: metrics, first: true, scrapes: 1},
		run{name: "baseline, window of 60", load: window, path: windows, scrapes: 1},
		run{name: "own, window of 60", load: ownWindow, path: windows, scrapes: 2},
		run{name: "own, window of 60, JSON", load: ownWindow, path: windows + "&format=json", scrapes: 2},
		run{name: "own, window of 60, OpenMetrics", load: ownWindow, path: windows + "&format=openmetrics", scrapes: 2},
	)
}

// skipUnless skips a test that has no row of that name to print.
func skipUnless(t *testing.T, name string) {
	rows, err := regexp.Compile(os.Getenv(rowsVariable))
	require.NoError(t, err, rowsVariable)
	if !rows.MatchString(name) {
		t.Skip(rowsVariable + " does not ask for " + name)
	}
}

// chosen are the runs that the environment asks for, and the floor.
func chosen(t *testing.T, runs []run) []run {
	rows, err := regexp.Compile(os.Getenv(rowsVariable))
	require.NoError(t, err, rowsVariable)
	return slices.DeleteFunc(runs, func(r run) bool { return r.name != runs[0].name && !rows.MatchString(r.name) })
}

// floorOf returns the index of the floor that the run stands beside: one of as many
// agents and series, or the first where none was run.
func floorOf(runs []run, i int) int {
	of := func(r run) [2]int { return [2]int{r.load.agents, r.load.series} }
	return max(0, slices.IndexFunc(runs, func(r run) bool { return r.floor && of(r) == of(runs[i]) }))
}

func TestBenchProxy(t *testing.T) {
	runs := chosen(t, runsOf())
	if rows := os.Getenv(rowsVariable); len(runs) == 1 && rows != "" {
		t.Skip("no row is " + rows)
	}
	all := measureAll(t, runs)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "medians\tCPU us/sample\tx floor\tp50 ms\tx floor\tpeak MiB\tx floor\t\n")
	for i, results := range all {
		floor := all[floorOf(runs, i)]
		cpu, ofCPU := medianOf(results, floor, func(r result) float64 { return r.cpu })
		p50, ofP50 := medianOf(results, floor, func(r result) float64 { return r.p50 })
		peak, ofPeak := medianOf(results, floor, func(r result) float64 { return r.peak })
		fmt.Fprintf(w, "%s\t%.3f\t%.2f\t%.1f\t%.2f\t%.1f\t%.2f\t\n", runs[i].name, cpu, ofCPU, p50, ofP50, peak, ofPeak)
	}
	require.NoError(t, w.Flush())
}
