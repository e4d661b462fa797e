//go:build bench && linux

package querybench

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/require"
)

// What the environment may say.
const (
	rowsVariable   = "FODC_BENCH_ROWS"   // a regular expression for the rows to run
	roundsVariable = "FODC_BENCH_ROUNDS" // how many runs a median is of
)

// rounds returns of how many runs a median is.
func rounds() int {
	if n, err := strconv.Atoi(os.Getenv(roundsVariable)); err == nil && n > 0 {
		return n
	}
	return 7
}

// row is one of the table.
type row struct {
	what          string
	value, beside string // the figure, and that to which it is compared
	ratio, limit  float64
	unit          string // of the ratio and its limit: "x", or one of a sum
}

func (r row) verdict() string {
	switch {
	case r.limit == 0:
		return ""
	case r.ratio > r.limit:
		return "OVER"
	}
	return "within"
}

func median(values []float64) float64 { return quantile(values, .5) }

func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// ratios returns the median of the ratios of values that were measured in turns.
func ratios(values, beside []float64) float64 {
	var all []float64
	for i := range values {
		all = append(all, values[i]/beside[i])
	}
	return median(all)
}

// parts of the benchmark. They run one after the other, each with processes of its own.
var parts = []struct {
	name string
	run  func(t *testing.T) []row
}{
	{"instant", benchInstant},
	{"range", benchRange},
	{"memory", benchMemory},
	{"scrape", benchScrape},
}

func TestBenchQuery(t *testing.T) {
	chosen, err := regexp.Compile(os.Getenv(rowsVariable))
	require.NoError(t, err, rowsVariable)
	var rows []row
	for _, p := range parts {
		if chosen.MatchString(p.name) {
			t.Run(p.name, func(t *testing.T) { rows = append(rows, p.run(t)...) })
		}
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "medians\tmeasured\tbeside\tresult\tlimit\t\t\n")
	for _, r := range rows {
		limit := ""
		if r.limit > 0 {
			limit = fmt.Sprintf("%.3g %s", r.limit, r.unit)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%.2f %s\t%s\t%s\t\n", r.what, r.value, r.beside, r.ratio, r.unit, limit, r.verdict())
	}
	require.NoError(t, w.Flush())
}
