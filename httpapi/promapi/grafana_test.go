package promapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// grafanaRequest is a block of testdata/grafana.txt, which describes its format.
type grafanaRequest struct {
	about, method, path, form string
	headers                   [][2]string
	status                    int
	shape                     string
}

func grafanaRequests(t *testing.T) (all []grafanaRequest) {
	t.Helper()
	text, err := os.ReadFile("testdata/grafana.txt")
	require.NoError(t, err)
	for _, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
		var r grafanaRequest
		for _, line := range strings.Split(block, "\n") {
			line = inGrafanaRequest(line)
			name, value, isHeader := strings.Cut(line, ": ")
			switch {
			case strings.HasPrefix(line, "#"):
				r.about = strings.TrimPrefix(line, "# ")
			case strings.HasPrefix(line, "=> "):
				fields := strings.Fields(line)
				r.shape = fields[2]
				r.status, err = strconv.Atoi(fields[1])
				require.NoError(t, err)
			case r.method == "":
				r.method, r.path, _ = strings.Cut(line, " ")
			case name == "form":
				r.form = value
			case isHeader:
				r.headers = append(r.headers, [2]string{name, value})
			default:
				require.Fail(t, "not a line of a request", line)
			}
		}
		if r.method != "" {
			all = append(all, r)
		}
	}
	return all
}

var grafanaTime = regexp.MustCompile(`\{now(_ms|\.5)?(-\d+)?\}`)

// inGrafanaRequest puts times and names in the place of what stands for them.
func inGrafanaRequest(line string) string {
	line = grafanaTime.ReplaceAllStringFunc(line, func(s string) string {
		found := grafanaTime.FindStringSubmatch(s)
		ago, _ := strconv.Atoi(found[2])
		seconds := strconv.FormatInt(testNow.Unix()+int64(ago), 10)
		switch found[1] {
		case "_ms":
			return seconds + "000"
		case ".5":
			return seconds + ".5"
		default:
			return seconds
		}
	})
	return strings.NewReplacer("{counter}", "requests_total", "{gauge}", "up", "{histogram}", "latency",
		"{label}", "node_id", "{value}", "n1").Replace(line)
}

// Each request of Grafana is answered with the right status and shape.
func TestGrafana(t *testing.T) {
	h := serve(New(testConfig(loaded(t))))
	requests := grafanaRequests(t)
	require.Greater(t, len(requests), 45)
	for _, want := range requests {
		r := httptest.NewRequest(want.method, want.path, strings.NewReader(want.form))
		if want.method == http.MethodPost {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for _, header := range want.headers {
			r.Header.Set(header[0], header[1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, want.status, w.Code, "%s: %s", want.about, w.Body)
		if want.shape == "notfound" { // It is the router that says so.
			require.Contains(t, w.Body.String(), "page not found", want.about)
			continue
		}
		requireShape(t, want, envelopeOf(t, w))
	}
}

func requireShape(t *testing.T, want grafanaRequest, got envelope) {
	t.Helper()
	if want.shape == "error" {
		require.Equal(t, "error", got.Status, want.about)
		require.NotEmpty(t, got.ErrorType, want.about)
		require.NotEmpty(t, got.Error, want.about)
		return
	}
	require.Equal(t, "success", got.Status, want.about)
	into := func(data any) {
		t.Helper()
		require.NoError(t, json.Unmarshal(got.Data, data), "%s: %s", want.about, got.Data)
	}
	switch want.shape {
	case "scalar", "string", "vector", "matrix":
		var data struct {
			ResultType string
			Result     []json.RawMessage
		}
		into(&data)
		require.Equal(t, want.shape, data.ResultType, want.about)
		require.NotEmpty(t, data.Result, want.about)
	case "strings":
		var data []string
		into(&data)
		require.NotEmpty(t, data, want.about)
	case "series":
		var data []map[string]string
		into(&data)
		require.NotEmpty(t, data, want.about)
	case "metadata":
		var data map[string][]map[string]string
		into(&data)
		require.NotEmpty(t, data, want.about)
	case "tree":
		var data struct{ Type string }
		into(&data)
		require.NotEmpty(t, data.Type, want.about)
	case "text":
		var data string
		into(&data)
		require.NotEmpty(t, data, want.about)
	case "buildinfo":
		var data map[string]string
		into(&data)
		require.Equal(t, engineVersion, data["version"])
		require.NotContains(t, data, "features", "Grafana would take it for a Mimir")
	case "empty":
		require.JSONEq(t, `[]`, string(got.Data), want.about)
	case "groups", "alerts":
		require.JSONEq(t, `{"`+want.shape+`":[]}`, string(got.Data), want.about)
	default:
		require.Fail(t, "unknown shape", want.shape)
	}
}
