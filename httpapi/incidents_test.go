package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/recorder/changes"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

const (
	firstIncident  = "01JDZX3M9V5T6Q2W8R4Y7B1N0C"
	secondIncident = "01JDZX3M9V5T6Q2W8R4Y7B1N0D"
	heapPath       = "nodes/n1/profiles/heap.pb.gz"
	logPath        = "nodes/n1/logs/kernel.log"
)

var incidentTime = time.Date(2026, 3, 1, 3, 12, 7, 123456789, time.UTC)

// someIncidents have every field.
func someIncidents() []*messages.Incident {
	alert := messages.IncidentAlert{Rule: "MemoryNearLimit", NodeID: "n1", Severity: "critical", Summary: "s", Description: "d", Labels: map[string]string{"a": "b"},
		FirstOccurrence: incidentTime, LastFiring: incidentTime, Firings: 2, Firing: true}
	sum := func(text string) string { s := sha256.Sum256([]byte(text)); return hex.EncodeToString(s[:]) }
	node := messages.IncidentNode{NodeID: "n1", Role: "data", PodName: "p", Labels: map[string]string{"zone": "a"}, AgentID: "a", IncidentID: firstIncident,
		Kind: messages.IncidentRule, State: messages.IncidentCollected, ClockOffsetSeconds: 0.5, From: incidentTime, To: incidentTime, Dir: "nodes/n1", Bytes: 12,
		Files: []messages.EvidenceFile{{Path: heapPath, What: "profile/heap", Bytes: 11, SHA256: sum(heapText), Truncated: true},
			{Path: logPath, What: messages.EvidenceKernelLog, Bytes: 1}},
		Missing: []messages.EvidenceMissing{{What: "profile/cpu", Reason: "404"}}}
	return []*messages.Incident{
		{Version: 1, ID: firstIncident, Kind: messages.IncidentRule, State: messages.IncidentCollected, FirstOccurrence: incidentTime, OpenedAt: incidentTime,
			LastFiring: incidentTime, FrozenAt: incidentTime, From: incidentTime, To: incidentTime, Severity: "critical", Summary: "n1: out of memory",
			Reason: "r", RequestedBy: "me", Rules: []messages.IncidentAlert{alert, alert}, Nodes: []messages.IncidentNode{node, {NodeID: "n2", Role: "liaison", Dir: "nodes/n2", Kind: messages.IncidentContext, State: messages.IncidentFrozen}},
			Timeline:      []messages.IncidentEvent{{At: incidentTime, NodeID: "n1", Kind: "rule", Text: "t"}},
			EventsDropped: 1, Pinned: true, SeenAt: incidentTime, Repeated: 1, RepeatedAt: incidentTime},
		{Version: 1, ID: secondIncident, Kind: messages.IncidentRule, State: messages.IncidentOpen, FirstOccurrence: incidentTime.Add(time.Hour), Severity: "info",
			Rules: []messages.IncidentAlert{{Rule: "AgentLost"}}, Nodes: []messages.IncidentNode{{NodeID: "n3", Role: "data", Dir: "nodes/n3", Kind: messages.IncidentRule, State: messages.IncidentOpen}}},
	}
}

// someChanges have every field, and numbers that JSON does not have.
func someChanges() changes.Report {
	point := []changes.Point{{At: 1, Value: 2}}
	group := []changes.Group{{Node: "n1", At: incidentTime, BackAt: incidentTime, Series: 3, Families: []string{"f"}}}
	return changes.Report{Dropped: 1, Series: 10, Judged: 9, Unread: []changes.Unread{{Node: "n2", Reason: "gone"}}, Vanished: group, Appeared: group,
		Churn: []changes.Churn{{At: incidentTime, Ended: 1, Began: 2, Nodes: []string{"n1"}}},
		Changes: []changes.Change{{Family: "f", Node: "n1", Name: "f_bucket", Labels: `a="b"`, Kind: changes.Level, At: incidentTime, PerSecond: true, From: 1, To: 2,
			Factor: 2, Direction: "up", Strength: math.Inf(1), Series: 1, Nodes: []string{"n1"}, Chart: changes.Chart{Low: math.NaN(), High: math.Inf(-1), Before: point, After: point}}},
		Limits: []changes.Limit{{Node: "n1", What: "w", Name: "n", Labels: "l", At: incidentTime, Usual: 1, Highest: 2, Limit: 3}}}
}

