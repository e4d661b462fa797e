package modes

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder/bundle"
	"fodc/recorder/bundle/bundletest"
)

// textBuffer is what a program has printed so far.
type textBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *textBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *textBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// viewed is a fodc view that runs.
type viewed struct {
	t              *testing.T
	url            string
	stdout, stderr textBuffer
}

var viewURL = regexp.MustCompile(`(?m)^(http://\S+)/  \(Ctrl-C`)

// startView runs fodc view until the test ends, and checks then that nothing is left of it.
func startView(t *testing.T, c ViewConfig) *viewed {
	t.Helper()
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp)
	if c.ListenAddress == "" {
		c.ListenAddress = "127.0.0.1:0"
	}
	ctx, cancel := context.WithCancel(t.Context())
	v, ended := &viewed{t: t}, make(chan error, 1)
	go func() { ended <- RunView(ctx, c, &v.stdout, &v.stderr) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
		left, err := os.ReadDir(temp)
		require.NoError(t, err)
		require.Empty(t, left)
	})
	require.Eventually(t, func() bool {
		found := viewURL.FindStringSubmatch(v.stdout.String())
		if found != nil {
			v.url = found[1]
		}
		return found != nil
	}, 20*time.Second, 5*time.Millisecond, "%s%s", &v.stdout, &v.stderr)
	return v
}

func (v *viewed) do(method, path string) (int, string) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.url+path, http.NoBody)
	require.NoError(v.t, err)
	response, err := http.DefaultClient.Do(r)
	require.NoError(v.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(v.t, err)
	return response.StatusCode, string(body)
}

func (v *viewed) get(path string) string {
	v.t.Helper()
	code, body := v.do(http.MethodGet, path)
	require.Equal(v.t, http.StatusOK, code, "%s: %s", path, body)
	return body
}

// TestView opens an incident in all the forms in which there are some, those of a storage of an agent and of a proxy among them.
func TestView(t *testing.T) {
	storage := t.TempDir()
	dir, i := bundletest.Write(t, filepath.Join(storage, "incidents"), bundletest.Options{Blocks: []string{"data-0"}, Windows: []string{"data-1"}, Series: 20})
	d, err := bundle.OpenDir(dir)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "b.tar.gz")
	var b bytes.Buffer
	require.NoError(t, bundle.Write(t.Context(), &b, d, bundle.Options{}))
	require.NoError(t, os.WriteFile(file, b.Bytes(), 0o600))
	one := "/incidents/" + i.ID
	for _, path := range []string{file, dir, storage, filepath.Join(storage, "incidents")} {
		v := startView(t, ViewConfig{Path: path})
		require.Contains(t, v.stdout.String(), "# Incident "+i.ID)
		require.Contains(t, v.stdout.String(), i.Summary)
		require.Empty(t, v.stderr.String())
		require.Contains(t, v.get("/incidents"), i.ID)
		document, err := messages.ParseIncident([]byte(v.get(one)))
		require.NoError(t, err)
		require.Equal(t, i.Summary, document.Summary)
		require.Contains(t, v.get(one+"/changes"), "process_resident_memory_bytes")
		require.Equal(t, "State: S (sleeping)\n", v.get(one+"/files/nodes/data-0/process/status.txt"))
		require.True(t, strings.HasPrefix(v.get(one+"/bundle?nodes=data-1"), "\x1f\x8b"))
		require.Contains(t, v.get("/"), "fodc view")
		v.get("/-/ready")
		var answer struct {
			Data struct {
				Result []struct {
					Metric map[string]string
					Value  [2]any
				}
			}
		}
		require.NoError(t, json.Unmarshal([]byte(v.get("/api/v1/query?query=process_resident_memory_bytes")), &answer))
		require.Len(t, answer.Data.Result, 2, "the time of a query is that of the newest sample")
		require.Equal(t, "data", answer.Data.Result[0].Metric["node_role"])
		for _, r := range [][2]string{{http.MethodDelete, one}, {http.MethodPut, one + "/pin"}, {http.MethodPost, "/incidents"}} {
			code, _ := v.do(r[0], r[1])
			require.GreaterOrEqual(t, code, 400)
		}
		code, body := v.do(http.MethodDelete, one)
		require.Equal(t, http.StatusForbidden, code)
		require.Contains(t, body, "nothing can be changed here")
		code, _ = v.do(http.MethodGet, "/incidents/01JDZX3M9V5T6Q2W8R4Y7B1N0D")
		require.Equal(t, http.StatusNotFound, code)
		require.DirExists(t, dir)
	}
}

