package agent

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"fodc/actors/agent/nodeconfig"

	"github.com/stretchr/testify/require"
)

// redirect returns a handler that answers with a status and a location.
func redirect(status int, location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, strings.Repeat("moved ", 10_000))
	}
}

// get gets a URL as a scrape does.
func get(t *testing.T, url string) (body []byte, err error) {
	t.Helper()
	client := newScrapeClient()
	defer client.CloseIdleConnections()
	body, _, err = newFetchFunc(client, "fodc/test", testPageBytes, noSettings)(t.Context(), url, nil)
	return body, err
}

func serve(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

func TestRedirectsWithinTheHost(t *testing.T) {
	mux := http.NewServeMux()
	server := serve(t, mux)
	mux.HandleFunc("/metrics/", func(w http.ResponseWriter, r *http.Request) {
		if r.UserAgent() != "fodc/test" || r.Header.Get("Accept") != scrapeAccept || r.Header.Get("Accept-Encoding") != "identity" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = io.WriteString(w, testPage)
	})
	for i, status := range []int{301, 302, 303, 307, 308} {
		for j, location := range []string{"/metrics/", "metrics/", server.URL + "/metrics/?a=b", strings.Replace(server.URL, "http", "HTTP", 1) + "/metrics/"} {
			path := fmt.Sprintf("/%d%d", i, j)
			mux.HandleFunc(path, redirect(status, location))
			body, err := get(t, server.URL+path)
			require.NoError(t, err, "%d to %s", status, location)
			require.Equal(t, testPage, string(body))
		}
	}
}

func TestRedirectsToOtherHosts(t *testing.T) {
	stranger := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host was asked for %s", r.URL)
	}))
	mux := http.NewServeMux()
	server := serve(t, mux)
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	f := func(location, shown string) {
		t.Helper()
		path := "/" + url.PathEscape(location)
		mux.HandleFunc(path, redirect(http.StatusFound, location))
		_, err := get(t, strings.Replace(server.URL, "http://", "http://user:secret@", 1)+path)
		require.EqualError(t, err, "the endpoint answered 302 Found with a redirect to another host: from "+server.URL+" to "+shown)
		require.Equal(t, failedStatus, kindOf(err))
	}
	f(stranger.URL+"/metrics", stranger.URL)
	f("//"+strings.TrimPrefix(stranger.URL, "http://"), stranger.URL)
	f("http://name:password@Example.com/metrics", "http://example.com:80")
	f("https://127.0.0.1:"+port, "https://127.0.0.1:"+port)
	f("http://localhost:"+port+"/metrics", "http://localhost:"+port)
	f("http://[::1]:"+port, "http://[::1]:"+port)
	f("ftp://127.0.0.1:"+port, "ftp://127.0.0.1:"+port)
}

func TestSameHost(t *testing.T) {
	f := func(a, b string, want bool) {
		t.Helper()
		first, err := url.Parse(a)
		require.NoError(t, err)
		second, err := url.Parse(b)
		require.NoError(t, err)
		require.Equal(t, want, sameHost(first, second))
		require.Equal(t, want, sameHost(second, first))
	}
	f("http://a", "http://a:80/x", true)
	f("http://a", "HTTP://A", true)
	f("https://a/y", "https://a:443", true)
	f("https://a", "https://a:80", false)
	f("http://a", "https://a", false)
	f("http://a", "http://a.", false)
	f("http://[::1]", "http://[::1]:80", true)
	f("http://u:p@a", "http://a", true)
}

// A loop ends, and its error names the limit.
func TestRedirectsEnd(t *testing.T) {
	asked := 0
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "/next", http.StatusFound)
	}))
	_, err := get(t, server.URL+"/metrics")
	require.EqualError(t, err, "the endpoint answered with too many redirects: at most 5 are followed, the next is to /next")
	require.Equal(t, failedStatus, kindOf(err))
	require.Equal(t, 1+maxRedirects, asked)
}

// A redirect without a place to go to is a status like others.
func TestRedirectsToNowhere(t *testing.T) {
	f := func(status int, location, want string) {
		t.Helper()
		server := serve(t, redirect(status, location))
		_, err := get(t, server.URL+"/metrics")
		require.EqualError(t, err, want)
		require.Equal(t, failedStatus, kindOf(err))
	}
	f(302, "", "the endpoint answered 302 Found")
	f(300, "/metrics/", "the endpoint answered 300 Multiple Choices")
	f(304, "/metrics/", "the endpoint answered 304 Not Modified")
	f(305, "/metrics/", "the endpoint answered 305 Use Proxy")

	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" {
			http.Redirect(w, r, "/metrics/", http.StatusFound)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	_, err := get(t, server.URL+"/metrics")
	require.EqualError(t, err, "the endpoint answered 404 Not Found after a redirect to /metrics/")
}

