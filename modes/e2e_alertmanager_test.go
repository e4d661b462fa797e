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
	"time"

	"github.com/stretchr/testify/require"
)

// startAlertmanager starts a real Alertmanager, and returns its address.
func startAlertmanager(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		path, err = exec.LookPath("alertmanager")
	}
	require.NoError(t, err, "install Debian's prometheus-alertmanager package")
	dir := t.TempDir()
	config := filepath.Join(dir, "alertmanager.yml")
	require.NoError(t, os.WriteFile(config, []byte("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"), 0o600))
	addr := freeAddr(t)
	cmd := exec.Command(path, "--config.file", config, "--storage.path", filepath.Join(dir, "data"), "--web.listen-address", addr, "--cluster.listen-address=")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	eventually(t, "Alertmanager is ready", func() error {
		status, _, _, err := get(addr, "/-/ready")
		if err == nil && status != 200 {
			err = fmt.Errorf("status %d", status)
		}
		return err
	})
	return addr
}

type shownAlert struct {
	Labels, Annotations map[string]string
	GeneratorURL        string
	StartsAt            time.Time
}

// alertsAt returns what an Alertmanager takes for firing.
func alertsAt(addr string) (alerts []shownAlert, err error) {
	_, body, _, err := get(addr, "/api/v2/alerts?active=true")
	if err != nil {
		return nil, err
	}
	return alerts, json.Unmarshal([]byte(body), &alerts)
}

// TestE2EAlertmanagerHearsOfIncidents: of the opening with a link that leads to the incident, and of the end; one
// that is dead delays nobody.
func TestE2EAlertmanagerHearsOfIncidents(t *testing.T) {
	t.Parallel()
	alertmanager := startAlertmanager(t)
	rules := filepath.Join(t.TempDir(), "rules.yml")
	ends := time.Now().Add(8 * time.Second)
	require.NoError(t, os.WriteFile(rules, fmt.Appendf(nil, `groups:
- name: e2e
  rules:
  - alert: E2ETrial
    expr: vector(time()) < %d
    labels: {severity: warning}
    annotations: {summary: this is a trial, description: nothing to do}
`, ends.Unix()), 0o600))
	node := startNode(t, "up 1\n")
	// In standalone mode --incident-after is that of the proxy, too.
	proxy := start(t, "standalone", "--grpc-listen-addr", "127.0.0.1:0", "--http-listen-addr", "127.0.0.1:0", "--prometheus-listen-addr", "127.0.0.1:0",
		"--alertmanager-url", "http://u:hunter2@127.0.0.1:1", "--alertmanager-url", "http://"+alertmanager,
		"--node-id", "n1", "--node-role", "data", "--metrics-endpoint", node.endpoint(), "--poll-metrics-interval", "1s", "--host-telemetry=false",
		"--rule-file", rules, "--builtin-rules=false", "--incident-after", "10s")
	var alert shownAlert
	eventually(t, "the alert of the incident", func() error {
		alerts, err := alertsAt(alertmanager)
		if err == nil && len(alerts) != 1 {
			err = fmt.Errorf("%d alerts", len(alerts))
		}
		if err == nil {
			alert = alerts[0]
		}
		return err
	})
	id := alert.Labels["incident"]
	require.Equal(t, map[string]string{"alertname": "E2ETrial", "node_id": "n1", "node_role": "data", "severity": "warning", "incident": id}, alert.Labels)
	require.Equal(t, map[string]string{"summary": "this is a trial", "description": "nothing to do"}, alert.Annotations)
	page, err := url.Parse(alert.GeneratorURL)
	require.NoError(t, err)
	status, body, _, err := get(proxy.addr("http"), page.Path)
	require.NoError(t, err)
	require.Equal(t, 200, status, body)
	require.Contains(t, body, `"id": "`+id+`"`)
	within(t, time.Minute, "the end of the alert", func() error {
		alerts, err := alertsAt(alertmanager)
		if err == nil && len(alerts) > 0 {
			err = fmt.Errorf("%d alerts", len(alerts))
		}
		return err
	})
	require.True(t, time.Now().After(ends))
	_, metrics, _, err := get(proxy.addr("http"), "/metrics/self")
	require.NoError(t, err)
	require.Regexp(t, `fodc_proxy_alertmanager_notifications_total\{alertmanager="http://`+alertmanager+`"\} [1-9]`, metrics)
	require.Regexp(t, `fodc_proxy_alertmanager_notifications_failed_total\{alertmanager="http://127.0.0.1:1"\} [1-9]`, metrics)
	require.Equal(t, 1, strings.Count(proxy.log(), "an Alertmanager does not take alerts of incidents"))
	require.NotContains(t, proxy.log(), "hunter2")
}
