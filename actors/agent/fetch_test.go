package agent

import (
	"bytes"
	"compress/gzip"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fetchFrom gets the page that the handler serves.
func fetchFrom(t *testing.T, h http.HandlerFunc) (body []byte, contentType string, err error) {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	client := newScrapeClient()
	defer client.CloseIdleConnections()
	return newFetcher(client, "fodc/test")(t.Context(), server.URL+"/metrics")
}

func TestFetch(t *testing.T) {
	body, contentType, err := fetchFrom(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/metrics" || r.UserAgent() != "fodc/test" ||
			!strings.Contains(r.Header.Get("Accept"), "text/plain;version=0.0.4") ||
			!strings.Contains(r.Header.Get("Accept"), "application/openmetrics-text") {
			w.WriteHeader(http.StatusBadRequest)
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write([]byte(testPage))
	})
	require.NoError(t, err)
	require.Equal(t, testPage, string(body))
	require.Equal(t, "text/plain; version=0.0.4", contentType)
}

func zipped(size int) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(bytes.Repeat([]byte("#"), size))
	_ = z.Close()
	return b.Bytes()
}

func TestFetchZipped(t *testing.T) {
	serve := func(size int) ([]byte, error) {
		body, _, err := fetchFrom(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") == "gzip" {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = w.Write(zipped(size))
			}
		})
		return body, err
	}
	body, err := serve(100_000)
	require.NoError(t, err)
	require.Equal(t, bytes.Repeat([]byte("#"), 100_000), body)

	_, err = serve(maxPageBytes + 1)
	require.EqualError(t, err, "a page of more than 33554432 bytes, at most 33554432 are allowed")
}

func TestFetchFailures(t *testing.T) {
	f := func(want string, h http.HandlerFunc) {
		t.Helper()
		_, _, err := fetchFrom(t, h)
		require.EqualError(t, err, want)
	}
	f("the endpoint answered 500 Internal Server Error", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	f("the endpoint answered 404 Not Found", http.NotFound)
	f("the endpoint answered 204 No Content", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	f(`the endpoint answered 302 Found to "/login": redirects are not followed`, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/login", http.StatusFound)
	})
	f("a page of 33554433 bytes, at most 33554432 are allowed", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "33554433")
		w.(http.Flusher).Flush()
	})
	f("page after 2 bytes: unexpected EOF", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = w.Write([]byte("a "))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
}

func TestFetchInTime(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.Header.Get(scrapeTimeoutHeader)))
		w.(http.Flusher).Flush()
		<-release
	}))
	defer server.Close()
	defer close(release)
	client := newScrapeClient()
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, _, err := newFetcher(client, "x")(ctx, server.URL)
	require.ErrorContains(t, err, "no whole answer in time")
}

func TestFetchRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url := "http://" + l.Addr().String()
	require.NoError(t, l.Close())
	_, _, err = newFetcher(newScrapeClient(), "x")(t.Context(), url)
	require.True(t, isRefused(err), "%v", err)
	require.NotContains(t, err.Error(), "127.0.0.1")

	_, _, err = newFetcher(newScrapeClient(), "x")(t.Context(), "http://127.0.0.1:0/%zz")
	require.ErrorContains(t, err, "request of the page")
	require.False(t, isRefused(err))
}

func TestReadPage(t *testing.T) {
	f := func(text string, size int64, want string) {
		t.Helper()
		got, err := readPage(strings.NewReader(text), size, 10)
		if err != nil {
			got = []byte(err.Error())
		}
		require.Equal(t, want, string(got))
	}
	f("", -1, "")
	f("", 0, "")
	f("abc", -1, "abc")
	f("abc", 0, "abc")
	f("abc", 3, "abc")
	f("abc", 10, "abc")
	f("0123456789", -1, "0123456789")
	f("0123456789", 1, "0123456789")
	f("0123456789x", -1, "a page of more than 10 bytes, at most 10 are allowed")
	f("0123456789x", 2, "a page of more than 10 bytes, at most 10 are allowed")
	f("0123456789x", 11, "a page of 11 bytes, at most 10 are allowed")
}
