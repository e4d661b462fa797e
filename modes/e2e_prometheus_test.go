//go:build e2e && linux

package modes_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// prometheus is a real Prometheus that scrapes a proxy every second.
type prometheus struct {
	t    *testing.T
	addr string
}

func startPrometheus(t *testing.T, proxyAddr string) *prometheus {
	t.Helper()
	return startPrometheusWith(t, fmt.Sprintf(`
  - job_name: fodc
    static_configs: [{targets: [%q]}]
  - job_name: fodc-windows
    metrics_path: /metrics-windows
    static_configs: [{targets: [%q]}]
`, proxyAddr, proxyAddr))
}

// startPrometheusWith starts one with the jobs.
func startPrometheusWith(t *testing.T, jobs string) *prometheus {
	t.Helper()
	return startPrometheusConfig(t, "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n"+jobs)
}

// startPrometheusConfig starts one with the configuration. That it has nothing to complain about is part of the test.
func startPrometheusConfig(t *testing.T, text string, args ...string) *prometheus {
	t.Helper()
	path, err := exec.LookPath("prometheus")
	require.NoError(t, err, "install Debian's prometheus package")
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	p := &prometheus{t: t, addr: freeAddr(t)}
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	cmd := exec.Command(path, append(args, "--config.file", config, "--storage.tsdb.path", filepath.Join(dir, "data"), "--web.listen-address", p.addr)...)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		text, _ := os.ReadFile(log.Name())
		for line := range strings.SplitSeq(string(text), "\n") {
			if strings.Contains(line, "level=warn") || strings.Contains(line, "level=error") {
				t.Errorf("prometheus complains: %s", line)
			}
		}
	})
	return p
}

// query returns series (as text of their labels) -> value.
func (p *prometheus) query(promql string) (map[string]string, error) {
	_, body, _, err := get(p.addr, "/api/v1/query?query="+url.QueryEscape(promql))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return nil, fmt.Errorf("%w: %s", err, body)
	}
	got := map[string]string{}
	for _, r := range answer.Data.Result {
		delete(r.Metric, "instance")
		text, _ := json.Marshal(r.Metric)
		got[string(text)] = fmt.Sprint(r.Value[1])
	}
	return got, nil
}

// promtoolCheck parses and lints a page. A page of a database is not ours to lint:
// only what is said of fodc's own families is a fault.
func promtoolCheck(t *testing.T, page string) {
	t.Helper()
	cmd := exec.Command("promtool", "check", "metrics")
	cmd.Stdin = strings.NewReader(page)
	out, err := cmd.CombinedOutput()
	for line := range strings.SplitSeq(string(out), "\n") {
		require.False(t, strings.HasPrefix(line, "fodc_"), "promtool complains: %s", line)
	}
	if err != nil {
		require.Equal(t, 3, cmd.ProcessState.ExitCode(), "the page does not parse: %s", out)
	}
}
