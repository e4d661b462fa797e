package modes

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fodc/httpapi/promapi"
	"fodc/messages"
	"fodc/recorder/bundle/bundletest"
	"fodc/recorder/incidentseries"
	"fodc/recorder/promstore"

	"github.com/klauspost/compress/snappy"
	promlabels "github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// Incidents of which queries are tested.
const (
	queriedID  = bundletest.ID
	laterID    = "01JDZX3M9V5T6Q2W8R4Y7B1N0D"
	openID     = "01JDZX3M9V5T6Q2W8R4Y7B1N0E"
	notThereID = "01JDZX3M9V5T6Q2W8R4Y7B1N0F"
)

// queried is the API of Prometheus of a proxy that has incidents.
type queried struct {
	t   *testing.T
	mux *http.ServeMux
	// collected counts the collections of agents.
	collected atomic.Int64
	docs      []*messages.Incident
}

func newQueried(t *testing.T, from incidentseries.Config) *queried {
	q := &queried{t: t, mux: http.NewServeMux()}
	from.Incident = func(_ context.Context, id string) (*messages.Incident, error) {
		if at := slices.IndexFunc(q.docs, func(d *messages.Incident) bool { return d.ID == id }); at >= 0 {
			return q.docs[at], nil
		}
		return nil, messages.Errorf(messages.ErrNotFound, "no such incident")
	}
	collect := func(context.Context, messages.Query) (*messages.Collection, func(), error) {
		q.collected.Add(1)
		return &messages.Collection{}, nil, nil
	}
	none := func(context.Context) ([]promapi.Target, error) { return nil, nil }
	limits := promapi.Limits{Timeout: time.Minute, MaxSamples: 1_000_000, Concurrency: 2}
	for _, r := range queries(promstore.Config{Collect: collect}, none, nil, limits, nil, Program{Log: zap.NewNop()}, from) {
		q.mux.Handle(r.Path, r.Serve)
	}
	return q
}

// withIncidents has two incidents with blocks, one node of which has none, and one that is open.
func withIncidents(t *testing.T) *queried {
	dir := t.TempDir()
	q := newQueried(t, incidentseries.Config{Dir: dir})
	_, doc := bundletest.Write(t, dir, bundletest.Options{ID: queriedID, Blocks: []string{"data-0", "data-1"}, Windows: []string{"data-2"}, Series: 3})
	doc.Nodes = append(doc.Nodes, messages.IncidentNode{NodeID: "data-3", Role: "data", State: messages.IncidentCollected, Dir: messages.EvidenceDir("data-3"),
		Missing: []messages.EvidenceMissing{{What: messages.EvidenceMetrics, Reason: messages.EvidenceAway}}})
	_, later := bundletest.Write(t, dir, bundletest.Options{ID: laterID, Blocks: []string{"data-0"}})
	require.NoError(t, os.Mkdir(filepath.Join(dir, openID), 0o700))
	q.docs = []*messages.Incident{doc, later, {ID: openID, State: messages.IncidentOpen, Nodes: []messages.IncidentNode{{NodeID: "data-0", Dir: "nodes/data-0", State: messages.IncidentOpen}}}}
	return q
}

// queriedAnswer is a response.
type queriedAnswer struct {
	status    int
	Data      json.RawMessage
	Warnings  []string
	Infos     []string
	Error     string
	ErrorType string
}

func (q *queried) get(path string, params ...string) (a queriedAnswer) {
	q.t.Helper()
	values := url.Values{}
	for i := 0; i < len(params); i += 2 {
		values.Add(params[i], params[i+1])
	}
	w := httptest.NewRecorder()
	q.mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/"+path+"?"+values.Encode(), nil))
	require.NoError(q.t, json.Unmarshal(w.Body.Bytes(), &a), w.Body.String())
	a.status = w.Code
	return a
}

// atFirst is when both incidents have samples.
var atFirst = bundletest.First.Add(-time.Minute).Format(time.RFC3339)

