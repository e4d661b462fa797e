//go:build e2e && linux

package modes_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/util/compression"
	"github.com/stretchr/testify/require"
)

// referenceConfig scrapes a proxy so that the samples are those of the agents: with their times, more often than the agents
// scrape, and without labels of the scrape (but a label job of a page stays). What the proxy says of itself and of collections has no times, and is left out.
const referenceConfig = `
global: {scrape_interval: 500ms, scrape_timeout: 500ms}
storage: {tsdb: {out_of_order_time_window: 1h}}
scrape_configs:
  - job_name: fodc
    honor_labels: true
    metrics_path: /metrics
    params: {timestamps: ["1"]}
    static_configs: [{targets: [%q]}]
    relabel_configs:
      - {target_label: job, replacement: ""}
    metric_relabel_configs:
      - {source_labels: [__name__], regex: "fodc_(agent|journal|proxy|build)_.*", action: drop}
      - {regex: instance, action: labeldrop}
`

// startReference starts a Prometheus that has what the agents record. It begins to scrape some seconds after its start.
func startReference(t *testing.T, proxy *process) queryAPI {
	t.Helper()
	p := startPrometheusConfig(t, fmt.Sprintf(referenceConfig, proxy.addr("http")), "--web.enable-remote-write-receiver")
	eventually(t, "the first scrape", func() error {
		got, err := p.query("up == 1")
		if err == nil && len(got) == 0 {
			err = fmt.Errorf("no target is up")
		}
		return err
	})
	return queryAPI{p.addr}
}

// complete adds to the reference what a scrape cannot: staleness markers, which Prometheus does not write for samples that come
// with times (since 2.48 it can, with track_timestamps_staleness): a series ends with the first scrape of its node that does not
// have it. If the machine was too busy for a scrape in time, samples are added, too.
func (c *queryCluster) complete(t *testing.T) {
	t.Helper()
	stored := storedSamples(t, c.reference)
	total, missed := 0, 0
	var series []prompb.TimeSeries
	for _, text := range slices.Sorted(maps.Keys(c.truth)) {
		var l map[string]string
		require.NoError(t, json.Unmarshal([]byte(text), &l))
		ts := prompb.TimeSeries{}
		for _, name := range slices.Sorted(maps.Keys(l)) {
			ts.Labels = append(ts.Labels, prompb.Label{Name: name, Value: l[name]})
		}
		there := false
		for _, at := range c.scrapes[l["node_id"]] {
			v, now := c.truth[text][at]
			if now {
				total++
				if got, ok := stored[text][at]; !ok {
					missed++
					ts.Samples = append(ts.Samples, prompb.Sample{Timestamp: at, Value: v})
				} else {
					require.Equal(t, math.Float64bits(v), math.Float64bits(got), "%s at %d", text, at)
				}
			} else if there {
				ts.Samples = append(ts.Samples, prompb.Sample{Timestamp: at, Value: math.Float64frombits(value.StaleNaN)})
			}
			there = now
		}
		if len(ts.Samples) > 0 {
			series = append(series, ts)
		}
	}
	for text := range stored {
		require.Contains(t, c.truth, text, "a series that no agent has")
	}
	t.Logf("Prometheus has scraped %d of %d samples", total-missed, total)
	require.Less(t, missed, total/10, "Prometheus has not scraped what the agents have recorded")
	remoteWrite(t, c.reference, series)
}

// storedSamples returns all samples of nodes.
func storedSamples(t *testing.T, p queryAPI) map[string]map[int64]float64 {
	t.Helper()
	a, err := p.ask("query", url.Values{"query": {`{node_id!=""}[5m]`}})
	require.NoError(t, err)
	require.Empty(t, a.Error)
	all := map[string]map[int64]float64{}
	for _, s := range a.series {
		samples := map[int64]float64{}
		for _, x := range s.samples {
			var seconds float64
			require.NoError(t, json.Unmarshal([]byte(x.time), &seconds))
			samples[int64(math.Round(seconds*1000))] = x.value
		}
		all[s.labels] = samples
	}
	return all
}

func remoteWrite(t *testing.T, p queryAPI, series []prompb.TimeSeries) {
	t.Helper()
	raw, err := (&prompb.WriteRequest{Timeseries: series}).Marshal()
	require.NoError(t, err)
	body, err := compression.Encode(compression.Snappy, raw, nil)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.addr+"/api/v1/write", bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Encoding", "snappy")
	req.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	require.Equal(t, http.StatusNoContent, resp.StatusCode, "%s", text)
}
