package agent

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/actors/agent/nodeconfig"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

// secretTransport adds a secret to each request, as what lets an agent in does.
type secretTransport struct{ next http.RoundTripper }

func (s secretTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer planted")
	return s.next.RoundTrip(r)
}

// fetchWith gets a page of an endpoint with the settings.
func fetchWith(t *testing.T, url string, s EndpointSettings) (string, error) {
	t.Helper()
	base := NewTransport()
	defer base.CloseIdleConnections()
	if s.Transport == nil {
		s.Transport = secretTransport{base}
	}
	client := newScrapeClient()
	defer client.CloseIdleConnections()
	body, _, err := newFetchFunc(client, "x", testPageBytes, func(string) *EndpointSettings { return &s })(t.Context(), url, nil)
	return string(body), err
}

func TestEndpointsByTheirSettings(t *testing.T) {
	var stranger int
	other := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stranger++ }))
	mux := http.NewServeMux()
	server := serve(t, mux)
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s %s", r.Header.Get("Authorization"), r.URL.RawQuery)
	})
	mux.HandleFunc("/moved", redirect(302, "/metrics"))
	mux.HandleFunc("/away", redirect(302, other.URL))
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("#", 2000)) })

	body, err := fetchWith(t, server.URL+"/metrics", EndpointSettings{URL: server.URL + "/metrics?a=b"})
	require.NoError(t, err)
	require.Equal(t, "Bearer planted a=b", body)
	body, err = fetchWith(t, server.URL+"/moved", EndpointSettings{})
	require.NoError(t, err)
	require.Equal(t, "Bearer planted ", body, "within the host, the secret goes along")

	f := func(path string, s EndpointSettings, kind failureKind, want string) {
		t.Helper()
		_, err := fetchWith(t, server.URL+path, s)
		require.ErrorContains(t, err, want)
		require.Equal(t, kind, kindOf(err))
		require.NotContains(t, err.Error(), "planted")
	}
	f("/away", EndpointSettings{}, failedStatus, "a redirect to another host: from "+server.URL+" to "+other.URL)
	require.Zero(t, stranger)
	f("/moved", EndpointSettings{NoRedirects: true}, failedStatus, "the endpoint answered 302 Found")
	f("/large", EndpointSettings{BodyLimit: 1000}, failedBodyLimit, "a page of 2000 bytes, at most 1000 are allowed (body_size_limit)")
	f("/large", EndpointSettings{Transport: failing{errToken{errors.New("no token")}}}, failedToken, "no token")
	_, err = fetchWith(t, server.URL+"/large", EndpointSettings{BodyLimit: 2 * testPageBytes})
	require.NoError(t, err)
	require.Equal(t, bodyLimit{testPageBytes, "--max-page-bytes"}, (&EndpointSettings{BodyLimit: 2 * testPageBytes}).bodyLimit(testPageBytes))
}

type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

type errToken struct{ error }

func (errToken) IsTokenError() {}

// The command line is asked of the server of an endpoint with what lets in there, and of no other.
func TestSettingsOfTheServerOfAnEndpoint(t *testing.T) {
	mux := http.NewServeMux()
	server := serve(t, mux)
	mux.HandleFunc("/debug/pprof/cmdline", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Header.Get("Authorization")) })
	base := NewTransport()
	defer base.CloseIdleConnections()
	client := newScrapeClient()
	defer client.CloseIdleConnections()
	targets := []Target{{URL: server.URL + "/metrics"}}
	settings := func(string) *EndpointSettings {
		return &EndpointSettings{URL: server.URL + "/metrics?a=b", Transport: secretTransport{base}, BodyLimit: 1}
	}
	fetch := nodeConfigOf(Config{NodeConfig: &nodeconfig.Config{}, Targets: targets, Settings: settings}, client).Fetch
	body, _, err := fetch(t.Context(), server.URL+"/debug/pprof/cmdline")
	require.NoError(t, err)
	require.Equal(t, "Bearer planted", string(body))
	by := settingsFunc(settings).byServer(targets)
	require.Equal(t, server.URL+"/other", by(server.URL+"/other").URL)
	require.Nil(t, by("http://127.0.0.1:6060/debug/pprof/cmdline"))
	require.Nil(t, by("https"+strings.TrimPrefix(server.URL, "http")+"/debug/pprof/cmdline"))
}

// Settings that change count from the next scrape on.
func TestSettingsThatChange(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		rec := actorstest.NewProbe(sys)
		node := &fakeEndpoint{page: testPage}
		var now atomic.Pointer[EndpointSettings]
		sys.Spawn("scraper", restarts, func() actors.Actor {
			return newScraper(sys, rec.PID, Target{URL: "http://node/metrics", ContainerName: "db"},
				Config{ScrapeInterval: 10 * time.Second, Settings: func(string) *EndpointSettings { return now.Load() }}, withoutBuffer(node.fetch))
		})
		next := func() scraped {
			t.Helper()
			time.Sleep(10 * time.Second)
			all := scrapes(rec)
			return all[len(all)-1]
		}
		synctest.Wait()
		m := next()
		require.Empty(t, m.scrape.Failure)
		require.False(t, m.target.HonorLabels)
		now.Store(&EndpointSettings{HonorLabels: true, SampleLimit: 1})
		m = next()
		require.Equal(t, "page with too many samples: more than 1, at most 1 are allowed (sample_limit)", m.scrape.Failure)
		require.True(t, m.target.HonorLabels)
		require.EqualValues(t, 1, failuresOf(m.scrape.Samples, "sample_limit"))
		now.Store(&EndpointSettings{LabelLimit: 1})
		m = next()
		require.Contains(t, m.scrape.Failure, "(label_limit)")
		require.EqualValues(t, 1, failuresOf(m.scrape.Samples, "label_limit"))
	})
}

func failuresOf(samples []recorder.Sample, kind string) float64 {
	for _, s := range samples {
		if s.Name == "fodc_node_scrape_failures_total" && s.Labels[1].Value == kind {
			return s.Value
		}
	}
	return -1
}