func TestQueriesOfIncidents(t *testing.T) {
	q := withIncidents(t)
	memory := `process_resident_memory_bytes{incident="` + queriedID + `"`
	for _, test := range []struct{ expr, want string }{
		{`count by (incident, node_id, pod_name) (` + memory + `,node_id="data-1"})`, `"metric":{"incident":"` + queriedID + `","node_id":"data-1","pod_name":"data-1"}`},
		{`count(` + memory + `})`, `,"2"]`},
		{`count(count by (__name__) ({incident="` + queriedID + `"})) > bool 5`, `,"1"]`},
		{`count({incident="` + queriedID + `",__name__=~"noise_.*"})`, `,"6"]`},
		{`count(` + memory + `} - on (node_id) process_resident_memory_bytes{incident="` + laterID + `"})`, `,"1"]`},
		{`sum(rate(requests_total{incident="` + queriedID + `"}[1m])) > bool 190`, `,"1"]`},
		{`count(` + memory + `} or process_resident_memory_bytes)`, `,"2"]`},
	} {
		a := q.get("query", "query", test.expr, "time", atFirst)
		require.Equal(t, http.StatusOK, a.status, "%s: %s", test.expr, a.Error)
		require.Contains(t, string(a.Data), test.want, test.expr)
		require.Equal(t, strings.Contains(test.expr, "data-1"), len(a.Warnings) == 0, "two nodes have no blocks: %v", a.Warnings)
	}
	require.EqualValues(t, 1, q.collected.Load(), "only one query has a selector of the present")
}

func TestRangesAndLabelsOfIncidents(t *testing.T) {
	q := withIncidents(t)
	of := `{incident="` + queriedID + `",node_id="data-0"}`
	begin, end := bundletest.First.Add(-5*time.Minute).Format(time.RFC3339), bundletest.First.Format(time.RFC3339)
	a := q.get("query_range", "query", "process_resident_memory_bytes"+of, "start", begin, "end", end, "step", "10")
	require.Equal(t, 31, strings.Count(string(a.Data), `"]`), string(a.Data))
	require.Empty(t, a.Warnings)

	a = q.get("series", "match[]", "process_resident_memory_bytes"+of, "start", begin, "end", end)
	require.JSONEq(t, `[{"__name__":"process_resident_memory_bytes","incident":"`+queriedID+`","node_id":"data-0","node_role":"data","pod_name":"data-0"}]`, string(a.Data))
	a = q.get("labels", "match[]", "requests_total"+of, "start", begin, "end", end)
	require.Contains(t, string(a.Data), `["__name__","incident",`)
	require.JSONEq(t, `["`+queriedID+`"]`, string(q.get("label/incident/values", "match[]", of, "start", begin, "end", end).Data))
	require.Contains(t, string(q.get("label/__name__/values", "match[]", of, "start", begin, "end", end).Data), "process_resident_memory_bytes")
	a = q.get("label/node_id/values", "match[]", `{incident="`+queriedID+`"}`, "match[]", `{incident="`+laterID+`"}`, "start", begin, "end", end)
	require.JSONEq(t, `["data-0","data-1"]`, string(a.Data))
	require.Zero(t, q.collected.Load(), "no agent was asked")

	require.JSONEq(t, `[]`, string(q.get("label/incident/values").Data), "the present has no incidents")
	require.EqualValues(t, 1, q.collected.Load())
	a = q.get("query", "query", `requests_total{incident=""}`)
	require.Equal(t, http.StatusOK, a.status)
	require.EqualValues(t, 2, q.collected.Load(), "a variable that is empty is of the present")
}

func TestWhatQueriesOfIncidentsLack(t *testing.T) {
	q := withIncidents(t)
	up := `requests_total{incident="` + queriedID + `"}`
	a := q.get("query", "query", up, "time", atFirst)
	require.Equal(t, []string{
		`incident ` + queriedID + `: no metrics (its agent is away) of 1 of 4 nodes: "data-3"`,
		`incident ` + queriedID + `: no metrics (they are a journal's segment, of which no block could be made) of 1 of 4 nodes: "data-2"`,
	}, a.Warnings)
	a = q.get("query", "query", up, "time", atFirst, "strict", "1")
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Contains(t, a.Error, "its agent is away")

	a = q.get("query", "query", `x{incident="`+laterID+`"}`)
	require.Len(t, a.Infos, 1, "now is another time")
	require.Contains(t, a.Infos[0], "are of the time from 2026-03-01T03:02:00Z to 2026-03-01T03:13:50Z")
	require.Empty(t, a.Warnings)

	a = q.get("query", "query", `x{incident="`+openID+`"}`)
	require.Equal(t, http.StatusOK, a.status)
	require.Len(t, a.Warnings, 1)
	require.Contains(t, a.Warnings[0], "is open, and has no metrics yet: they come when")
}