const heapText = "profile0123"

// fakeIncidents is the rest of a process that has incidents.
type fakeIncidents struct {
	*Incidents
	all     []*messages.Incident
	acts    []string
	order   messages.IncidentOrder
	bundle  BundleOptions
	content string
	// readErr, bundleErr and actErr are returned.
	readErr, bundleErr, actErr error
	closed                     int
}

type fakeFile struct {
	*strings.Reader
	f *fakeIncidents
}

func (f fakeFile) ReadAt(b []byte, at int64) (int, error) {
	if f.f.readErr != nil && at > 0 {
		return 0, f.f.readErr
	}
	return f.Reader.ReadAt(b, at)
}

func (f fakeFile) Close() error { f.f.closed++; return nil }

func newFakeIncidents() *fakeIncidents {
	f := &fakeIncidents{all: someIncidents(), content: heapText}
	f.Incidents = &Incidents{
		List: func(context.Context) ([]*messages.Incident, error) { return f.all, nil },
		Get: func(_ context.Context, id string) (*messages.Incident, error) {
			for _, i := range f.all {
				if i.ID == id {
					return i, nil
				}
			}
			return nil, messages.Errorf(messages.ErrNotFound, "no incident %s", id)
		},
		Changes: func(context.Context, string) (changes.Report, error) { return someChanges(), nil },
		OpenFile: func(context.Context, string, string) (IncidentFile, error) {
			return fakeFile{strings.NewReader(f.content), f}, nil
		},
		WriteBundle: func(_ context.Context, w io.Writer, _ string, o BundleOptions) error {
			f.bundle = o
			if f.bundleErr == nil || f.content != heapText {
				if _, err := io.WriteString(w, f.content); err != nil {
					return err
				}
			}
			return f.bundleErr
		},
		Create: func(_ context.Context, o messages.IncidentOrder) (*messages.Incident, error) {
			f.order = o
			return f.all[0], nil
		},
		Act: func(_ context.Context, id string, action messages.IncidentAction) error {
			f.acts = append(f.acts, string(action)+" "+id)
			return f.actErr
		},
		Before: 10 * time.Minute,
	}
	return f
}

func (f *fakeIncidents) handlers() map[string]http.Handler {
	p := newFakeProxy()
	p.Incidents, p.cluster = f.Incidents, messages.Cluster{Nodes: []messages.NodeStatus{{Identity: messages.Identity{NodeID: "n1"}}}}
	_, a := newFakeAgent()
	a.Incidents, a.Identity = f.Incidents, func() messages.Identity { return messages.Identity{NodeID: "n1"} }
	return map[string]http.Handler{"proxy": p.Handler(), "agent": a.Handler()}
}

// proxy returns the handler of a proxy with the incidents.
func (f *fakeIncidents) proxy() http.Handler { return f.handlers()["proxy"] }

func TestIncidentsAreListed(t *testing.T) {
	i := newFakeIncidents()
	for _, h := range i.handlers() {
		f := func(query string, want ...string) {
			t.Helper()
			w := do(h, http.MethodGet, "/incidents"+query)
			require.Equal(t, http.StatusOK, w.Code, w.Body.String())
			var got []struct{ ID string }
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
			ids := []string{}
			for _, one := range got {
				ids = append(ids, one.ID)
			}
			require.Equal(t, append([]string{}, want...), ids, query)
		}
		f("", secondIncident, firstIncident)
		f("?limit=1", secondIncident)
		f("?node_id=n2", firstIncident)
		f("?node_id=n2&node_id=n3", secondIncident, firstIncident)
		f("?node_id=n1&role=liaison")
		f("?role=data&rule=AgentLost&state=open", secondIncident)
		f("?state=frozen&state=collected", firstIncident)
		f("?since=2026-03-01T03:12:08Z", secondIncident)
		f("?until=2026-03-01T03:12:08Z", firstIncident)
		f("?until=2026-03-01T03:12:08Z&since=1772334728")
		f("?since=1&until=", secondIncident, firstIncident)
	}
	f := func(query, text string) {
		t.Helper()
		requireError(t, do(i.proxy(), http.MethodGet, "/incidents?"+query), 400, messages.ErrBadData, text)
	}
	f("state=closed", `state "closed": allowed are open, frozen, collected`)
	f("limit=0", `limit "0": a whole number from 1 up is allowed`)
	f("since=x", `since "x": neither RFC 3339 (2006-01-02T15:04:05Z) nor unix seconds`)
	f("since=2&until=1", "since 1970-01-01T00:00:02Z is after until 1970-01-01T00:00:01Z")
	f("limit=1&limit=2", `limit is given twice: "1" and "2"`)
	f("%", `query string "%": invalid URL escape "%"`)
	golden(t, "incidents.json", do(i.proxy(), http.MethodGet, "/incidents").Body.String())
	require.Empty(t, i.acts, "a list marks none as seen")

	many := someIncidents()[0]
	for range 100 {
		many.Nodes[0].Missing = append(many.Nodes[0].Missing, messages.EvidenceMissing{})
		many.Nodes[1].Missing = append(many.Nodes[1].Missing, messages.EvidenceMissing{})
	}
	require.Len(t, incidentViewOf(many).Missing, maxListedMissing)
	require.Equal(t, 201, incidentViewOf(many).MissingCount)
}

