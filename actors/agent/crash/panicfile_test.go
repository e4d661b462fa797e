package crash

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// requireText checks that a text may leave the machine.
func requireText(t *testing.T, text string, limit int) {
	t.Helper()
	require.True(t, utf8.ValidString(text), "%q", text)
	require.LessOrEqual(t, len(text), limit+len("... (12345678901 bytes left out)"))
}

func requireFields(t *testing.T, fields map[string]string) {
	t.Helper()
	require.LessOrEqual(t, len(fields), maxFields)
	for name, value := range fields {
		requireText(t, name, maxNameBytes)
		requireText(t, value, maxValueBytes)
	}
}

// requireRecord checks that a record is within all limits.
func requireRecord(t *testing.T, p messages.PanicRecord) {
	t.Helper()
	requireText(t, p.Component, maxNameBytes)
	requireText(t, p.PanicValue, maxPanicBytes)
	requireText(t, p.GoroutineStack, maxStackBytes)
	requireFields(t, p.ProcessMetadata)
	require.LessOrEqual(t, len(p.Breadcrumbs), maxBreadcrumbs)
	for _, b := range p.Breadcrumbs {
		requireText(t, b.Stage, maxNameBytes)
		requireText(t, b.Component, maxNameBytes)
		requireFields(t, b.Fields)
	}
	c := messages.Crash{Panic: p}
	require.Less(t, c.MemoryBytes(), 600<<10)
}

// Each part of a record is bounded, whatever a file has; of breadcrumbs the newest are kept.
func TestPanicsAreBounded(t *testing.T) {
	f := func(name, text string, check func(messages.PanicRecord)) {
		t.Helper()
		require.LessOrEqual(t, len(text), MaxPanicFileBytes, name)
		start := time.Now()
		p, err := ParsePanic([]byte(text))
		require.NoError(t, err, name)
		require.Less(t, time.Since(start), 20*time.Second, name)
		requireRecord(t, p)
		check(p)
	}
	wrap := func(member string) string { return `{"panicValue":"v",` + member + `}` }
	many := func(element string, bytes int) string {
		return strings.TrimSuffix(strings.Repeat(element+",", bytes/(len(element)+1)), ",")
	}
	const size = 300 << 10
	f("a long value", `{"panicValue":"`+strings.Repeat("ü", size/2)+`"}`, func(p messages.PanicRecord) {
		require.True(t, strings.HasSuffix(p.PanicValue, fmt.Sprintf("ü... (%d bytes left out)", size-maxPanicBytes)))
	})
	f("a long stack", wrap(`"goroutineStack":"`+strings.Repeat("main.main()\\n", size/13)+`"`), func(p messages.PanicRecord) {
		require.Greater(t, len(p.GoroutineStack), maxStackBytes)
	})
	f("empty breadcrumbs", wrap(`"breadcrumbs":[`+many("{}", size)+`]`), func(p messages.PanicRecord) {
		require.Len(t, p.Breadcrumbs, maxBreadcrumbs)
	})
	f("breadcrumbs of no object", wrap(`"breadcrumbs":[`+many("[[]]", size)+`]`), func(p messages.PanicRecord) {})
	f("large breadcrumbs", wrap(`"breadcrumbs":[`+many(`{"fields":{"a":"`+strings.Repeat("x", 2000)+`"}}`, size)+`,{"stage":"last"}]`), func(p messages.PanicRecord) {
		require.Less(t, len(p.Breadcrumbs), maxBreadcrumbs)
		require.Equal(t, "last", p.Breadcrumbs[len(p.Breadcrumbs)-1].Stage)
	})
	f("many breadcrumbs", wrap(`"breadcrumbs":[`+many(`{"stage":"s"}`, size)+`,{"stage":"last"}]`), func(p messages.PanicRecord) {
		require.Len(t, p.Breadcrumbs, maxBreadcrumbs)
		require.Equal(t, "last", p.Breadcrumbs[maxBreadcrumbs-1].Stage)
	})
	var fields strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&fields, `"f%d":%d,`, i, i)
	}
	object := strings.TrimSuffix(fields.String(), ",")
	f("many fields", wrap(`"processMetadata":{`+object+`}`), func(p messages.PanicRecord) {
		require.Len(t, p.ProcessMetadata, maxFields)
		require.Equal(t, "0", p.ProcessMetadata["f0"])
	})
	f("many members", `{`+object+`,"panicValue":"v"}`, func(p messages.PanicRecord) { require.Equal(t, "v", p.PanicValue) })
	f("deep", wrap(`"x":`+strings.Repeat("[", 9000)+strings.Repeat("]", 9000)), func(messages.PanicRecord) {})
	f("a long name", wrap(`"processMetadata":{"`+strings.Repeat("n", size)+`":"v"}`), func(messages.PanicRecord) {})
}

