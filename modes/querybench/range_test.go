//go:build bench && linux

package querybench

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	rangeRequests = 15
	// rangeLimit is how many times the time of a local Prometheus a range query may take that returns
	// the samples, or a value for each few of them. One that returns a single series has none: the hundred
	// agents are asked nevertheless, which takes longer than Prometheus takes for all of it.
	rangeLimit = 3
	// lateLimit is how much longer than the slowest agent it may take, in ms.
	lateLimit = 50
)

// benchRange measures range queries over an hour of one family of all nodes: 36,000 samples of
// 100 series.
func benchRange(t *testing.T) []row {
	p := startProxy(t)
	all := startAgents(t, p)
	end := time.Now().Truncate(interval)
	reference := startPrometheus(t, p, end)
	over := func(expr string, step int) string {
		return fmt.Sprintf("/api/v1/query_range?query=%s&start=%s&end=%s&step=%d", url.QueryEscape(expr), seconds(end.Add(-time.Hour)), seconds(end), step)
	}
	var rows []row
	for _, of := range []struct {
		expr  string
		step  int
		limit float64
	}{{oneSeries, 10, rangeLimit}, {"rate(" + oneSeries + "[1m])", 15, rangeLimit}, {"sum(rate(" + oneSeries + "[5m]))", 60, 0}} {
		path := over(of.expr, of.step)
		series, points, _ := p.query(path)
		wantSeries, wantPoints, _ := reference.query(path)
		require.Equal(t, []int{wantSeries, wantPoints}, []int{series, points}, "series and points of %s", path)
		var ours, theirs []float64
		for range rounds() {
			ours = append(ours, timeOf(p.process, path))
			theirs = append(theirs, timeOf(reference, path))
		}
		rows = append(rows, row{what: fmt.Sprintf("%s over 1 h, step %d s", of.expr, of.step), value: fmt.Sprintf("%.1f ms", median(ours)),
			beside: fmt.Sprintf("Prometheus %.1f ms", median(theirs)), ratio: ratios(ours, theirs), limit: of.limit, unit: "x"})
	}
	path := over(oneSeries, 10)
	for _, of := range []struct {
		what   string
		toggle syscall.Signal
		least  time.Duration
	}{{"one agent is late", toggleLate, late}, {"all agents are far away", toggleFar, far}} {
		require.NoError(t, all.cmd.Process.Signal(of.toggle))
		require.Eventually(t, func() bool { _, took := p.get(path); return took > of.least }, patience, time.Millisecond)
		var slow []float64
		for range rounds() {
			slow = append(slow, timeOf(p.process, path))
		}
		require.NoError(t, all.cmd.Process.Signal(of.toggle))
		rows = append(rows, row{what: "the first of them where " + of.what, value: fmt.Sprintf("%.1f ms", median(slow)),
			beside: fmt.Sprintf("the agent %d ms", of.least.Milliseconds()), ratio: median(slow) - float64(of.least.Milliseconds()), limit: lateLimit, unit: "ms"})
	}
	return rows
}

// timeOf is how long a query takes, the median of several, in ms.
func timeOf(p *process, path string) float64 {
	var all []float64
	for range rangeRequests {
		_, took := p.get(path)
		all = append(all, float64(took)/float64(time.Millisecond))
	}
	return median(all)
}

// startPrometheus runs one that has what the proxy's windows have of the family, on its disk.
func startPrometheus(t *testing.T, p proxy, end time.Time) *process {
	for _, tool := range []string{"prometheus", "promtool"} {
		_, err := exec.LookPath(tool)
		require.NoError(t, err, "Debian: apt-get install prometheus")
	}
	dir := t.TempDir()
	body, _ := p.get(fmt.Sprintf("/metrics-windows?strict=1&format=openmetrics&name[]=%s&start_time=%s&end_time=%s", oneSeries,
		seconds(end.Add(-past+time.Minute)), seconds(end)))
	text, data := filepath.Join(dir, "window.txt"), filepath.Join(dir, "data")
	require.NoError(t, os.WriteFile(text, body, 0o600))
	out, err := exec.Command("promtool", "tsdb", "create-blocks-from", "openmetrics", text, data).CombinedOutput()
	require.NoError(t, err, "%s", out)
	config := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, nil, 0o600))
	address := freeAddress(t)
	return start(t, address, "/-/ready", exec.Command("prometheus", "--config.file="+config, "--storage.tsdb.path="+data,
		"--web.listen-address="+address, "--log.level=error", "--storage.tsdb.retention.time=10d"))
}
