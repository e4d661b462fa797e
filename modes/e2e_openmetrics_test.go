//go:build e2e && linux

package modes

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fodc/httpapi"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

const (
	// openWindow is how much of the past is loaded into blocks.
	openWindow = 10 * time.Minute
	openNodes  = 3
)

// openPage is a node's page with every type of family, and names that OpenMetrics has
// other types for.
func openPage(id string, scrape int) []byte {
	var b bytes.Buffer
	n := float64(scrape)
	fmt.Fprintf(&b, "# TYPE requests_total counter\nrequests_total{node=%q,path=\"/a \\\"b\\\"\\n\"} %v\n", id, n)
	fmt.Fprintf(&b, "# TYPE total_written counter\ntotal_written %v\n", n*7)
	fmt.Fprintf(&b, "# HELP doc_count Documents, \"all\".\n# TYPE doc_count gauge\ndoc_count %v\n", n/3)
	fmt.Fprintf(&b, "# TYPE requests gauge\nrequests %v\n", -n)
	fmt.Fprintf(&b, "# TYPE latency_seconds histogram\n")
	fmt.Fprintf(&b, "latency_seconds_bucket{le=\"0.5\"} %v\nlatency_seconds_bucket{le=\"+Inf\"} %v\n", n, 2*n)
	fmt.Fprintf(&b, "latency_seconds_sum %v\nlatency_seconds_count %v\n", n*0.1, 2*n)
	fmt.Fprintf(&b, "# TYPE pause_seconds summary\npause_seconds{quantile=\"0.5\"} NaN\n")
	fmt.Fprintf(&b, "pause_seconds_sum %v\npause_seconds_count %v\n", 1/n, n)
	if scrape%5 != 0 {
		fmt.Fprintf(&b, "sometimes{v=\"é\"} +Inf\n")
	}
	return b.Bytes()
}

func TestE2EWindowBecomesBlocks(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	require.NoError(t, err, "install Debian's prometheus package")
	var asJSON, asOpen []byte
	inClusterOf(t, openNodes, openPage, func(t *testing.T, w *cluster) {
		w.pass(openWindow)
		api := &httpapi.ProxyAPI{Collect: w.proxy.Collect, Cluster: w.proxy.Cluster, Tree: w.sys.Tree, Counts: w.sys.Counts, ProxyCounts: w.proxy.Counts, Process: processUsage, MaxInFlightBytes: 1 << 30,
			Ready: func() bool { return true }, CollectTimeout: clusterPatience, StartedAt: time.Now(), Log: zap.NewNop()}
		h := api.Handler()
		window := fmt.Sprintf("/metrics-windows?strict=1&start_time=%d&end_time=%d", time.Now().Add(-openWindow).Unix(), time.Now().Unix())
		for format, page := range map[string]*[]byte{"json": &asJSON, "openmetrics": &asOpen} {
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, window+"&format="+format, nil))
			require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
			*page = answer.Body.Bytes()
		}
	})
	want := jsonSamples(t, asJSON)
	// Each node's 13 series of a whole window, one of them four times out of five.
	require.GreaterOrEqual(t, len(want), openNodes*(12*5+4)*int(openWindow/clusterScrapes)/5)

	dir := t.TempDir()
	page := filepath.Join(dir, "window.openmetrics")
	require.NoError(t, os.WriteFile(page, asOpen, 0o600))
	out, err := exec.Command(promtool, "tsdb", "create-blocks-from", "openmetrics", page, filepath.Join(dir, "blocks")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	// The blocks alone are no database to promtool.
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "blocks", "wal"), 0o700))
	dumped, err := exec.Command(promtool, "tsdb", "dump", filepath.Join(dir, "blocks")).Output()
	require.NoError(t, err)
	var got []string
	for lines := bufio.NewScanner(bytes.NewReader(dumped)); lines.Scan(); {
		got = append(got, lines.Text())
	}
	slices.Sort(got)
	require.Equal(t, len(want), len(got))
	for i := range want {
		require.Equal(t, want[i], got[i])
	}
	t.Logf("%d samples of %d series went through blocks of %s and came back the same", len(got), seriesOf(got), openWindow)
}

func seriesOf(lines []string) int {
	series := map[string]bool{}
	for _, l := range lines {
		series[l[:strings.LastIndex(l, "} ")]] = true
	}
	return len(series)
}

// jsonSamples returns the samples of a JSON window as promtool dumps them, sorted.
func jsonSamples(t *testing.T, page []byte) []string {
	t.Helper()
	var series []struct {
		Name   string
		Labels map[string]string
		Data   []struct {
			Timestamp time.Time
			Value     any
		}
	}
	require.NoError(t, json.Unmarshal(page, &series))
	var lines []string
	for _, s := range series {
		s.Labels["__name__"] = s.Name
		var labels []string
		for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
			if s.Labels[name] != "" {
				labels = append(labels, name+"="+strconv.Quote(s.Labels[name]))
			}
		}
		for _, x := range s.Data {
			value := fmt.Sprintf("%g", x.Value)
			if word, ok := x.Value.(string); ok {
				value = word
			}
			lines = append(lines, fmt.Sprintf("{%s} %s %d", strings.Join(labels, ", "), value, x.Timestamp.UnixMilli()))
		}
	}
	slices.Sort(lines)
	return lines
}