func TestAnIncident(t *testing.T) {
	f := newFakeIncidents()
	h := f.proxy()
	w := do(h, http.MethodGet, "/incidents/"+strings.ToLower(firstIncident))
	require.Equal(t, http.StatusOK, w.Code)
	want, err := messages.EncodeIncident(f.all[0])
	require.NoError(t, err)
	require.Equal(t, string(want), w.Body.String())
	require.Empty(t, f.acts, "it was seen already")

	do(h, http.MethodHead, "/incidents/"+secondIncident)
	require.Empty(t, f.acts)
	f.actErr = errors.New("the disk is full") // which is no reason to show nothing
	for _, path := range []string{"", "/changes", "/bundle"} {
		require.Equal(t, http.StatusOK, do(h, http.MethodGet, "/incidents/"+secondIncident+path).Code, path)
		require.Equal(t, "seen "+secondIncident, f.acts[len(f.acts)-1])
	}
	require.Len(t, f.acts, 3)
	for _, path := range []string{"", "/changes", "/files/x", "/bundle"} {
		requireError(t, do(h, http.MethodGet, "/incidents/x"+path), 400, messages.ErrBadData,
			`incident id "x": not a ULID, which is 26 digits and letters; /incidents lists those there are`)
		requireError(t, do(h, http.MethodGet, "/incidents/01JDZX3M9V5T6Q2W8R4Y7B1N0E"+path), 404, messages.ErrNotFound, "no incident 01JDZX3M9V5T6Q2W8R4Y7B1N0E")
	}
}

func TestChangesAsJSON(t *testing.T) {
	f := newFakeIncidents()
	golden(t, "changes.json", do(f.proxy(), http.MethodGet, "/incidents/"+firstIncident+"/changes").Body.String())
	f.Changes = func(context.Context, string) (changes.Report, error) {
		return changes.Report{Changes: []changes.Change{{}}, Limits: []changes.Limit{{}}, Vanished: []changes.Group{{}}}, nil
	}
	w := do(f.proxy(), http.MethodGet, "/incidents/"+firstIncident+"/changes")
	require.Equal(t, http.StatusOK, w.Code)
	require.NotContains(t, w.Body.String(), "null")
}

func TestNoRoutesWithoutIncidents(t *testing.T) {
	require.Equal(t, http.StatusNotFound, newFakeProxy().get("/incidents").Code)
}

