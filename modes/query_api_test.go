package modes

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"fodc/httpapi"
	"fodc/messages"
	"fodc/recorder/incidentseries"

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

// An agent that does not answer takes none of the answers of the others, however little time a query
// has, and however much it reads.
func TestQueriesWaitForAFrozenAgentAndAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := messages.NodeAnswer{Identity: messages.Identity{NodeID: "frozen"}, Missing: messages.MissingTimeout}
		a := &httpapi.ProxyAPI{CollectTimeout: 5 * time.Second, Ready: func() bool { return true }, Log: zap.NewNop(), MaxInFlightBytes: 1 << 30,
			Collect: func(_ context.Context, q messages.Query) (*messages.Collection, error) {
				time.Sleep(time.Until(q.Deadline))
				return &messages.Collection{Nodes: []messages.NodeAnswer{answer}}, nil
			}}
		c := defaultProxy
		c.addQueries(a, 1<<30, Program{Log: zap.NewNop()}, incidentseries.Config{})
		h := a.Handler()
		f := func(want time.Duration, target string) {
			t.Helper()
			begin, w := time.Now(), httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/"+target, nil))
			require.Equal(t, http.StatusOK, w.Code, w.Body)
			require.Contains(t, w.Body.String(), `no answer (timeout) from 1 of 1 nodes: \"frozen\"`)
			require.Equal(t, want, time.Since(begin))
		}
		f(5*time.Second, "query?query=up")
		f(1800*time.Millisecond, "query?query=up&timeout=2s")
		f(8550*time.Millisecond, "query?query=up[1d]") // Of 9.5 s: the server ends its answers after 10.
		f(8550*time.Millisecond, "labels")
	})
}
