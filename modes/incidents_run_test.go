package modes

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fodc/httpapi"
	"fodc/messages"
	"fodc/recorder/changes"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// incidentsAPI is an agent that has incidents.
type incidentsAPI struct {
	*httpapi.Incidents
	url   string
	order messages.IncidentOrder
	acts  []string
}

func newIncidentsAPI(t *testing.T) *incidentsAPI {
	i := docsErrors()
	a := &incidentsAPI{Incidents: docsIncidents(i)}
	create := a.Create
	a.Create = func(ctx context.Context, o messages.IncidentOrder) (*messages.Incident, error) {
		a.order = o
		return create(ctx, o)
	}
	a.Act = func(_ context.Context, id string, action messages.IncidentAction) error {
		if action == messages.IncidentDelete && id == i.ID {
			return messages.ErrIncidentOpen
		}
		a.acts = append(a.acts, string(action)+" "+id)
		return nil
	}
	a.WriteBundle = func(_ context.Context, w io.Writer, _ string, o httpapi.BundleOptions) error {
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte(strings.Join(o.Nodes, " ") + strings.Repeat("bundle", 1000)))
		return z.Close()
	}
	api := &httpapi.AgentAPI{Identity: func() messages.Identity { return messages.Identity{NodeID: "liaison-0"} }, Log: zap.NewNop(), Incidents: a.Incidents}
	s := httptest.NewServer(api.Handler())
	t.Cleanup(s.Close)
	a.url = s.URL
	return a
}

const docsIncidentID = "01KDVX2A1C9D4E8F0G3H5J7K9M"

// do runs the command.
func (a *incidentsAPI) do(t *testing.T, c IncidentsConfig) (stdout, stderr string, err error) {
	t.Helper()
	if c.ProxyURL == "" {
		c.ProxyURL = a.url
	}
	if c.Timeout == 0 {
		c.Timeout = time.Minute
	}
	var out, errs bytes.Buffer
	err = RunIncidents(t.Context(), c, &out, &errs)
	return out.String(), errs.String(), err
}

func TestIncidentsAtATerminal(t *testing.T) {
	a := newIncidentsAPI(t)
	f := func(c IncidentsConfig, want ...string) {
		t.Helper()
		stdout, stderr, err := a.do(t, c)
		require.NoError(t, err)
		require.Empty(t, stderr)
		for _, w := range want {
			require.Contains(t, stdout, w)
		}
	}
	local := docsErrors().FirstOccurrence.Local().Format("2006-01-02 15:04:05 -07:00")
	f(IncidentsConfig{Do: IncidentsList}, docsIncidentID, local)
	f(IncidentsConfig{Do: IncidentsList, Output: "json"}, `    "id": "`+docsIncidentID+`",`)
	f(IncidentsConfig{Do: IncidentsList, Nodes: []string{"n9"}}, "no incidents")
	f(IncidentsConfig{Do: IncidentsList, Since: When{Ago: time.Hour}, Limit: 1, Rules: []string{"ErrorsAppear"}, Roles: []string{"liaison"}, States: []string{"collected"}}, "no incidents")
	f(IncidentsConfig{Do: IncidentsShow, ID: "last"}, docsIncidentID, local, "first occurrence", "profile/heap", "process_resident_memory_bytes", "1.855 GiB")
	f(IncidentsConfig{Do: IncidentsShow, ID: "01kd", Output: "json"}, `  "id": "`+docsIncidentID+`",`)
	f(IncidentsConfig{Do: IncidentsPin, ID: "last"}, "incident "+docsIncidentID+" is pinned\n")
	f(IncidentsConfig{Do: IncidentsUnpin, ID: docsIncidentID}, "incident "+docsIncidentID+" is not pinned any more\n")
	f(IncidentsConfig{Do: IncidentsDelete, ID: "01KDVX3M9V5T6Q2W8R4Y7B1N0C"}, "is deleted\n")
	require.Equal(t, []string{"seen " + docsIncidentID, "seen " + docsIncidentID, "seen " + docsIncidentID, "pin " + docsIncidentID, "unpin " + docsIncidentID, "delete 01KDVX3M9V5T6Q2W8R4Y7B1N0C"}, a.acts)
	f(IncidentsConfig{Do: IncidentsCapture, Reason: "slow", Profiles: true}, "incident 01KDVX9Z7Y5X3W1V0T8S6R4Q2P is open; see fodc incidents show 01KDVX9Z7Y5X3W1V0T8S6R4Q2P\n")
	require.Equal(t, messages.IncidentOrder{Reason: "slow", Before: 10 * time.Minute, Profiles: true, By: a.order.By}, a.order)
	require.Contains(t, a.order.By, "127.0.0.1 (fodc/")
	f(IncidentsConfig{Do: IncidentsCapture, Reason: "r", Nodes: []string{"liaison-0"}, Before: "1m", After: "2s", Output: "json"}, `"kind": "request"`)
	require.Equal(t, messages.IncidentOrder{Reason: "r", Nodes: []string{"liaison-0"}, Before: time.Minute, After: 2 * time.Second, By: a.order.By}, a.order)

	a.Changes = func(context.Context, string) (changes.Report, error) {
		return changes.Report{}, messages.Errorf(messages.ErrUnavailable, "not yet\x1b[31m")
	}
	stdout, stderr, err := a.do(t, IncidentsConfig{Do: IncidentsShow, ID: "last"})
	require.NoError(t, err)
	require.Contains(t, stdout, docsIncidentID)
	require.Equal(t, "fodc incidents show: what has changed is not known: not yet\\u001b[31m\n", stderr)
}

