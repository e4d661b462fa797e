package httpapi

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"fodc/httpapi/promapi"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// steering is a text that would steer a terminal, and what JSON has of it.
const (
	steering = "a\u009b31m \u007f \u202eb\u2066 \u2028\ufeff\U000e0041 ä🙂"
	steered  = `a\u009b31m \u007f \u202eb\u2066 \u2028\ufeff\udb40\udc41 ä🙂`
)

func TestPlainJSON(t *testing.T) {
	require.Equal(t, steered, string(plainJSON([]byte(steering))))
	f := func(text string) {
		t.Helper()
		require.Equal(t, text, string(plainJSON([]byte(text))))
	}
	f("")
	f("{\"a\": \"ä\\u009b🙂\u00a0\"}\r\n\t")
	f(strings.Repeat("plain ", 20))
	require.Zero(t, skipASCII([]byte("\xff\x7e345678"), 0), "a carry hides nothing")
}

func TestGraphicCharacters(t *testing.T) {
	for r := range rune(utf8.MaxRune + 1) {
		if isGraphic(r) != unicode.IsGraphic(r) {
			t.Errorf("%U", r)
		}
	}
}

// Whatever a text has, JSON means the same afterwards, and has nothing that is not graphic.
func TestPlainJSONMeansTheSame(t *testing.T) {
	some := []rune("\x00\x1b~\u007f\u0080\u009f\u00a0\u00ad\u200d\u200f\u2028\u202e\u2069\ufeff\ufffd\U0001f642\U000e0001\U0010ffff\\\"aä")
	random := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		text := make([]rune, random.IntN(40))
		for i := range text {
			if text[i] = 'x'; random.IntN(3) == 0 {
				text[i] = some[random.IntN(len(some))]
			}
		}
		encoded, err := json.Marshal(map[string]string{string(text): "v" + string(text)})
		require.NoError(t, err)
		plain := plainJSON(encoded)
		requireGraphic(t, string(plain))
		var got map[string]string
		require.NoError(t, json.Unmarshal(plain, &got))
		require.Equal(t, map[string]string{string(text): "v" + string(text)}, got)
	}
}

// requireGraphic requires that a text may go to a terminal.
func requireGraphic(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		require.True(t, strconv.IsGraphic(r) || r == '\n', "%q in %.2000q", r, text)
	}
}

// Each answer that is JSON shows what agents have said without what steers a terminal.
func TestAnswersInJSONDoNotSteerATerminal(t *testing.T) {
	evil := func(id *messages.Identity) {
		id.NodeID, id.PodName, id.Role, id.Labels = steering, steering, steering, map[string]string{steering: steering}
	}
	p := newFakeProxy()
	p.collection, p.cluster, p.configs = threeNodes(), someCluster(), someConfigs()
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	withAllParts(p, at)
	evil(&p.cluster.Nodes[0].Identity)
	evil(&p.configs[0].Identity)
	evil(&p.collection.Nodes[0].Identity)
	p.collection.Nodes[0].Parts[0].(*messages.Topology).Calls[0].Source = steering
	p.crashes.Crashes[0].Panic.PanicValue, p.crashes.Crashes[0].Panic.GoroutineStack = steering, steering
	failure := &messages.Failure{At: at, Reason: steering, Message: steering, Stack: steering}
	p.tree = messages.ActorTree{At: at, Actors: []messages.ActorNode{{ID: "a", Subject: steering, LastFailure: failure}}}
	incidents := newFakeIncidents()
	p.Incidents = incidents.Incidents
	one, err := incidents.Get(t.Context(), firstIncident)
	require.NoError(t, err)
	one.Summary, one.Nodes[0].NodeID = steering, steering
	p.Queries = []promapi.Route{{Path: "/api/v1/query", Methods: []string{http.MethodGet}, Serve: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentJSON)
		_, _ = io.WriteString(w, `"`+steering+`"`)
	}}}
	h := p.Handler()
	for _, path := range []string{"/cluster", "/cluster/config", "/cluster/config?diff=1", "/diagnostics", "/metrics-windows?format=json", "/debug/actors", "/incidents",
		"/incidents/" + firstIncident, "/api/v1/query", "/cluster/topology", "/sd", "/health"} {
		w := do(h, http.MethodGet, path)
		require.Equal(t, http.StatusOK, w.Code, "%s: %s", path, w.Body)
		require.Contains(t, w.Header().Get("Content-Type"), contentJSON, path)
		requireGraphic(t, w.Body.String())
		if path != "/health" && !strings.HasSuffix(path, "diff=1") {
			require.Contains(t, w.Body.String(), steered, path)
		}
	}
}

// A file of the evidence goes as it is: its length and its sum are known.
func TestFilesOfJSONGoAsTheyAre(t *testing.T) {
	h := queries(nil, promapi.Route{Path: "/file", Methods: []string{http.MethodGet}, Serve: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentJSON)
		w.Header().Set("Content-Length", strconv.Itoa(len(steering)))
		_, _ = io.WriteString(w, steering)
	}})
	require.Equal(t, steering, do(h, http.MethodGet, "/file").Body.String())
}
