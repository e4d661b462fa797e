package httpapi

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// newFakeAgent returns the handler of an agent, and the agent, for a test to change.
func newFakeAgent() (http.Handler, *AgentAPI) {
	a := &AgentAPI{
		Latest: func(context.Context, messages.Selection) ([]messages.Block, error) { return nil, nil },
		Health: func(context.Context) (messages.AgentHealth, error) { return messages.AgentHealth{}, nil },
		Tree:   func() messages.ActorTree { return messages.ActorTree{} },
		Ready:  func() bool { return true },
		Log:    zap.NewNop(),

		Identity: func() messages.Identity { return messages.Identity{} },
	}
	return a.Handler(), a
}

func TestAgentMetrics(t *testing.T) {
	h, a := newFakeAgent()
	var asked messages.Selection
	a.Latest = func(ctx context.Context, s messages.Selection) ([]messages.Block, error) {
		asked = s
		deadline, ok := ctx.Deadline()
		require.True(t, ok)
		require.LessOrEqual(t, time.Until(deadline), agentTimeout)
		return threeNodes().Nodes[0].Blocks, nil
	}
	w := do(h, http.MethodGet, "/metrics")
	families := requirePage(t, w)
	require.Equal(t, "# HELP requests_total Requests.\n# TYPE requests_total counter\nrequests_total{path=\"/a\"} 2.5\n", w.Body.String())
	require.Len(t, families, 1)
	require.True(t, asked.Window.IsLatest())
	require.Empty(t, asked.Names)

	do(h, http.MethodGet, "/metrics?name[]=b&name[]=a&format=text")
	require.Equal(t, []string{"a", "b"}, asked.Names)
	requireError(t, do(h, http.MethodGet, "/metrics?format=json"), 400, messages.ErrBadData, `format "json": allowed are text`)
	requireError(t, do(h, http.MethodGet, "/metrics?%"), 400, messages.ErrBadData, `query string "%": invalid URL escape "%"`)

	a.Latest = func(context.Context, messages.Selection) ([]messages.Block, error) {
		return nil, messages.Errorf(messages.ErrUnavailable, "no recorder")
	}
	requireError(t, do(h, http.MethodGet, "/metrics"), 503, messages.ErrUnavailable, "no recorder")
}