// JSON at a terminal has what agents have said, too.
func TestIncidentsAsHostileJSON(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, writeIndented(&b, []byte("{\"summary\":\"a\u009b31m\x7f\u202eb\\n\"}\n")))
	require.Equal(t, "{\n  \"summary\": \"a\\u009b31m\\u007f\\u202eb\\n\"\n}\n", b.String())
}

func TestIncidentsThatCannotBeHad(t *testing.T) {
	a := newIncidentsAPI(t)
	f := func(c IncidentsConfig, want string) {
		t.Helper()
		stdout, _, err := a.do(t, c)
		require.ErrorContains(t, err, want)
		require.Empty(t, stdout)
	}
	f(IncidentsConfig{Do: IncidentsShow, ID: "7"}, `there is no incident whose id begins with "7"`)
	f(IncidentsConfig{Do: IncidentsShow, ID: "01KDVX3M9V5T6Q2W8R4Y7B1N0C"}, "there is no incident 01KDVX3M9V5T6Q2W8R4Y7B1N0C")
	f(IncidentsConfig{Do: IncidentsDelete, ID: "last"}, "incident "+docsIncidentID+" is open: wait until it is frozen")
	f(IncidentsConfig{Do: IncidentsCapture, Reason: "r", Nodes: []string{"n9"}}, `nodes: not known here are "n9"`)
	f(IncidentsConfig{Do: IncidentsCapture, Reason: "r", Before: "2d"}, `before "2d": a duration`)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	away := "http://u:hunter2@" + l.Addr().String()
	require.NoError(t, l.Close())
	f(IncidentsConfig{Do: IncidentsList, ProxyURL: away}, "is a proxy or an agent running there? --proxy-url names another one")
	_, _, err = a.do(t, IncidentsConfig{Do: IncidentsExport, ID: "last", ProxyURL: away})
	require.ErrorContains(t, err, "u:xxxxx@127.0.0.1")
	other := newFakeAPI(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>hello") })
	f(IncidentsConfig{Do: IncidentsList, ProxyURL: other.URL}, `127.0.0.1`)
	f(IncidentsConfig{Do: IncidentsList, ProxyURL: other.URL}, `this is no answer of a proxy or an agent of fodc: status 200, text/html; charset=utf-8: "<html>hello"`)
	bad := newFakeAPI(t, answerJSON(200, `[{"id":"../../x"}]`))
	f(IncidentsConfig{Do: IncidentsExport, ID: "last", ProxyURL: bad.URL}, `the server has answered the id "../../x", which is no ULID`)
	hangs := newFakeAPI(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	f(IncidentsConfig{Do: IncidentsList, ProxyURL: hangs.URL, Timeout: 10 * time.Millisecond}, "no answer within 10ms (--timeout)")
	f(IncidentsConfig{Do: IncidentsExport, ID: docsIncidentID, File: filepath.Join(t.TempDir(), "x"), ProxyURL: hangs.URL, Timeout: 10 * time.Millisecond}, "no bytes within 10ms (--timeout)")
}

func TestExportOfAnIncident(t *testing.T) {
	a := newIncidentsAPI(t)
	t.Chdir(t.TempDir())
	requireFiles := func(want ...string) {
		t.Helper()
		var names []string
		entries, err := os.ReadDir(".")
		require.NoError(t, err)
		for _, e := range entries {
			names = append(names, e.Name())
		}
		require.Equal(t, want, names)
	}
	unpacked := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		z, err := gzip.NewReader(bytes.NewReader(b))
		require.NoError(t, err)
		text, err := io.ReadAll(z)
		require.NoError(t, err)
		return string(text)
	}
	name := "fodc-incident-" + docsIncidentID + ".tar.gz"
	export := IncidentsConfig{Do: IncidentsExport, ID: "last"}
	stdout, stderr, err := a.do(t, export)
	require.NoError(t, err)
	require.Empty(t, stderr)
	require.Regexp(t, name+`: \d+ bytes\n`, stdout)
	require.Equal(t, strings.Repeat("bundle", 1000), unpacked(name))
	requireFiles(name)

	export.File, export.Nodes, export.Lite = "x", []string{"liaison-0"}, true
	_, _, err = a.do(t, export)
	require.NoError(t, err)
	require.Equal(t, "liaison-0"+strings.Repeat("bundle", 1000), unpacked("x"))
	require.NoError(t, os.Mkdir("dir", 0o700))
	export.File = "dir"
	_, _, err = a.do(t, export)
	require.NoError(t, err)
	unpacked(filepath.Join("dir", name))
	export.File = "-"
	stdout, _, err = a.do(t, export)
	require.NoError(t, err)
	require.Equal(t, "\x1f\x8b", stdout[:2])

	// Whatever is not whole leaves no file, and the one that was there before.
	export.File = "x"
	whole := a.WriteBundle
	for why, write := range map[string]func(ctx context.Context, w io.Writer, id string, o httpapi.BundleOptions) error{
		"the bundle is cut off or damaged after": func(ctx context.Context, w io.Writer, id string, o httpapi.BundleOptions) error {
			_ = whole(ctx, w, id, o)
			_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20))
			return errors.New("the disk is broken")
		},
		"unexpected EOF": func(context.Context, io.Writer, string, httpapi.BundleOptions) error { return nil },
		"not now": func(context.Context, io.Writer, string, httpapi.BundleOptions) error {
			return messages.Errorf(messages.ErrUnavailable, "not now")
		},
		"gzip: invalid": func(_ context.Context, w io.Writer, _ string, _ httpapi.BundleOptions) error {
			_, err := w.Write([]byte("bundle bundle bundle"))
			return err
		},
	} {
		a.WriteBundle = write
		_, _, err = a.do(t, export)
		require.ErrorContains(t, err, why)
		require.Contains(t, unpacked("x"), "bundle")
		requireFiles("dir", name, "x")
	}
	a.WriteBundle = whole
	export.Nodes = []string{"n9"}
	_, _, err = a.do(t, export)
	require.EqualError(t, err, "nodes: incident "+docsIncidentID+` does not have "n9"`)
	export.File, export.Nodes = filepath.Join("none", "x"), nil
	_, _, err = a.do(t, export)
	require.ErrorIs(t, err, os.ErrNotExist)
	requireFiles("dir", name, "x")
}