func TestFilesOfAnIncident(t *testing.T) {
	f := newFakeIncidents()
	h, base := f.proxy(), "/incidents/"+firstIncident+"/files/"
	w := do(h, http.MethodGet, base+heapPath, "Accept-Encoding", "gzip")
	require.Equal(t, heapText, w.Body.String())
	want := map[string]string{"Content-Type": "application/octet-stream", "Content-Length": "11", "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff",
		"Content-Disposition": "attachment; filename=n1-profiles-heap.pb.gz", "Etag": `"` + f.all[0].Nodes[0].Files[0].SHA256 + `"`, "Content-Encoding": ""}
	for name, value := range want {
		require.Equal(t, value, w.Header().Get(name), name)
	}
	w = do(h, http.MethodGet, base+heapPath, "Range", "bytes=7-")
	require.Equal(t, http.StatusPartialContent, w.Code)
	require.Equal(t, "0123", w.Body.String())
	require.Equal(t, "bytes 7-10/11", w.Header().Get("Content-Range"))
	require.Equal(t, http.StatusRequestedRangeNotSatisfiable, do(h, http.MethodGet, base+heapPath, "Range", "bytes=20-").Code)
	require.Equal(t, http.StatusNotModified, do(h, http.MethodGet, base+heapPath, "If-None-Match", want["Etag"]).Code)
	require.Empty(t, do(h, http.MethodHead, base+heapPath).Body.String())
	require.Equal(t, contentPlain, do(h, http.MethodGet, base+logPath).Header().Get("Content-Type"))
	require.Equal(t, 6, f.closed)

	for _, path := range []string{"x", "incident.json", "nodes/n1", "nodes/n1/../n1/profiles/heap.pb.gz", "/etc/passwd", "..%2f..%2fetc/passwd", "nodes%2fn2%2fx", "%00"} {
		require.Equal(t, http.StatusNotFound, do(h, http.MethodGet, base+path).Code, path)
	}
	require.Equal(t, 6, f.closed, "no other file is opened")
	f.all[0].Nodes[0].Files[0].Path = "../secret"
	require.Equal(t, http.StatusNotFound, do(h, http.MethodGet, base+"../secret").Code)
}

func TestDownloadsOfIncidentsThatFailAreCut(t *testing.T) {
	f := newFakeIncidents()
	s, err := Listen(ServerConfig{Addr: "127.0.0.1:0", Handler: f.proxy(), ReadTimeout: time.Minute, WriteTimeout: time.Minute, Log: zap.NewNop()})
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	defer func() {
		http.DefaultClient.CloseIdleConnections()
		require.NoError(t, s.Shutdown(context.Background()))
		require.NoError(t, <-served)
	}()
	get := func(path string) (*http.Response, []byte, error) {
		t.Helper()
		r, err := http.Get("http://" + s.Addr().String() + "/incidents/" + firstIncident + path)
		require.NoError(t, err)
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		return r, b, err
	}
	r, b, err := get("/bundle?nodes=n2&nodes=n1&lite=1")
	require.NoError(t, err)
	require.Equal(t, heapText, string(b))
	require.Equal(t, "attachment; filename=fodc-incident-"+firstIncident+".tar.gz", r.Header.Get("Content-Disposition"))
	require.Equal(t, "application/gzip", r.Header.Get("Content-Type"))
	require.Equal(t, BundleOptions{Nodes: []string{"n1", "n2"}, Lite: true}, f.bundle)

	f.bundleErr = errors.New("the disk is broken")
	r, b, err = get("/bundle")
	require.NoError(t, err)
	require.Equal(t, 500, r.StatusCode, "nothing was sent yet")
	require.Equal(t, contentJSON, r.Header.Get("Content-Type"))
	require.Empty(t, r.Header.Get("Content-Disposition"))
	require.NotContains(t, string(b), "broken")

	f.content = strings.Repeat("x", 1<<20)
	_, _, err = get("/bundle")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	f.readErr = errors.New("the disk is broken")
	r, b, err = get("/files/" + heapPath)
	require.Error(t, err)
	require.Less(t, len(b), 1<<20)
	require.Equal(t, int64(1<<20), r.ContentLength)
	f.Incidents.WriteBundle = func(_ context.Context, w io.Writer, _ string, _ BundleOptions) error {
		_, _ = w.Write([]byte(f.content))
		panic("out of cheese")
	}
	_, _, err = get("/bundle")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)

	requireError(t, do(f.proxy(), http.MethodGet, "/incidents/"+firstIncident+"/bundle?nodes=n1&nodes=n7"), 404, messages.ErrNotFound,
		`nodes: incident `+firstIncident+` does not have "n7"`)
	requireError(t, do(f.proxy(), http.MethodGet, "/incidents/"+firstIncident+"/bundle?lite=x"), 400, messages.ErrBadData,
		`lite "x": allowed are 1, 0, true, false`)
	require.Equal(t, "application/gzip", do(f.proxy(), http.MethodHead, "/incidents/"+firstIncident+"/bundle").Header().Get("Content-Type"))
}

