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
	return newFetchFunc(client, "fodc/test", testPageBytes, noSettings)(t.Context(), server.URL+"/metrics", nil)
}

// testPageBytes is the limit of pages in tests.
const testPageBytes = 1 << 20

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

// serveZipped serves bytes with Content-Encoding gzip, asked or not.
func serveZipped(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(body)
	}
}

func TestFetchZipped(t *testing.T) {
	serve := func(body []byte) ([]byte, error) {
		body, _, err := fetchFrom(t, serveZipped(body))
		return body, err
	}
	body, err := serve(zipped(100_000))
	require.NoError(t, err)
	require.Equal(t, bytes.Repeat([]byte("#"), 100_000), body)
	body, err = serve(append(zipped(10), zipped(20)...))
	require.NoError(t, err)
	require.Len(t, body, 30)

	f := func(want string, kind failureKind, body []byte) {
		t.Helper()
		_, err := serve(body)
		require.EqualError(t, err, want)
		require.Equal(t, kind, kindOf(err))
	}
	const over = "a page of more than 1048576 bytes, at most 1048576 are allowed (--max-page-bytes)"
	f(over, failedBodyLimit, zipped(testPageBytes+1))
	f("a compressed page of more than 1048576 bytes, at most 1048576 are allowed (--max-page-bytes)", failedBodyLimit,
		bytes.Repeat(zipped(0), testPageBytes/len(zipped(0))+1))
	f("the page is not valid gzip: gzip: invalid header", failedEncoding, []byte(testPage))
	f("the page is not valid gzip: EOF", failedEncoding, nil)
	half := zipped(100_000)
	f("the page is not valid gzip: page after 100000 bytes: unexpected EOF", failedEncoding, half[:len(half)-3])
}

// A gzip reader is reused, after an error as well.
func TestGzipReaderIsReused(t *testing.T) {
	u := newGzipReaders()
	for range 3 {
		_, err := u.readPage(strings.NewReader("what is this"), nil, bodyLimit{100, "--max-page-bytes"})
		require.ErrorContains(t, err, "not valid gzip")
		page, err := u.readPage(bytes.NewReader(zipped(50)), make([]byte, 0, 64), bodyLimit{100, "--max-page-bytes"})
		require.NoError(t, err)
		require.Len(t, page, 50)
	}
}

func TestEncodingFor(t *testing.T) {
	f := func(host, want string) {
		t.Helper()
		require.Equal(t, want, encodingFor(host))
	}
	f("localhost", "identity")
	f("127.0.0.1", "identity")
	f("127.8.8.8", "identity")
	f("::1", "identity")
	f("10.0.0.1", "gzip")
	f("node", "gzip")
	f("", "gzip")
}

func TestFetchFailures(t *testing.T) {
	f := func(want string, kind failureKind, h http.HandlerFunc) {
		t.Helper()
		_, _, err := fetchFrom(t, h)
		require.EqualError(t, err, want)
		require.Equal(t, kind, kindOf(err))
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	f("the endpoint answered 500 Internal Server Error", failedStatus, status(500))
	f("the endpoint answered 404 Not Found", failedStatus, status(404))
	f("the endpoint answered 204 No Content", failedStatus, status(204))
	f("a page of 1048577 bytes, at most 1048576 are allowed (--max-page-bytes)", failedBodyLimit, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1048577")
		w.(http.Flusher).Flush()
	})
	f("a page of more than 1048576 bytes, at most 1048576 are allowed (--max-page-bytes)", failedBodyLimit, func(w http.ResponseWriter, _ *http.Request) {
		for err := error(nil); err == nil; {
			_, err = w.Write([]byte("endless 1\n"))
		}
	})
	f(`the endpoint answered in the encoding "br": gzip is read, and no other`, failedEncoding, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "br")
	})
	abort := func(header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(header[0], header[1])
			_, _ = w.Write([]byte("a "))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	}
	f("page after 2 bytes: unexpected EOF", failedConnection, abort("Content-Length", "10"))
	f("page after 2 bytes: unexpected EOF", failedConnection, abort("Content-Encoding", "gzip"))
	f("EOF", failedConnection, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
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
	_, _, err := newFetchFunc(client, "x", testPageBytes, noSettings)(ctx, server.URL, nil)
	require.ErrorContains(t, err, "no whole answer in time")
	require.Equal(t, failedTimeout, kindOf(err))
}

func TestFetchRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url := "http://" + l.Addr().String()
	require.NoError(t, l.Close())
	fetch := newFetchFunc(newScrapeClient(), "x", testPageBytes, noSettings)
	_, _, err = fetch(t.Context(), url, nil)
	require.Equal(t, failedRefused, kindOf(err), "%v", err)
	require.NotContains(t, err.Error(), "127.0.0.1")

	_, _, err = fetch(t.Context(), "http://127.0.0.1:0/%zz", nil)
	require.ErrorContains(t, err, "request of the page")
	require.Equal(t, failedConnection, kindOf(err))
}

func TestReadPage(t *testing.T) {
	f := func(text string, size int64, want string) {
		t.Helper()
		for _, buf := range [][]byte{nil, []byte("buffer"), make([]byte, 30)} {
			got, err := readPage(strings.NewReader(text), buf, size, bodyLimit{10, "--max-page-bytes"})
			if err != nil {
				got = []byte(err.Error())
			}
			require.Equal(t, want, string(got))
		}
	}
	f("", -1, "")
	f("", 0, "")
	f("abc", -1, "abc")
	f("abc", 0, "abc")
	f("abc", 3, "abc")
	f("abc", 10, "abc")
	f("0123456789", -1, "0123456789")
	f("0123456789", 1, "0123456789")
	f("0123456789x", -1, "a page of more than 10 bytes, at most 10 are allowed (--max-page-bytes)")
	f("0123456789x", 2, "a page of more than 10 bytes, at most 10 are allowed (--max-page-bytes)")
	f("0123456789x", 11, "a page of 11 bytes, at most 10 are allowed (--max-page-bytes)")
}

// The buffer of a page is used for the next one, unless it is much too large.
func TestBufferAfter(t *testing.T) {
	f := func(buf, size, body, want int) {
		t.Helper()
		require.Equal(t, want, cap(bufferAfter(make([]byte, 0, buf), make([]byte, body, max(size, body)))))
	}
	f(0, 0, 0, 0)
	f(0, 100, 50, 100)
	f(200, 100, 50, 200)
	f(keepBuffer, 0, 10, keepBuffer)
	f(4*keepBuffer, 0, 10, 4*keepBuffer)
	f(5*keepBuffer, 0, 10, 0)
	f(5*keepBuffer, 0, 2*keepBuffer, 5*keepBuffer)
	f(0, 5*keepBuffer, 10, 0)
}

// A page of the size of the one before is read into its buffer.
func TestFetchUsesTheBuffer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(testPage))
	}))
	defer server.Close()
	client := newScrapeClient()
	defer client.CloseIdleConnections()
	buf := make([]byte, 0, 1000)
	body, _, err := newFetchFunc(client, "x", testPageBytes, noSettings)(t.Context(), server.URL, buf)
	require.NoError(t, err)
	require.Same(t, &buf[:1][0], &body[0])
}
