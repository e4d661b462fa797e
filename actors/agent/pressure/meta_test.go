package pressure

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

const metaID = "20250301T120000.000000005Z"

func metaText(profiles string) string {
	return fmt.Sprintf(`{"profile_id":%q,"rss_bytes":5,"profiles":[%s],"of_later_versions":{}}`, metaID, profiles)
}

func TestParseMeta(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		m, err := parseMeta([]byte(text), metaID)
		if want != "" {
			require.ErrorContains(t, err, want)
			require.Less(t, len(err.Error()), 400)
			return
		}
		require.NoError(t, err)
		require.EqualValues(t, 5, m.RSSBytes)
	}
	one := `{"type":"heap","filename":"heap.pprof","format":"pprof","size_bytes":1}`
	f(metaText(one), "")
	f(metaText(`{"type":"heap","filename":"heap.pprof"}`), "")
	f(metaText(one+`,{"type":"goroutine","filename":"goroutine.pprof","filepath":"/x","size_bytes":0}`), "")
	f(``, "unexpected end")
	f(`null`, `is that of ""`)
	f(`[]`, "cannot unmarshal")
	f(metaText(one)+"x", "invalid character")
	f(`{"profile_id":"x"}`, `is that of "x"`)
	f(metaText(""), "0 profiles")
	f(metaText(strings.TrimSuffix(strings.Repeat(one+",", 17), ",")), "17 profiles")
	f(metaText(one+","+one), "twice")
	f(metaText(one+`,{"type":"allocs","filename":"heap.pprof"}`), "twice")
	f(metaText(`{"type":"heap","filename":"heap.pprof","size_bytes":-1}`), "negative")
	f(metaText(`{"type":"heap","filename":"heap.pprof","size_bytes":1e30}`), "cannot unmarshal")
	f(strings.Repeat(" ", maxMetaBytes)+metaText(one), "at most 16384 are allowed")
	for _, name := range []string{"", ".", "..", "../x", "a/b", `a\b`, "/etc/passwd", "C:x", "heap.pprof.", ".heap", "Heap", "a b", "a\u0000", "ä", "meta.json", strings.Repeat("a", 65)} {
		quoted, err := json.Marshal(name)
		require.NoError(t, err)
		f(metaText(fmt.Sprintf(`{"type":"heap","filename":%s}`, quoted)), "is no name of a profile's file")
		f(metaText(fmt.Sprintf(`{"type":%s,"filename":"heap.pprof"}`, quoted)), "is no type of a profile")
	}
	f(metaText(`{"type":"heap","filename":"heap.pprof","format":"a/b"}`), "is no format")
}

func TestIDs(t *testing.T) {
	f := func(id string, want bool) {
		t.Helper()
		at, ok := parseID(id)
		require.Equal(t, want, ok, id)
		require.Equal(t, want, isHalf(halfPrefix+id), id)
		if ok {
			require.Equal(t, id, idOf(at))
		}
	}
	f(metaID, true)
	f("00010101T000000.000000000Z", true)
	f("99991231T235959.999999999Z", true)
	for _, id := range []string{"", "x", "20250301T120000Z", "20250301T120000.5Z", "20250301T120000.000000005", "20250301T120000.000000005z", "20250301T120000,000000005Z",
		"20250230T120000.000000005Z", "20250301T250000.000000005Z", " " + metaID, metaID + " ", metaID + "/x", "../" + metaID, "20250301T120000.0000000055Z"} {
		f(id, false)
	}
	require.False(t, isHalf(metaID))
}

// Whatever is parsed has names that mean files of its directory, and can be written again.
func FuzzParseMeta(f *testing.F) {
	f.Add([]byte(metaText(`{"type":"heap","filename":"heap.pprof","format":"pprof","size_bytes":1}`)))
	f.Add([]byte(metaText(`{"type":"heap","filename":"../x"}`)))
	f.Add([]byte(`{"profile_id":"` + metaID + `","source_endpoint":"\ud800","profiles":[{"type":"a","filename":"b"}],"missing":[{"type":"\u0000","error":"x"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseMeta(text, metaID)
		if err != nil {
			return
		}
		at, ok := parseID(metaID)
		require.True(t, ok)
		p := m.record(at)
		require.Equal(t, metaID, p.ID)
		require.True(t, utf8.ValidString(p.SourceEndpoint))
		require.NotEmpty(t, p.Files)
		for _, file := range p.Files {
			require.False(t, strings.ContainsAny(file.Filename, "/\\:\x00") || strings.HasPrefix(file.Filename, "."), "%q", file.Filename)
			require.GreaterOrEqual(t, file.SizeBytes, int64(0))
		}
		again, err := m.encode()
		if err != nil {
			return // It is larger with white space.
		}
		second, err := parseMeta(again, metaID)
		require.NoError(t, err)
		require.Equal(t, m.Profiles, second.Profiles)
	})
}
