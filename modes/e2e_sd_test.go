//go:build e2e && linux

package modes_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ups returns when each scrape of the instance within the last 30 s began, and its up.
func (p *prometheus) ups(instance string) (begun []time.Time, up []string, err error) {
	_, body, _, err := get(p.addr, "/api/v1/query?query="+url.QueryEscape(fmt.Sprintf("up{instance=%q}[30s]", instance)))
	if err != nil {
		return nil, nil, err
	}
	var answer struct {
		Data struct {
			Result []struct{ Values [][2]any }
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer.Data.Result) != 1 {
		return nil, nil, fmt.Errorf("up of %s: %w: %s", instance, err, body)
	}
	for _, x := range answer.Data.Result[0].Values {
		begun = append(begun, time.UnixMilli(int64(x[0].(float64)*1000)))
		up = append(up, x[1].(string))
	}
	return begun, up, nil
}

// Prometheus finds the nodes by itself, whatever they are called, and its own up says
// of each whether it is there.
func TestE2ETargetsOfPrometheus(t *testing.T) {
	t.Parallel()
	proxy := startProxy(t)
	ids := []string{"n1", "10.0.0.1:17912", "rack 1/a%b?c"}
	agents := map[string]*process{}
	for _, id := range ids {
		agents[id] = startAgent(t, proxy, id, "liaison", startNode(t, pageA).endpoint(), "--node-labels", "zone=a")
	}
	awaitStatuses(t, proxy, ids[0], "online", ids[1], "online", ids[2], "online")
	prom := startPrometheusWith(t, fmt.Sprintf(`
  - job_name: nodes
    http_sd_configs: [{url: "http://%s/sd", refresh_interval: 1s}]
    relabel_configs: [{source_labels: [__meta_fodc_label_zone], target_label: zone}]
`, proxy.addr("http")))
	awaitQuery := func(promql string, want map[string]string) {
		t.Helper()
		eventually(t, promql, func() error {
			got, err := prom.query(promql)
			if err == nil && fmt.Sprint(got) != fmt.Sprint(want) {
				err = fmt.Errorf("got %v, want %v", got, want)
			}
			return err
		})
	}
	awaitQuery("count by (job, zone) (up == 1)", map[string]string{`{"job":"nodes","zone":"a"}`: "3"})
	// A sample has the labels that it has on the page of all.
	awaitQuery(`requests_total{instance="n1"}`, map[string]string{
		`{"__name__":"requests_total","job":"nodes","node_id":"n1","node_role":"liaison","node_zone":"a","path":"/a","pod_name":"n1","zone":"a"}`: "1"})
	awaitQuery(`count(requests_total)`, map[string]string{`{}`: "3"})

	killed := time.Now()
	agents[ids[1]].kill(syscall.SIGKILL)
	var first time.Time
	eventually(t, "up is 0", func() error {
		begun, up, err := prom.ups(ids[1])
		if err != nil {
			return err
		}
		for i, at := range begun {
			// A scrape that had begun may have been answered.
			if at.After(killed.Add(100 * time.Millisecond)) {
				require.Equal(t, "0", up[i], "the scrape %s after the kill", at.Sub(killed))
				first = at
				return nil
			}
		}
		return fmt.Errorf("no scrape yet: %v", begun)
	})
	t.Logf("up was 0 at the first scrape, %s after the kill", first.Sub(killed))
	awaitQuery("count by (zone) (up == 1)", map[string]string{`{"zone":"a"}`: "2"})
	awaitQuery("count(requests_total)", map[string]string{`{}`: "2"})
	status, body, _, err := get(proxy.addr("http"), "/agents/"+url.PathEscape(ids[1])+"/metrics")
	require.NoError(t, err)
	require.Equal(t, 503, status, body)
}