// Members of another form are taken as they are, or left out; they make no record useless.
func TestPanicsOfOtherForms(t *testing.T) {
	f := func(text string, want messages.PanicRecord) {
		t.Helper()
		got, err := ParsePanic([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	value := func(v string) messages.PanicRecord { return messages.PanicRecord{PanicValue: v} }
	f("\ufeff{\"panicValue\":\"a\"}\n", value("a"))
	f(`{"panicValue":{"code": 5}}`, value(`{"code": 5}`))
	f(`{"panicValue":5,"recovered":"true"}`, messages.PanicRecord{PanicValue: "5", Recovered: true})
	f(`{"panic_value":"a","goroutine_stack":["b"]}`, messages.PanicRecord{PanicValue: "a", GoroutineStack: `["b"]`})
	f(`{"panicValue":"a","breadcrumbs":{},"processMetadata":[],"stateDump":null,"occurredAt":5}`, value("a"))
	f(`{"panicValue":"a","panicValue":"b"}`, value("b"))
	f(`{"panicValue":"a\u0000\ud800\u001b[31m"}`, value("a\x00\uFFFD\x1b[31m"))
	f(`{"panicValue":"a","occurredAt":"0001-01-01T00:00:00Z"}`, value("a"))
}

// No secret leaves the machine, wherever it stands.
func TestPanicsAreMasked(t *testing.T) {
	const secret = "hunter2hunter2"
	text := fmt.Sprintf(`{"panicValue":"dial: password=%[1]s","component":"c","goroutineStack":"goroutine 1 [running]:\nmain.f(postgres://u:%[1]s@host/db)",
		"breadcrumbs":[{"stage":"s","fields":{"password":"%[1]s","url":"http://u:%[1]s@h/"}}],
		"processMetadata":{"etcd_password":"%[1]s","args":"--token %[1]s"},"stateDump":{"error":"api_key=%[1]s"}}`, secret)
	p, err := ParsePanic([]byte(text))
	require.NoError(t, err)
	shown, err := json.Marshal(p)
	require.NoError(t, err)
	require.NotContains(t, string(shown), secret)
	require.Equal(t, 7, strings.Count(string(shown), "***"), string(shown))

	// Nor one that is cut in half by a limit.
	for at := maxPanicBytes - len(secret) - 20; at < maxPanicBytes+5; at++ {
		p, err := ParsePanic([]byte(`{"panicValue":"` + strings.Repeat(" ", at) + `password=` + secret + `"}`))
		require.NoError(t, err)
		require.NotContains(t, p.PanicValue, secret[:6])
	}
}

func FuzzPanic(f *testing.F) {
	f.Add([]byte(panicJSON("boom")))
	f.Add([]byte(`{"panicValue":{"a":1},"breadcrumbs":[{"time":"2026-07-18T10:15:29Z","fields":{"a":[1]}}],"processMetadata":{"a":null},"stateDump":{"path":"p"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := ParsePanic(data); err == nil {
			requireRecord(t, p)
		} else {
			require.Less(t, len(err.Error()), 300)
		}
	})
}

func FuzzDirName(f *testing.F) {
	f.Add(anyName)
	f.Fuzz(func(t *testing.T, name string) {
		n := parseDirName(name)
		requireText(t, n.component, maxNameBytes)
	})
}

// The records of logs survive the agent, and what is damaged of them costs no other one.
func TestRecordsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records")
	reads := func(damaged int, want ...*messages.Crash) {
		t.Helper()
		got, n, err := ReadRecords(path)
		require.NoError(t, err)
		require.Equal(t, damaged, n)
		require.Equal(t, want, got)
	}
	reads(0)

	var records []*messages.Crash
	for i := range 3 {
		records = append(records, &messages.Crash{FetchedAt: testStart.Add(time.Duration(i)), ArtifactDir: "/var/log/node.log",
			Panic: messages.PanicRecord{OccurredAt: testStart.Add(time.Duration(i)), Component: "stderr", PanicValue: fmt.Sprintf("<%d>\n\"ü\"", i),
				GoroutineStack: "goroutine 1 [running]:\n\tx", Recovered: i == 1, ProcessMetadata: map[string]string{"pid": "5"}}})
	}
	require.NoError(t, WriteRecords(path, records))
	reads(0, records...)
	require.NoError(t, WriteRecords(path, records[1:]))
	reads(0, records[1:]...)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1)

	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append([]byte("{\"pan\x00ic\n"), text[:len(text)-9]...), 0o600))
	reads(2, records[1])
	require.NoError(t, os.WriteFile(path, append(text, make([]byte, maxRecordLine+1)...), 0o600))
	reads(1, records[1:]...)
	require.NoError(t, os.Truncate(path, maxRecordsFile+1))
	reads(1)
	require.NoError(t, WriteRecords(path, records))
	reads(0, records...)

	require.Error(t, WriteRecords(filepath.Join(path, "x"), nil))
	_, _, err = ReadRecords(filepath.Join(path, "x"))
	require.Error(t, err)
}

func FuzzRecords(f *testing.F) {
	f.Add([]byte(`{"fetchedAt":"2026-07-18T10:15:29Z","source":"a","panic":{"panicValue":"a"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "records")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		records, _, _ := ReadRecords(path)
		for _, r := range records {
			requireText(t, r.ArtifactDir, maxPathBytes)
			requireRecord(t, r.Panic)
		}
	})
}
