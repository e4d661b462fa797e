package httpapi

import (
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares the text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// fakeProxy is the rest of a proxy, as the HTTP API sees it.
type fakeProxy struct {
	*ProxyAPI
	handler http.Handler
	logs    *observer.ObservedLogs
	// query and filter are those of the newest call.
	query  messages.Query
	filter messages.NodeFilter
	// collection and cluster are returned, or collectErr and clusterErr.
	collection             *messages.Collection
	cluster                messages.Cluster
	collectErr, clusterErr error
	configs                []messages.NodeConfiguration
	tree                   messages.ActorTree
	counts                 messages.ActorCounts
	proxyCounts            messages.ProxyCounts
	usage                  messages.ProcessUsage
	usageErr               error
	logLinesDropped        uint64
	stopping               bool
	crashes                messages.CrashList
	consistency            map[string]*messages.SchemaConsistency
	files                  []messages.FileStatus
	download               func(d messages.Download, write func(*messages.ProfileChunk) error) error
}

func newFakeProxy() *fakeProxy {
	f := &fakeProxy{collection: &messages.Collection{}}
	core, logs := observer.New(zapcore.DebugLevel)
	f.logs = logs
	f.ProxyAPI = &ProxyAPI{
		Collect: func(_ context.Context, q messages.Query) (*messages.Collection, error) {
			f.query = q
			return f.collection, f.collectErr
		},
		Cluster: func(_ context.Context, filter messages.NodeFilter) (messages.Cluster, error) {
			f.filter = filter
			return f.cluster, f.clusterErr
		},
		Configs: func(_ context.Context, filter messages.NodeFilter) ([]messages.NodeConfiguration, error) {
			f.filter = filter
			return f.configs, f.clusterErr
		},
		Crashes: func(_ context.Context, filter messages.NodeFilter, _ time.Time) (messages.CrashList, error) {
			f.filter = filter
			return f.crashes, f.collectErr
		},
		Download: func(_ context.Context, d messages.Download, write func(*messages.ProfileChunk) error) error {
			return f.download(d, write)
		},
		Consistency:       func() map[string]*messages.SchemaConsistency { return f.consistency },
		Tree:              func() messages.ActorTree { return f.tree },
		Counts:            func() messages.ActorCounts { return f.counts },
		ProxyCounts:       func() messages.ProxyCounts { return f.proxyCounts },
		Process:           func() (messages.ProcessUsage, error) { return f.usage, f.usageErr },
		LogLinesDropped:   func() uint64 { return f.logLinesDropped },
		ConnectionsClosed: func() map[string]uint64 { return map[string]uint64{"evicted": 1, "refused": 2} },
		Files:             func() []messages.FileStatus { return f.files },
		Ready:             func() bool { return !f.stopping },
		CollectTimeout:    5 * time.Second,
		MaxInFlightBytes:  maxInFlightBytes,
		StartedAt:         time.Now(),
		Log:               zap.New(core),
		Build:             Build{Version: "1.2.3"},
	}
	f.handler = f.Handler()
	return f
}

// errorLogs returns the error texts that were logged at Error.
func (f *fakeProxy) errorLogs() []string {
	var texts []string
	for _, e := range f.logs.All() {
		if e.Level == zapcore.ErrorLevel {
			texts = append(texts, e.ContextMap()["error"].(string))
		}
	}
	return texts
}

// do sends a request; header holds names and values in turn.
func do(h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func (f *fakeProxy) get(target string, header ...string) *httptest.ResponseRecorder {
	return do(f.handler, http.MethodGet, target, header...)
}

// requireError checks a response's status and its whole body.
func requireError(t *testing.T, w *httptest.ResponseRecorder, status int, kind messages.ErrorKind, text string) {
	t.Helper()
	require.Equal(t, status, w.Code, w.Body.String())
	require.Equal(t, contentJSON, w.Header().Get("Content-Type"))
	var got map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	require.Equal(t, map[string]any{"status": "error", "errorType": string(kind), "error": text}, got)
}

// requirePage parses a text page strictly.
func requirePage(t *testing.T, w *httptest.ResponseRecorder) map[string]*dto.MetricFamily {
	t.Helper()
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, "text/plain; version=0.0.4; charset=utf-8", w.Header().Get("Content-Type"))
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(w.Body.String()))
	require.NoError(t, err, w.Body.String())
	return families
}

// threeNodes is a collection with the answer of one node; one is late, and one is unconnected.
func threeNodes() *messages.Collection {
	return &messages.Collection{Nodes: []messages.NodeAnswer{
		{
			Identity: messages.Identity{NodeID: "n1", Role: "liaison", PodName: "p1", Labels: map[string]string{"zone": "a"}},
			AgentID:  "id-1", Took: 20 * time.Millisecond,
			Blocks: []messages.Block{{Times: []int64{1700000000123, 1700000010123}, Families: []messages.Family{
				{Name: "requests_total", Type: messages.TypeCounter, Help: "Requests.", Series: []messages.Series{
					{Labels: `path="/a"`, Values: []float64{1, 2.5}}}}}}},
		},
		{Identity: messages.Identity{NodeID: "n2", Role: "datanode-hot"}, AgentID: "id-2", Missing: messages.MissingTimeout},
		{Identity: messages.Identity{NodeID: "n3", Role: "datanode-hot"}, Missing: messages.MissingUnconnected},
	}}
}
