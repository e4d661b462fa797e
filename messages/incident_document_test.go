package messages

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const testIncidentID = "01JDZX3M9V5T6Q2W8R4Y7B1N0C"

func TestIncidentDocument(t *testing.T) {
	at := time.Date(2026, 3, 1, 3, 12, 0, 0, time.UTC)
	in := Incident{ID: testIncidentID, Kind: IncidentRule, State: IncidentOpen, FirstOccurrence: at, Nodes: []IncidentNode{
		{NodeID: "data-0", Dir: EvidenceDir("data-0"), Files: []EvidenceFile{{Path: "nodes/data-0/config.json", What: EvidenceConfig, Bytes: 3}}}}}
	b, err := EncodeIncident(&in)
	require.NoError(t, err)
	require.NotContains(t, string(b), "null")
	out, err := ParseIncident(b)
	require.NoError(t, err)
	require.Equal(t, in.Nodes[0].Files, out.Nodes[0].Files)
	require.True(t, out.FirstOccurrence.Equal(at))

	f := func(why, from, to string) {
		t.Helper()
		bad := strings.Replace(string(b), from, to, 1)
		require.NotEqual(t, string(b), bad)
		_, err := ParseIncident([]byte(bad))
		require.ErrorContains(t, err, why)
	}
	f("no ULID", testIncidentID, "../../etc")
	f("version", `"version": 1`, `"version": 0`)
	f("nodes/data-0/../../x", "nodes/data-0/config.json", "nodes/data-0/../../x")
	f("nodes/data-1/x", "nodes/data-0/config.json", "nodes/data-1/x")
	f("the directory", `"dir": "nodes/data-0"`, `"dir": "/etc"`)
	f("size -3", `"bytes": 3`, `"bytes": -3`)
	f("JSON", "{", "")

	// A newer program has more to say.
	newer := strings.NewReplacer(`"version": 1`, `"version": 2, "later": {"a": [1]}`, `"what": "config"`, `"what": "config", "later": 7`).Replace(string(b))
	require.Equal(t, 2, strings.Count(newer, "later"))
	out, err = ParseIncident([]byte(newer))
	require.NoError(t, err)
	require.Equal(t, in.Nodes[0].Files, out.Nodes[0].Files)
}

func TestEvidencePaths(t *testing.T) {
	for _, good := range []string{"a", "nodes/data-0/profiles/heap.pb.gz", "a/b=c@d+e"} {
		require.True(t, ValidEvidencePath(good), good)
	}
	for _, bad := range []string{"", "/a", "a/../b", "../a", "a//b", "a/", ".", "a\\b", "c:x", "a/con", "nul.txt", "a/COM1.log", "a\x00b", "é", "x.", strings.Repeat("a", 513)} {
		require.False(t, ValidEvidencePath(bad), bad)
	}
	seen := map[string]string{}
	for _, id := range []string{"data-0", "Data-0", "data:0", "data/0", "..", ".", "", "nul", strings.Repeat("x", 300), strings.Repeat("x", 301)} {
		dir := EvidenceDir(id)
		require.True(t, ValidEvidencePath(dir), dir)
		require.Empty(t, seen[strings.ToLower(dir)])
		seen[strings.ToLower(dir)] = id + "!"
	}
	require.Equal(t, "nodes/data-0", EvidenceDir("data-0"))
}

func FuzzParseIncident(f *testing.F) {
	f.Add([]byte(`{"id":"` + testIncidentID + `","version":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if in, err := ParseIncident(b); err == nil {
			again, err := EncodeIncident(&in)
			require.NoError(t, err)
			_, err = ParseIncident(again)
			require.NoError(t, err)
		}
	})
}
