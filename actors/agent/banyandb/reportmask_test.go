package banyandb

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"fodc/actors/agent/mask/masktest"

	"github.com/stretchr/testify/require"
)

func TestReportsAreMasked(t *testing.T) {
	f := func(want, text string) {
		t.Helper()
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a.json"), []byte(text), 0o600))
		reports, err := ReadReports(dir)
		require.NoError(t, err)
		require.Equal(t, want, reports[0].JSON)
	}
	same := func(text string) {
		t.Helper()
		f(text, text)
	}
	same("{ \"groups\" : {\"sw_metric\": {\"parts\": 1e2, \"dir\":\"/tmp/snap\\u0073hot\", \"ok\":true,\"x\":null}},\n \"list\":[ 1 , \"a\" ]}\n")
	same(`{"bytes":12345678901234567890.5,"url":"http://10.0.0.1:17912"}`)
	f(`{"error":"dial http://u:***@h:1: no", "password" : "***", "n":[{"token":"***"}]}`,
		`{"error":"dial http://u:hunter2@h:1: no", "password" : "hunter2", "n":[{"token":"hun\u0074er2"}]}`)
	f(`{"u:***@h":1}`, `{"u:hunter2@h":1}`)
	f(`{"tokens":["***","***"],"n":["a"]}`, `{"tokens":["a","b"],"n":["a"]}`)
	f(`{"x":{"token":"***","a":"b"}} password=***`, `{"x":{"token":1234,"a":"b"}} password=hunter2`)
	f(`{"credentials":{"a":"***","n":[{"b":"***"}]},"a":"b"}`, `{"credentials":{"a":"x1","n":[{"b":"x2"}]},"a":"b"}`)
	f(`{"env":[{"name":"DB_PASSWORD","value":"***"},{"name":"HOME","value":"/h"}]}`, `{"env":[{"name":"DB_PASSWORD","value":"x1"},{"name":"HOME","value":"/h"}]}`)
	f(`cut {"password":***`, `cut {"password":"hunter2`)
	f(`{"a":"b","password":***`, `{"a":"b","password":"hunter2"`)
}

// None of the secrets of the table is in a report.
func TestReportsHaveNoSecret(t *testing.T) {
	for _, c := range masktest.Secrets() {
		shown := maskReport(`{"n":{` + quoted(c.Key) + `:` + quoted(c.Value) + `}}`)
		require.Empty(t, c.Leak(shown), "%s = %s", c.Key, c.Value)
	}
}

func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}