// What is over a limit waits, or is refused; nothing is refused for good.
func TestLimitsOfIncidents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeIncidents()
		block := make(chan struct{})
		f.WriteBundle = func(context.Context, io.Writer, string, BundleOptions) error { <-block; return nil }
		f.Changes = func(ctx context.Context, _ string) (changes.Report, error) {
			select {
			case <-block:
			case <-ctx.Done():
				return changes.Report{}, ctx.Err()
			}
			return changes.Report{}, nil
		}
		h := f.proxy()
		get := func(path string) *httptest.ResponseRecorder {
			return do(h, http.MethodGet, "/incidents/"+firstIncident+path)
		}
		ended := make(chan int, 100)
		for range maxBundles {
			go func() { ended <- get("/bundle").Code }()
		}
		for range maxChanges + 1 {
			go func() { ended <- get("/changes").Code }()
		}
		synctest.Wait()
		requireError(t, get("/bundle"), 503, messages.ErrUnavailable, "4 bundles are under way, and that is the limit: try again")
		close(block)
		for range maxBundles + maxChanges + 1 {
			require.Equal(t, 200, <-ended)
		}
		require.Equal(t, 200, get("/bundle").Code)

		block = make(chan struct{})
		for range 2 * maxChanges {
			go func() { ended <- get("/changes").Code }()
		}
		for range 2 * maxChanges {
			require.Equal(t, 504, <-ended)
		}
	})
	l := newIncidentLimits()
	release, err := l.take(maxIncidentResponses)
	require.NoError(t, err, "one that is alone may have any size")
	_, err = l.take(1)
	require.ErrorContains(t, err, "the incidents that clients are reading take 128 MiB of 64 MiB already")
	release()
	_, err = l.take(1)
	require.NoError(t, err)
}