// A Location that is not a URL is named, and is no fault of the connection.
func TestRedirectsToWhatIsNoURL(t *testing.T) {
	f := func(location, shown string) {
		t.Helper()
		server := serve(t, redirect(http.StatusFound, location))
		_, err := get(t, server.URL+"/metrics")
		require.EqualError(t, err, "the endpoint answered 302 Found with a Location that is not a URL: "+shown)
		require.Equal(t, failedStatus, kindOf(err))
	}
	f("http://[::1", `"http://[::1"`)
	f("http://a:b/", `"http://a:b/"`)
	f("%zz", `"%zz"`)
	f("%"+strings.Repeat("z", 10_000), `"%`+strings.Repeat("z", maxShownText-1)+`..."`)

	_, err := get(t, serve(t, redirect(http.StatusOK, "%zz")).URL)
	require.NoError(t, err, "it is no redirect")
}

// The body of a redirect does not matter, unless it keeps the next request waiting: then the
// timeout ends the scrape.
func TestRedirectsWithABodyWithoutEnd(t *testing.T) {
	mux := http.NewServeMux()
	server := serve(t, mux)
	mux.HandleFunc("/metrics/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, testPage) })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/metrics/")
		w.WriteHeader(http.StatusFound)
		for err := error(nil); err == nil; {
			_, err = io.WriteString(w, "moved ")
		}
	})
	body, err := get(t, server.URL+"/endless")
	require.NoError(t, err)
	require.Equal(t, testPage, string(body))

	mux.HandleFunc("/stalled", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/metrics/")
		w.WriteHeader(http.StatusFound)
		_, _ = io.WriteString(w, "moved ")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	client := newScrapeClient()
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, _, err = newFetchFunc(client, "x", testPageBytes, noSettings)(ctx, server.URL+"/stalled", nil)
	require.Equal(t, failedTimeout, kindOf(err), "%v", err)
}

// An endpoint's password goes along within its host.
func TestRedirectsKeepThePassword(t *testing.T) {
	mux := http.NewServeMux()
	server := serve(t, mux)
	mux.HandleFunc("/relative", redirect(302, "/metrics/"))
	mux.HandleFunc("/absolute", redirect(302, server.URL+"/metrics/"))
	mux.HandleFunc("/metrics/", func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		_, _ = fmt.Fprintf(w, "%s %s", user, password)
	})
	for _, path := range []string{"/relative", "/absolute"} {
		body, err := get(t, strings.Replace(server.URL, "http://", "http://name:secret@", 1)+path)
		require.NoError(t, err)
		require.Equal(t, "name secret", string(body), path)
	}
}

// The limits of a scrape are those of all its requests.
func TestRedirectsAreWithinTheLimits(t *testing.T) {
	mux := http.NewServeMux()
	server := serve(t, mux)
	mux.HandleFunc("/large", redirect(302, "/large/"))
	mux.HandleFunc("/large/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, testPageBytes+1)) })
	_, err := get(t, server.URL+"/large")
	require.Equal(t, failedBodyLimit, kindOf(err), "%v", err)

	release := make(chan struct{})
	defer close(release)
	mux.HandleFunc("/slow", redirect(302, "/slow/"))
	mux.HandleFunc("/slow/", func(http.ResponseWriter, *http.Request) { <-release })
	client := newScrapeClient()
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, _, err = newFetchFunc(client, "x", testPageBytes, noSettings)(ctx, server.URL+"/slow", nil)
	require.Equal(t, failedTimeout, kindOf(err), "%v", err)
}

// The command line of the node is asked for by the same rules.
func TestRedirectsOfTheCommandLine(t *testing.T) {
	f := func(location string, want string) {
		t.Helper()
		mux := http.NewServeMux()
		server := serve(t, mux)
		mux.HandleFunc("/debug/pprof/cmdline", redirect(302, location))
		mux.HandleFunc("/profiles", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "banyand\x00--a=b") })
		client := newScrapeClient()
		defer client.CloseIdleConnections()
		fetch := nodeConfigOf(Config{NodeConfig: &nodeconfig.Config{}}, client).Fetch
		body, _, err := fetch(t.Context(), server.URL+"/debug/pprof/cmdline")
		if err != nil {
			body = []byte(err.Error())
		}
		require.Contains(t, string(body), want)
	}
	f("/profiles", "banyand\x00--a=b")
	f("http://example.com/profiles", "a redirect to another host")
}
