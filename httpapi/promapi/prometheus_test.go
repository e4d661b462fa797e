package promapi

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var timings = regexp.MustCompile(`"timings":\{[^}]*\}`)

// The responses are those of Prometheus, to the byte.
func TestPrometheus(t *testing.T) {
	s := loaded(t)
	s.metadata = nil
	cfg := testConfig(s)
	cfg.Targets = func(context.Context) ([]Target, error) { return nil, nil }
	h := serve(New(cfg))
	text, err := os.ReadFile("testdata/prometheus.txt")
	require.NoError(t, err)
	tested := 0
	for i, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
		line, want, ok := strings.Cut(block, "\n")
		if i == 0 {
			continue // The comment.
		}
		require.True(t, ok, block)
		method, rest, _ := strings.Cut(line, " ")
		target, form, _ := strings.Cut(rest, " ")
		r := httptest.NewRequest(method, target, strings.NewReader(form))
		if method == http.MethodPost {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, want, fmt.Sprintf("%d %s", w.Code, timings.ReplaceAllString(w.Body.String(), `"timings":{}`)), line)
		tested++
	}
	require.Greater(t, tested, 800)
}