// act sends a request as a client on this machine, or as the headers say; Client and Host are no headers.
func act(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, bytes.NewBufferString(body))
	r.RemoteAddr, r.Host = "127.0.0.1:40000", "localhost:17901"
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		switch value := header[i+1]; header[i] {
		case "Client":
			r.RemoteAddr = value
		case "Host":
			r.Host = value
		default:
			r.Header.Set(header[i], value)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestWhoMayChangeIncidents(t *testing.T) {
	i := newFakeIncidents()
	h := i.proxy()
	f := func(allowedLocally, allowedRemotely bool, header ...string) {
		t.Helper()
		for remote, want := range map[bool]bool{false: allowedLocally, true: allowedRemotely} {
			i.AllowRemoteActions, i.acts = remote, nil
			for _, w := range []*httptest.ResponseRecorder{act(h, http.MethodPut, "/incidents/"+firstIncident+"/pin", "", header...),
				act(h, http.MethodDelete, "/incidents/"+firstIncident+"/pin", "", header...), act(h, http.MethodDelete, "/incidents/"+secondIncident, "", header...)} {
				require.Equal(t, map[bool]int{true: 204, false: 403}[want], w.Code, "remote %v: %s", remote, w.Body.String())
			}
			require.Equal(t, map[bool]int{true: 201, false: 403}[want], act(h, http.MethodPost, "/incidents", `{"reason":"r"}`, header...).Code)
			require.Equal(t, want, len(i.acts) == 3 && i.acts[0] == "pin "+firstIncident)
		}
	}
	f(true, true)
	f(true, true, "Client", "[::1]:5", "Host", "[::1]:17901")
	f(true, true, "Client", "[::ffff:127.0.0.1]:5", "Host", "127.0.0.1")
	f(true, true, "Host", "LOCALHOST")
	f(false, true, "Client", "10.0.0.7:5")
	f(false, true, "Client", "10.0.0.7:5", "X-Forwarded-For", "127.0.0.1")
	f(false, true, "Client", "[fe80::1%lo]:5")
	f(false, true, "Client", "")
	f(false, true, "Client", "@")
	// Names that lead to this machine.
	f(false, true, "Host", "rebound.example:17901")
	f(false, true, "Host", "rebound.example:17901", "Origin", "http://rebound.example:17901")
	f(false, true, "Host", "rebound.example:17901", "Sec-Fetch-Site", "same-origin")
	f(false, true, "Host", "127.0.0.1.nip.example")
	f(false, true, "Host", "localhost.example")
	f(false, true, "Host", "")
	f(false, true, "Host", "10.0.0.1:17901")
	// Pages of other sites, and of other ports.
	f(false, false, "Origin", "https://evil.example")
	f(false, false, "Origin", "http://localhost:3000")
	f(false, false, "Origin", "null")
	f(false, false, "Sec-Fetch-Site", "cross-site")
	f(false, false, "Sec-Fetch-Site", "same-site")
	f(true, true, "Sec-Fetch-Site", "same-origin", "Origin", "http://localhost:17901")
	f(true, true, "Origin", "http://localhost:17901")
	for _, name := range forwardedHeaders {
		f(false, true, name, "x")
	}
	require.Equal(t, 405, act(h, http.MethodOptions, "/incidents", "").Code)
	require.Equal(t, 405, act(h, http.MethodGet, "/incidents/"+firstIncident+"/pin", "").Code)
}

func TestActionsOnIncidents(t *testing.T) {
	f := newFakeIncidents()
	core, logs := observer.New(zapcore.InfoLevel)
	_, a := newFakeAgent()
	a.Incidents, a.Log = f.Incidents, zap.New(core)
	h := a.Handler()
	requireError(t, act(h, http.MethodDelete, "/incidents/x", ""), 400, messages.ErrBadData,
		`incident id "x": not a ULID, which is 26 digits and letters; /incidents lists those there are`)
	f.actErr = fmt.Errorf("delete it: %w", messages.ErrIncidentOpen)
	requireError(t, act(h, http.MethodDelete, "/incidents/"+secondIncident, ""), 409, messages.ErrConflict,
		"incident "+secondIncident+" is open: wait until it is frozen")
	f.actErr, f.acts = nil, nil
	requireError(t, act(h, http.MethodDelete, "/incidents/"+firstIncident, ""), 409, messages.ErrConflict, "incident "+firstIncident+" is pinned, so that it stays: unpin it first")
	require.Empty(t, f.acts)
	f.actErr = messages.Errorf(messages.ErrNotFound, "no such incident")
	requireError(t, act(h, http.MethodPut, "/incidents/"+firstIncident+"/pin", ""), 404, messages.ErrNotFound, "no such incident")
	f.actErr = nil
	w := act(h, http.MethodDelete, "/incidents/"+secondIncident, "", "User-Agent", "curl/8\n\x1b[31m")
	require.Equal(t, 204, w.Code)
	require.Empty(t, w.Body.String())
	last := logs.All()[len(logs.All())-1]
	require.Equal(t, map[string]any{"action": "delete", "incident": secondIncident, "by": "127.0.0.1 (curl/8__[31m)", "client": "127.0.0.1:40000"}, last.ContextMap())

	before := logs.Len()
	for range 3 * errorLines {
		require.Equal(t, 403, act(h, http.MethodDelete, "/incidents/"+firstIncident, "", "Client", "10.0.0.7:1").Code)
	}
	require.Equal(t, 403, act(h, http.MethodDelete, "/incidents/x", "", "Client", "10.0.0.7:1").Code, "an id that is none tells nothing else")
	require.LessOrEqual(t, logs.Len()-before, errorLines)
	require.Equal(t, "10.0.0.7", logs.All()[before].ContextMap()["by"])
	require.Contains(t, logs.All()[before].ContextMap()["error"], "--allow-remote-actions")
}

func TestOrders(t *testing.T) {
	i := newFakeIncidents()
	for server, h := range i.handlers() {
		f := func(body string, want messages.IncidentOrder) {
			t.Helper()
			w := act(h, http.MethodPost, "/incidents", body)
			require.Equal(t, http.StatusCreated, w.Code, w.Body.String())
			require.Equal(t, "/incidents/"+firstIncident, w.Header().Get("Location"))
			_, err := messages.ParseIncident(w.Body.Bytes())
			require.NoError(t, err)
			want.By = "127.0.0.1"
			require.Equal(t, want, i.order)
		}
		f(`{"reason":"slow"}`, messages.IncidentOrder{Reason: "slow", Before: 10 * time.Minute, Profiles: true})
		f(` {"reason":"r","nodes":["n1"],"before":"1h30m","after":"2m","profiles":false} `,
			messages.IncidentOrder{Reason: "r", Nodes: []string{"n1"}, Before: 90 * time.Minute, After: 2 * time.Minute})
		f(`{"reason":"r","before":"0s","after":null}`, messages.IncidentOrder{Reason: "r", Profiles: true})

		g := func(code int, body, text string, header ...string) {
			t.Helper()
			w := act(h, http.MethodPost, "/incidents", body, header...)
			require.Equal(t, code, w.Code, w.Body.String())
			require.Contains(t, w.Body.String(), text)
			require.Empty(t, w.Header().Get("Location"))
		}
		g(404, `{"reason":"r","nodes":["n1","n8","n9"]}`, `nodes: not known here are \"n8\", \"n9\"`)
		g(400, `{}`, "reason: it is missing")
		g(400, `{"reason":" \n"}`, "reason: it is missing")
		g(400, `{"reason":"`+strings.Repeat("x", 2049)+`"}`, "reason: it has 2049 bytes, at most 2048 are allowed")
		g(400, `{"reason":"r","nodes":["`+strings.Repeat(`n","`, 200)+`n"]}`, "nodes: there are 201, at most 200 are allowed")
		g(400, `{"reason":"r","befor":"1m"}`, `unknown field \"befor\"`)
		g(400, `{"reason":"r","before":"10"}`, `before \"10\": a duration such as 10m is allowed, up to 24h`)
		g(400, `{"reason":"r","before":"-1m"}`, "before")
		g(400, `{"reason":"r","before":"25h"}`, "before")
		g(400, `{"reason":"r","after":"61m"}`, `after \"61m\": a duration such as 10m is allowed, up to 1h`)
		g(400, `{"reason":"r"}{}`, "more behind the object")
		g(400, `{"reason":"r"`, "it ends within the object")
		g(400, ``, "it is empty")
		g(400, `[]`, "an object is allowed, not a JSON array")
		g(400, `{"reason":7}`, "reason: a string is allowed, not a JSON number")
		g(400, `{"reason":"r","before":10}`, "before: a string is allowed, not a JSON number")
		g(400, `{"reason":"r","nodes":"n1"}`, "nodes: an array of strings is allowed, not a JSON string")
		g(400, `{"reason":"r","nodes":[1]}`, "nodes: a string is allowed, not a JSON number")
		g(400, `{"reason":"r","profiles":"yes"}`, "profiles: true or false is allowed, not a JSON string")
		g(400, "{\"reason\":\"\xff\"}", "not valid UTF-8")
		g(422, `{"reason":"`+strings.Repeat("x", 64<<10)+`"}`, "the body has more than 65536 bytes")
		g(400, `{"reason":"r"}`, `Content-Type \"text/plain\": allowed is application/json`, "Content-Type", "text/plain")
		g(400, `{"reason":"r"}`, `Content-Type`, "Content-Type", "")
		require.NotEmpty(t, server)
	}
}

func FuzzOrder(f *testing.F) {
	f.Add(`{"reason":"r","nodes":["n1"],"before":"1h30m","after":"2m","profiles":false}`)
	f.Fuzz(func(t *testing.T, body string) {
		i := newFakeIncidents()
		r := httptest.NewRequest(http.MethodPost, "/incidents", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		o, err := i.readOrder(r)
		if err != nil {
			var known *messages.Error
			require.ErrorAs(t, err, &known)
			return
		}
		require.NotEmpty(t, strings.TrimSpace(o.Reason))
		require.LessOrEqual(t, o.Before, maxBefore)
		require.LessOrEqual(t, o.After, maxAfter)
		require.GreaterOrEqual(t, min(o.Before, o.After), time.Duration(0))
	})
}

// slowClient takes some time for each write, and ends at its deadline.
type slowClient struct {
	*httptest.ResponseRecorder
	each     time.Duration
	deadline time.Time
}

func (c *slowClient) SetWriteDeadline(t time.Time) error { c.deadline = t; return nil }

func (c *slowClient) Write(b []byte) (int, error) {
	if wait := time.Until(c.deadline); wait < c.each {
		time.Sleep(wait)
		return 0, os.ErrDeadlineExceeded
	}
	time.Sleep(c.each)
	return len(b), nil
}

// A client that reads next to nothing does not keep its place. What is slow here is not counted.
func TestClientsThatReadTooSlowly(t *testing.T) {
	f := func(each, between time.Duration, cut bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			p := newPartWriter(&slowClient{ResponseRecorder: httptest.NewRecorder(), each: each})
			for range 100 {
				if _, err := p.Write(make([]byte, partBytes)); err != nil {
					require.True(t, cut)
					require.LessOrEqual(t, time.Since(begin), 2*time.Minute)
					return
				}
				time.Sleep(between)
			}
			require.False(t, cut)
		})
	}
	f(9*time.Second, 0, true)
	f(3*time.Second, 0, true)
	f(11*time.Second, 0, true)
	f(time.Second, 0, false)
	f(time.Second, 15*time.Second, false)
}