func TestIncidentsThatCannotBeQueried(t *testing.T) {
	q := withIncidents(t)
	for selector, want := range map[string]string{
		`x{incident=~"` + queriedID + `"}`:                           `incident=~"` + queriedID + `" is not allowed: evidence is selected by incident="ID"`,
		`x{incident!="` + queriedID + `"}`:                           `incident!="` + queriedID + `" is not allowed`,
		`x{incident!~".+"}`:                                          `incident!~".+" is not allowed`,
		`x{incident="",incident="` + queriedID + `"}`:                `in one selector`,
		`x{incident="last"}`:                                         `incident="last" is not the id of an incident, which is a ULID`,
		`x{incident="` + notThereID + `"}`:                           `incident="` + notThereID + `": there is no such incident`,
		`x{incident="` + queriedID + `",incident="` + laterID + `"}`: `in one selector`,
	} {
		for path, param := range map[string]string{"query": "query", "series": "match[]", "labels": "match[]", "label/job/values": "match[]"} {
			a := q.get(path, param, selector)
			require.Equal(t, http.StatusBadRequest, a.status, "%s of %s: %s", path, selector, a.Error)
			require.Contains(t, a.Error, want)
		}
	}
	for _, from := range []incidentseries.Config{
		(&runningProxy{}).queriedIncidents(ProxyIncidentsConfig{}),
		(&runningProxy{}).queriedIncidents(ProxyIncidentsConfig{off: true}),
		{Without: agentWithoutEvidence},
	} {
		a := newQueried(t, from).get("query", "query", `x{incident="`+queriedID+`"}`)
		require.Equal(t, http.StatusBadRequest, a.status)
		require.Contains(t, a.Error, `incident="`+queriedID+`": `+from.Without)
	}
}

func TestRemoteReadOfIncidents(t *testing.T) {
	q := withIncidents(t)
	post := func(form prompb.ReadRequest_ResponseType, id string) *httptest.ResponseRecorder {
		query, err := remote.ToQuery(bundletest.First.Add(-time.Minute).UnixMilli(), bundletest.First.UnixMilli(), []*promlabels.Matcher{
			promlabels.MustNewMatcher(promlabels.MatchEqual, "__name__", "requests_total"), promlabels.MustNewMatcher(promlabels.MatchEqual, "incident", id),
		}, nil)
		require.NoError(t, err)
		body, err := (&prompb.ReadRequest{Queries: []*prompb.Query{query}, AcceptedResponseTypes: []prompb.ReadRequest_ResponseType{form}}).Marshal()
		require.NoError(t, err)
		w := httptest.NewRecorder()
		q.mux.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/api/v1/read", bytes.NewReader(snappy.Encode(nil, body))))
		return w
	}
	w := post(prompb.ReadRequest_SAMPLES, queriedID)
	require.Equal(t, http.StatusOK, w.Code)
	b, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	b, err = snappy.Decode(nil, b)
	require.NoError(t, err)
	var answer prompb.ReadResponse
	require.NoError(t, answer.Unmarshal(b))
	require.Len(t, answer.Results[0].Timeseries, 2)
	require.Len(t, answer.Results[0].Timeseries[0].Samples, 7)
	require.Contains(t, answer.Results[0].Timeseries[0].Labels, prompb.Label{Name: "incident", Value: queriedID})

	w = post(prompb.ReadRequest_STREAMED_XOR_CHUNKS, queriedID)
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, 2, strings.Count(w.Body.String(), queriedID))
	for id, want := range map[string]string{"last": "is not the id", notThereID: "no such incident"} {
		w = post(prompb.ReadRequest_SAMPLES, id)
		require.Equal(t, http.StatusBadRequest, w.Code)
		require.Contains(t, w.Body.String(), want)
	}
	require.Zero(t, q.collected.Load())
}
