//go:build e2e && linux

package modes_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// compareSeries compares what there is: series, names of labels, and their values.
func (c *queryCluster) compareSeries(t *testing.T, want, got queryAPI) {
	list := func(p queryAPI, path string, params url.Values) (items []string) {
		status, body, _, err := get(p.addr, "/api/v1/"+path+"?"+params.Encode())
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status, body)
		var answer struct {
			Data     []json.RawMessage
			Warnings []string
		}
		require.NoError(t, json.Unmarshal([]byte(body), &answer), body)
		require.Empty(t, answer.Warnings)
		for _, item := range answer.Data {
			if strings.HasPrefix(string(item), "{") {
				var labels map[string]string
				require.NoError(t, json.Unmarshal(item, &labels))
				item, _ = json.Marshal(labels)
			}
			items = append(items, string(item))
		}
		return items
	}
	f := func(path string, matchers ...string) {
		t.Helper()
		params := url.Values{"match[]": matchers, "start": {unixSeconds(c.start.Add(-5 * time.Second))}, "end": {unixSeconds(c.end)}}
		w, g := list(want, path, params), list(got, path, params)
		if path == "series" { // in no order
			slices.Sort(w)
			slices.Sort(g)
		}
		require.Equal(t, w, g, "%s %q", path, matchers)
		require.NotEmpty(t, w, "%s %q", path, matchers)
	}
	const nodes = `{__name__=~"(banyandb|go|process|fodc_node)_.*"}`
	f("series", "go_goroutines")
	f("series", nodes)
	f("series", `{node_id="data-1",__name__=~"go_.*"}`)
	f("series", "go_goroutines", `banyandb_measure_total_written{group="load"}`)
	f("series", "banyandb_measure_query_query_latency_bucket", "go_gc_duration_seconds_sum")
	f("labels", nodes)
	f("labels", "go_goroutines")
	f("labels", "banyandb_system_disk", "go_info")
	f("label/__name__/values", nodes)
	f("label/__name__/values", `{__name__=~"banyandb_measure_.*",node_role="liaison"}`)
	f("label/node_id/values", "go_goroutines")
	f("label/node_role/values", nodes)
	f("label/pod_name/values", `banyandb_measure_total_written{group="load"}`)
	f("label/kind/values", "banyandb_system_cpu_state", "banyandb_system_disk")
	f("label/le/values", "banyandb_measure_query_query_latency_bucket")
	f("label/group/values", nodes)
}
