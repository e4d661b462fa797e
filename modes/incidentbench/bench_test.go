//go:build bench && linux

package incidentbench

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/require"
)

// roundsVariable says of how many rounds a median is.
const roundsVariable = "FODC_BENCH_ROUNDS"

const (
	// cpuLimit is how many times the processor time of quiet times an agent may take while it captures, or freezes.
	cpuLimit = 2
	// memoryLimit is how much more anonymous memory it may take while an incident is open, in MB.
	memoryLimit = 10
)

func rounds() int {
	if n, err := strconv.Atoi(os.Getenv(roundsVariable)); err == nil && n > 0 {
		return n
	}
	return 4
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// row is one of the table: what was measured in turns, and what it is compared to.
type row struct {
	what          string
	value, beside []float64
	unit          string  // of both
	limit         float64 // of the ratio, or of the difference in MB; 0: there is none
}

const (
	ofCPU    = "ms"
	ofMemory = "MB"
)

// result returns the median of the ratios, or of the differences of memory.
func (r row) result() (float64, string) {
	var all []float64
	for i := range r.value {
		if r.unit == ofMemory {
			all = append(all, r.value[i]-r.beside[i])
		} else {
			all = append(all, r.value[i]/r.beside[i])
		}
	}
	if r.unit == ofMemory {
		return median(all), "MB more"
	}
	return median(all), "x"
}

func (r row) limits(result float64, unit string) (limit, verdict string) {
	switch limit = fmt.Sprintf("%g %s", r.limit, unit); {
	case r.limit == 0:
		return "", ""
	case result > r.limit:
		return limit, "OVER"
	default:
		return limit, "within"
	}
}

func TestBenchIncident(t *testing.T) {
	w := newWorld(t)
	for n := range rounds() {
		w.round()
		t.Logf("round %d of %d is done", n+1, rounds())
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "medians\tmeasured\tbeside\tresult\tlimit\t\t\n")
	for _, r := range w.rows() {
		result, unit := r.result()
		limit, verdict := r.limits(result, unit)
		fmt.Fprintf(table, "%s\t%.1f %s\t%.1f %s\t%.2f %s\t%s\t%s\t\n", r.what, median(r.value), r.unit, median(r.beside), r.unit, result, unit, limit, verdict)
	}
	require.NoError(t, table.Flush())
}
