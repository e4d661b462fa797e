//go:build e2e && linux

package modes_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"regexp"
	"slices"
	"testing"
	"time"

	config_util "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/stretchr/testify/require"
)

// startReader starts a Prometheus that has no data but what it reads from elsewhere.
func startReader(t *testing.T, from queryAPI) queryAPI {
	t.Helper()
	p := startPrometheusConfig(t, fmt.Sprintf("remote_read: [{url: %q, read_recent: true}]", "http://"+from.addr+"/api/v1/read"))
	eventually(t, "Prometheus", func() error {
		status, _, _, err := get(p.addr, "/-/ready")
		if err == nil && status != 200 {
			err = fmt.Errorf("status %d", status)
		}
		return err
	})
	return queryAPI{p.addr}
}

// remoteReader returns a client of remote read, for all types of answers unless some are named.
func remoteReader(t *testing.T, p queryAPI, accepted ...prompb.ReadRequest_ResponseType) remote.ReadClient {
	t.Helper()
	at, err := url.Parse("http://" + p.addr + "/api/v1/read")
	require.NoError(t, err)
	client, err := remote.NewReadClient("test", &remote.ClientConfig{URL: &config_util.URL{URL: at}, Timeout: model.Duration(patience),
		ChunkedReadLimit: 1 << 26, AcceptedResponseTypes: accepted})
	require.NoError(t, err)
	return client
}

// endOfSeries stands for a staleness marker.
const endOfSeries = "the end"

// recorded returns the samples of nodes between two times, each as its bits, with the staleness markers.
func (c *queryCluster) recorded(from, to int64) map[string]map[int64]string {
	all := map[string]map[int64]string{}
	for series, samples := range c.truth {
		there, row := false, map[int64]string{}
		var l map[string]string
		_ = json.Unmarshal([]byte(series), &l)
		for _, at := range c.scrapes[l["node_id"]] {
			v, now := samples[at]
			switch {
			case at < from || at > to:
			case now:
				row[at] = fmt.Sprintf("%016x", math.Float64bits(v))
			case there:
				row[at] = endOfSeries
			}
			there = now && at >= from
		}
		if len(row) > 0 {
			all[series] = row
		}
	}
	return all
}

var ofAgentItself = regexp.MustCompile(`"__name__":"fodc_(incident|rules|node_config_change)`)

// requireRemoteRead reads all from the proxy, in samples and in chunks, and compares it with what was recorded.
func (c *queryCluster) requireRemoteRead(t *testing.T, p queryAPI, accepted prompb.ReadRequest_ResponseType) {
	t.Helper()
	client := remoteReader(t, p, accepted)
	from, to := c.start.Add(-30*time.Second).UnixMilli(), c.end.UnixMilli()
	set, err := client.Read(t.Context(), &prompb.Query{StartTimestampMs: from, EndTimestampMs: to, Matchers: []*prompb.LabelMatcher{
		{Type: prompb.LabelMatcher_RE, Name: model.MetricNameLabel, Value: "(banyandb|go|process|fodc_node)_.*"}}}, true)
	require.NoError(t, err)
	got := map[string]map[int64]string{}
	for set.Next() {
		s, row := set.At(), map[int64]string{}
		for it := s.Iterator(nil); it.Next().String() == "float"; {
			ms, v := it.At()
			if row[ms] = fmt.Sprintf("%016x", math.Float64bits(v)); value.IsStaleNaN(v) {
				row[ms] = endOfSeries
			}
		}
		got[labelsJSON(s.Labels())] = row
	}
	require.NoError(t, set.Err())
	want := c.recorded(from, to)
	for _, all := range []map[string]map[int64]string{want, got} { // Agents make these themselves, at other times than their nodes' pages.
		maps.DeleteFunc(all, func(series string, _ map[int64]string) bool { return ofAgentItself.MatchString(series) })
	}
	require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
	for series, row := range want {
		require.Equal(t, row, got[series], series)
	}
}