func TestAgentHealth(t *testing.T) {
	h, a := newFakeAgent()
	body := do(h, http.MethodGet, "/health").Body.String()
	require.JSONEq(t, `{"status":"healthy","targets":[],"proxies":[],"window":{"series":0,"samples":0,"bytes":0,"limit_bytes":0,"limit_series":0,"span_seconds":0,"recorded_samples":0,"evicted_samples":0,"series_limit_samples":0,"rejected_samples":0,"duplicate_samples":0},"events":[]}`, body)

	at := time.Date(2024, 1, 1, 12, 0, 0, 123456789, time.UTC)
	health := messages.AgentHealth{
		Targets: []messages.TargetHealth{
			{Endpoint: "http://127.0.0.1:2121/metrics", ContainerName: "data", Up: true, LastScrape: at, DurationSeconds: 0.01, PageBytes: 300_000, Samples: 3000,
				BadLines: 1, Error: "line 3: no value", LastError: &messages.TargetError{At: at, Kind: "bad_lines", Error: "line 3: no value"},
				Scrapes: 7, UntypedPages: 1, Failures: map[string]int{"timeout": 2}, Dropped: map[string]int{"duplicate": 3}},
			{Endpoint: "http://127.0.0.1:2122/metrics", Error: "connection refused", Failures: map[string]int{}, Dropped: map[string]int{}},
		},
		Proxies: []messages.ProxyHealth{
			{Address: "proxy-a:17900", State: messages.LinkConnected, Since: at, AgentID: "id-1"},
			{Address: "proxy-b:17900", State: messages.LinkWaiting, Since: at, Error: "no such host"},
		},
		Window: messages.WindowHealth{Series: 10, Samples: 100, Bytes: 1 << 20, LimitBytes: 1 << 30, LimitSeries: 200_000, SpanSeconds: 90.5,
			Recorded: 105, Evicted: 5, SeriesLimit: 1, Rejected: 2, Duplicates: 3},
		Telemetry: &messages.TelemetryHealth{LastRead: at, Samples: 200, Missing: []messages.MissingPart{{Part: "pressure", Error: "no such file"}}},
		Journal: &messages.JournalHealth{State: messages.JournalWriting, Since: at, Dir: "/var/lib/fodc", Segments: 3, DamagedSegments: 1,
			Bytes: 1 << 20, LimitBytes: 1 << 29, FreeBytes: 1 << 40, Oldest: at, Newest: at.Add(time.Hour), Waiting: 1, Written: 1000,
			Dropped: map[string]uint64{"queue": 2}, RecoverySeconds: 0.5},
		Crashes: &messages.CrashHealth{Records: 2, Sources: []messages.CrashSourceHealth{
			{Kind: "directory", Path: "/var/lib/banyandb/crash"}, {Kind: "log", Path: "/var/log/banyandb.log", Error: "permission denied"}}},
		Events: []messages.AgentEvent{
			{Event: "scrape_failed", Target: "http://127.0.0.1:2122/metrics", At: at, Last: at.Add(time.Minute), Scrapes: 7, Detail: "connection refused"},
			{Event: "restart", Target: "http://127.0.0.1:2121/metrics", At: at, Last: at, Scrapes: 1},
		},
	}
	a.Health = func(context.Context) (messages.AgentHealth, error) { return health, nil }
	w := do(h, http.MethodGet, "/health")
	require.Equal(t, contentJSON, w.Header().Get("Content-Type"))
	golden(t, "agent_health.json", w.Body.String())
	require.Equal(t, at, health.Targets[0].LastScrape, "what was answered is not touched")
	require.Equal(t, at, health.Targets[0].LastError.At)
	require.Equal(t, at, health.Telemetry.LastRead)
	require.Equal(t, at, health.Journal.Since)

	status := func(want string) {
		t.Helper()
		require.Contains(t, do(h, http.MethodGet, "/health").Body.String(), `"status":"`+want+`"`)
	}
	health.Files = someFiles()
	require.Contains(t, do(h, http.MethodGet, "/health").Body.String(), `"files":[{"flag":"grpc-client-ca-file","failed":"no certificate","loaded_at":`)
	whole := health
	health.Targets = whole.Targets[:1]
	status("degraded")
	health.Proxies = whole.Proxies[:1]
	status("healthy")
	for state, want := range map[messages.JournalState]string{messages.JournalRecovering: "healthy", messages.JournalPaused: "degraded",
		messages.JournalFailing: "degraded", messages.JournalStalled: "degraded", messages.JournalClosed: "degraded"} {
		health.Journal = &messages.JournalHealth{State: state}
		status(want)
	}
	health.Journal = nil
	status("healthy")
	health.Targets = whole.Targets
	status("degraded")

	a.Health = func(context.Context) (messages.AgentHealth, error) { return health, errors.New("secret") }
	w = do(h, http.MethodGet, "/health")
	require.Equal(t, 500, w.Code)
	require.NotContains(t, w.Body.String(), "secret")
}

func TestAgentReady(t *testing.T) {
	_, a := newFakeAgent()
	a.Ready = func() bool { return false }
	h := a.Handler()
	requireError(t, do(h, http.MethodGet, "/-/ready"), 503, messages.ErrUnavailable, "not ready: starting or stopping")
	require.Equal(t, "healthy\n", do(h, http.MethodGet, "/-/healthy").Body.String())
}

// A client that does not read names of UTF-8 gets underscores: it would refuse the whole page.
func TestAgentMetricsAreInNamesThatTheClientReads(t *testing.T) {
	h, a := newFakeAgent()
	a.Latest = func(context.Context, messages.Selection) ([]messages.Block, error) {
		series := []messages.Series{{Labels: `"c.d"="1"`, Values: []float64{1}}}
		return []messages.Block{{Times: []int64{1}, Families: []messages.Family{{Name: "a.b", Type: messages.TypeGauge, Series: series}}}}, nil
	}
	f := func(accept, contentType, page string) {
		t.Helper()
		w := do(h, http.MethodGet, "/metrics", "Accept", accept)
		require.Equal(t, page, w.Body.String())
		require.Equal(t, contentType, w.Header().Get("Content-Type"))
		require.Contains(t, w.Header().Values("Vary"), "Accept")
	}
	f("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", contentText, "# TYPE a_b gauge\na_b{c_d=\"1\"} 1\n")
	f("text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5", contentTextUTF8, "# TYPE \"a.b\" gauge\n{\"a.b\",\"c.d\"=\"1\"} 1\n")
}
