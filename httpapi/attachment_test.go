package httpapi

import (
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// hostileNames are names of nodes, pods, roles and files that agents may send.
var hostileNames = []string{
	`a"; filename="evil.exe`, "a\r\nSet-Cookie: x=1", "a\nb", "../../etc/passwd", `..\..\evil.exe`, "C:evil", "/abs", "a\x00b", "a\x7fb", "a;b=c", "a%22%0d%0a",
	"a\u202egpj.exe", "a\u2066b\u2069", "\u200fb", "a\u2028b", "\ufeffa", "\xff\xfe", "~/x", "-rf", ".hidden", "...", "", "*", "|x", "$(x)", "`x`", "<x>",
	strings.Repeat("x", 5000), strings.Repeat("\u00e4", 400), "b\u00fcro-0", "\u30ce\u30fc\u30c9",
}

// requireAttachment requires that the header is one line with one name of a file that is harmless on any system.
func requireAttachment(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	values := w.Header().Values("Content-Disposition")
	require.Len(t, values, 1)
	require.False(t, strings.ContainsFunc(values[0], func(r rune) bool { return r < ' ' || r > '~' }), "%q", values[0])
	require.Empty(t, w.Header().Values("Set-Cookie"))
	kind, params, err := mime.ParseMediaType(values[0])
	require.NoError(t, err, "%q", values[0])
	require.Equal(t, "attachment", kind)
	require.Len(t, params, 1, "%q", values[0])
	name := params["filename"]
	require.NotEmpty(t, name)
	require.LessOrEqual(t, len(name), 255)
	require.False(t, strings.ContainsAny(name, "/\\:;\"'*?<>|%$` ~"), "%q", name)
	require.False(t, strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }), "%q", name)
	require.False(t, strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-"), "%q", name)
	return name
}

func TestHostileNamesOfProfiles(t *testing.T) {
	for _, hostile := range hostileNames {
		f := profiled()
		n := &f.collection.Nodes[0]
		n.Identity.PodName, n.Identity.Role = hostile, hostile
		n.Parts[0].(*messages.PressureProfile).ID = hostile
		f.download = func(_ messages.Download, write func(*messages.ProfileChunk) error) error {
			return write(&messages.ProfileChunk{Data: []byte("x"), Last: true})
		}
		pod, id := hostile, hostile
		if hostile == "" || strings.Contains(hostile, "/") { // no such path leads to a profile
			pod, id = "pod", "id"
			n.Parts[0].(*messages.PressureProfile).ID = id
		}
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			name := requireAttachment(t, do(f.handler, method, "/pressure-profiles/"+url.PathEscape(pod)+"/"+url.PathEscape(id)+"/heap"))
			require.True(t, strings.HasSuffix(name, "heap.pprof"), "%q of %q", name, hostile)
		}
	}
}

// The evidence of an incident is in the folder of its node, whatever the node is called. No path of another form is served.
func TestHostileNamesOfEvidence(t *testing.T) {
	for _, hostile := range hostileNames {
		f := newFakeIncidents()
		h := f.proxy()
		n := &f.all[0].Nodes[0]
		n.NodeID, n.Dir = hostile, messages.EvidenceDir(hostile)
		n.Files[0].Path = n.Dir + "/profiles/heap.pb.gz"
		requireAttachment(t, do(h, http.MethodGet, "/incidents/"+firstIncident+"/files/"+n.Files[0].Path))
		name := requireAttachment(t, do(h, http.MethodGet, "/incidents/"+firstIncident+"/bundle?nodes="+url.QueryEscape(hostile)))
		require.Equal(t, "fodc-incident-"+firstIncident+".tar.gz", name)
	}
}

func TestFileName(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		require.Equal(t, want, fileName(name))
		require.Equal(t, want, fileName(want), "of a name that is one already")
	}
	f("pod-a-datanode-old-heap.pprof", "pod-a-datanode-old-heap.pprof")
	f("b\u00fcro-0.pprof", "b\u00fcro-0.pprof")
	f("../../x", "__.._x")
	f("-rf", "_rf")
	f("a\u202egpj.exe", "a_gpj.exe")
	f(strings.Repeat("x", 300)+"-heap.pprof", strings.Repeat("x", 244)+"-heap.pprof")
}
