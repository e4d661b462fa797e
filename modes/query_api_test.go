package modes

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// queryAnswer is the answer to an instant query.
type queryAnswer struct {
	Status string
	Data   struct {
		Result []struct {
			Metric map[string]string
			Value  []any
		}
	}
	Warnings []string
	Error    string
}

// query asks a server of the cluster for an expression; more are further parameters.
func (w *docsCluster) query(port, expr string, more ...string) (code int, a queryAnswer) {
	w.t.Helper()
	values := url.Values{"query": {expr}}
	for i := 0; i < len(more); i += 2 {
		values.Set(more[i], more[i+1])
	}
	answer := httptest.NewRecorder()
	w.handlers[port].ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/api/v1/query?"+values.Encode(), nil))
	require.NoError(w.t, json.Unmarshal(answer.Body.Bytes(), &a), answer.Body.String())
	return answer.Code, a
}

// The same dashboard works at the proxy and at the agent: their series have the same labels.
func TestAgentAndProxyAnswerTheSame(t *testing.T) {
	inDocsCluster(t, func(t *testing.T, w *docsCluster) {
		f := func(expr string, series int) {
			t.Helper()
			code, ofProxy := w.query("17901", expr)
			require.Equal(t, http.StatusOK, code, ofProxy.Error)
			code, ofAgent := w.query("17902", expr)
			require.Equal(t, http.StatusOK, code, ofAgent.Error)
			require.Len(t, ofProxy.Data.Result, series)
			require.Equal(t, ofProxy.Data.Result, ofAgent.Data.Result)
		}
		f(`banyandb_measure_total_written{node_id="liaison-0"}`, 1)
		f(`rate(banyandb_measure_total_written{node_id="liaison-0"}[1m])`, 1)
		f(`{node_id="liaison-0",__name__=~"banyandb_.*|fodc_node_up"}`, 3)
		f(`fodc_agent_up{node_id="liaison-0"}`, 1)
		f(`fodc_agent_info{node_id="liaison-0",version="v1.0.0"} offset 1h`, 0)

		_, a := w.query("17902", `banyandb_measure_total_written{node_id="data-0"}`)
		require.Empty(t, a.Data.Result, "an agent knows its own node only")
		require.Empty(t, a.Warnings)
	})
}

func TestQueriesNameTheNodesWithoutAnAnswer(t *testing.T) {
	inDocsCluster(t, func(t *testing.T, w *docsCluster) {
		code, a := w.query("17901", "fodc_agent_up == 0")
		require.Equal(t, http.StatusOK, code)
		require.Equal(t, []string{`no answer (unconnected) from 1 of 3 nodes: "data-1"`}, a.Warnings)
		require.Len(t, a.Data.Result, 1)
		code, a = w.query("17901", "fodc_agent_up == 0", "strict", "1")
		require.Equal(t, http.StatusServiceUnavailable, code)
		require.Contains(t, a.Error, `"data-1"`)
		code, _ = w.query("17901", `fodc_agent_up{node_id="data-0"}`, "strict", "1")
		require.Equal(t, http.StatusOK, code)
	})
}

// Queries have half of the collections at most, and one at least.
func TestCollectionsOfQueries(t *testing.T) {
	f := func(want, maxCollections int) {
		t.Helper()
		c := defaultProxy
		c.MaxCollections = maxCollections
		p := &runningProxy{program: Program{Log: zap.NewNop()}}
		a := p.api(crashableSystem(), c, 1<<20)
		require.Equal(t, want, a.MaxQueryCollections)
		require.NotEmpty(t, a.Queries)
	}
	f(8, 16)
	f(1, 1)
	f(1, 3)
}
