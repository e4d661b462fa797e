package promapi

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// A person can click on the URL of a target.
func TestURLsOfTargets(t *testing.T) {
	f := func(want, url, host string, secure bool) {
		t.Helper()
		cfg := testConfig(loaded(t))
		cfg.Targets = func(context.Context) ([]Target, error) { return []Target{{URL: url}}, nil }
		r := httptest.NewRequest(http.MethodGet, "/api/v1/targets", nil)
		r.Host = host
		if secure {
			r.TLS = &tls.ConnectionState{}
		}
		w := httptest.NewRecorder()
		serve(New(cfg)).ServeHTTP(w, r)
		var data targetsData
		require.NoError(t, json.Unmarshal(envelopeOf(t, w).Data, &data))
		require.Equal(t, want, data.Active[0].URL)
		require.Equal(t, want, data.Active[0].GlobalURL)
		if host != "" {
			require.NotEmpty(t, data.Active[0].Discovered["__address__"])
		}
	}
	f("http://proxy:17901/agents/n1/metrics", "/agents/n1/metrics", "proxy:17901", false)
	f("https://proxy/agents/n1/metrics", "/agents/n1/metrics", "proxy", true)
	f("/agents/n1/metrics", "/agents/n1/metrics", "", false)
	f("https://obs.example/fodc/agents/n1/metrics", "https://obs.example/fodc/agents/n1/metrics", "proxy", false)
}