// TestViewMany: a directory of many incidents is a list. What cannot be read costs that alone.
func TestViewMany(t *testing.T) {
	dir := t.TempDir()
	for _, id := range []string{bundletest.ID, "01JDZX3M9V5T6Q2W8R4Y7B1N0D"} {
		bundletest.Write(t, dir, bundletest.Options{ID: id, Blocks: []string{"data-0"}})
	}
	broken, i := bundletest.Write(t, dir, bundletest.Options{ID: "01JDZX3M9V5T6Q2W8R4Y7B1N0E", Blocks: []string{"data-0"}, Windows: []string{"data-1"}})
	for _, f := range append(i.Nodes[0].Files, i.Nodes[1].Files...) {
		if strings.HasSuffix(f.Path, "/index") || f.What == messages.EvidenceWindow || strings.HasSuffix(f.Path, "config.json") {
			require.NoError(t, os.Truncate(filepath.Join(broken, filepath.FromSlash(f.Path)), 3))
		}
	}
	require.NoError(t, os.Remove(filepath.Join(broken, "nodes", "data-0", "events.json")))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "bad"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bad", "incident.json"), []byte("{"), 0o600))
	v := startView(t, ViewConfig{Path: dir})
	require.Contains(t, v.stdout.String(), "3 incidents; the newest:\n01JDZX3M9V5T6Q2W8R4Y7B1N0E")
	require.Equal(t, 3, strings.Count(v.stderr.String(), "fodc view: "), v.stderr.String())
	require.Contains(t, v.get("/incidents"), i.ID)
	require.Contains(t, v.get("/api/v1/query?query=process_resident_memory_bytes"), "data-0")
	code, body := v.do(http.MethodGet, "/incidents/"+i.ID+"/files/nodes/data-0/events.json")
	require.Equal(t, http.StatusNotFound, code)
	require.Contains(t, body, "is not in what is viewed here")
	require.Contains(t, v.get("/incidents/"+i.ID+"/changes"), `"unread":[{`)
}

func TestViewAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	dir, _ := bundletest.Write(t, t.TempDir(), bundletest.Options{Blocks: []string{"data-0"}})
	c := ViewConfig{Path: dir, ListenAddress: taken.Addr().String()}
	require.ErrorContains(t, RunView(t.Context(), c, io.Discard, io.Discard), taken.Addr().String())
	c.OtherPort = true
	v := startView(t, c)
	require.NotContains(t, v.url, taken.Addr().String())
	v.get("/incidents")
}

func TestViewOfNothing(t *testing.T) {
	require.ErrorContains(t, RunView(t.Context(), ViewConfig{Path: t.TempDir()}, io.Discard, io.Discard), "has no incident")
}

func TestViewFlags(t *testing.T) {
	f := func(want ViewConfig, args ...string) {
		t.Helper()
		o := run(t, nil, []string{"FODC_LISTEN_ADDRESS=x"}, append([]string{"view"}, args...)...)
		require.Equal(t, exitClean, o.code, o.stderr)
		require.Equal(t, want, o.config)
	}
	f(ViewConfig{Path: "x", ListenAddress: "127.0.0.1:17912", OtherPort: true}, "x")
	f(ViewConfig{Path: "x", ListenAddress: "127.0.0.1:17912"}, "x", "--listen-address", "127.0.0.1:17912")
	f(ViewConfig{Path: `C:\x`, ListenAddress: ":0"}, "--listen-address=:0", `C:\x`)
	for _, addr := range wrongListenAddrs {
		wrong(t, run(t, nil, nil, "view", "x", "--listen-address", addr), "fodc view", "must be HOST:PORT")
	}
	wrong(t, run(t, nil, nil, "view"), "fodc view", "BUNDLE|DIRECTORY is missing")
	wrong(t, run(t, nil, nil, "view", "a", "b"), "fodc view", `stray argument "b"`)
	require.Contains(t, run(t, nil, nil, "view", "--help").stdout, "fodc view BUNDLE|DIRECTORY [flags]")
}
