//go:build e2e && linux

package modes_test

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

// node plays the metrics endpoint of a database node with a page that can be changed.
type node struct {
	*httptest.Server
	page atomic.Pointer[string]
}

func startNode(t *testing.T, page string) *node {
	n := &node{}
	n.show(page)
	n.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = io.WriteString(w, *n.page.Load())
	}))
	t.Cleanup(n.Close)
	return n
}

func (n *node) show(page string) { n.page.Store(&page) }

func (n *node) endpoint() string { return n.URL + "/metrics" }

func readPage(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "testdata", "banyandb", name))
	require.NoError(t, err)
	return string(b)
}

func pageNames(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("../testdata/banyandb/*.prom")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for i := range paths {
		paths[i] = filepath.Base(paths[i])
	}
	return paths
}

// samples returns the page as one line a sample: its family's type and help, its name
// and labels but for those of the identity, and the bits of its value. What fodc adds
// of its own is left out.
func samples(t *testing.T, page string) []string {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(page))
	require.NoError(t, err)
	var lines []string
	for name, f := range families {
		if strings.HasPrefix(name, "fodc_") {
			continue
		}
		for _, m := range f.Metric {
			lines = append(lines, familyLines(f, m)...)
		}
	}
	slices.Sort(lines)
	return lines
}

func familyLines(f *dto.MetricFamily, m *dto.Metric) []string {
	var labels []string
	for _, l := range m.Label {
		identity := slices.Contains([]string{"node_id", "node_role", "pod_name", "container_name"}, l.GetName())
		if !identity && l.GetValue() != "" { // An empty label is no label.
			labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
		}
	}
	slices.Sort(labels)
	var lines []string
	sample := func(what string, v float64) {
		lines = append(lines, fmt.Sprintf("%s %s %q %v %s %016x", f.GetName(), f.GetType(), f.GetHelp(), labels, what, math.Float64bits(v)))
	}
	switch {
	case m.Gauge != nil:
		sample("", m.Gauge.GetValue())
	case m.Counter != nil:
		sample("", m.Counter.GetValue())
	case m.Untyped != nil:
		sample("", m.Untyped.GetValue())
	case m.Histogram != nil:
		for _, b := range m.Histogram.Bucket {
			sample(fmt.Sprintf("le=%v", b.GetUpperBound()), float64(b.GetCumulativeCount()))
		}
		sample("sum", m.Histogram.GetSampleSum())
		sample("count", float64(m.Histogram.GetSampleCount()))
	case m.Summary != nil:
		for _, q := range m.Summary.Quantile {
			sample(fmt.Sprintf("quantile=%v", q.GetQuantile()), q.GetValue())
		}
		sample("sum", m.Summary.GetSampleSum())
		sample("count", float64(m.Summary.GetSampleCount()))
	}
	return lines
}

// firstDifference returns an error that shows where two sorted lists part.
func firstDifference(want, got []string) error {
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(want):
			return fmt.Errorf("too much: %s", got[i])
		case i >= len(got):
			return fmt.Errorf("missing: %s", want[i])
		case want[i] != got[i]:
			return fmt.Errorf("want %s, got %s", want[i], got[i])
		}
	}
	return nil
}
