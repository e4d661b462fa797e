package capture

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// zipped returns a text as gzip; a profile begins with the byte 0x0a.
func zipped(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.Bytes()
}

// profileOf returns a gzipped profile of a size of some bytes more than n.
func profileOf(n int) []byte {
	raw := make([]byte, n)
	for i, x := 0, uint32(1); i < n; i++ {
		x = x*1664525 + 1013904223
		raw[i] = byte(x >> 24)
	}
	raw[0] = 0x0a
	return zipped(string(raw))
}

var testLimits = Limits{Bytes: 1 << 20, Time: 10 * time.Second}

// get gets the path of a server.
func get(t *testing.T, handler http.HandlerFunc, content Content, limits Limits) ([]byte, error) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	var b bytes.Buffer
	n, err := NewClient().Get(t.Context(), server.URL+"/debug/pprof/heap?token=hunter2", content, limits, &b)
	require.EqualValues(t, b.Len(), n)
	if err != nil {
		require.ErrorContains(t, err, server.URL+"/debug/pprof/heap?token=***: ")
		require.NotContains(t, err.Error(), "hunter2")
	}
	return b.Bytes(), err
}

// raw answers with bytes of its own, and closes the connection.
func raw(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = conn.Write([]byte(text))
			_ = conn.Close()
		}
	}
}

func TestWholeAnswers(t *testing.T) {
	small, large := profileOf(100), profileOf(500_000)
	f := func(handler http.HandlerFunc, content Content, want []byte) {
		t.Helper()
		got, err := get(t, handler, content, testLimits)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	body := func(b []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") == "" {
				_, _ = w.Write(b)
			}
		}
	}
	f(body(small), PProf, small)
	f(body(large), PProf, large)
	f(body(bytes.Repeat(small, 2)), PProf, bytes.Repeat(small, 2)) // several members
	f(body([]byte("goroutine 1 [running]:\n")), Text, []byte("goroutine 1 [running]:\n"))
	f(body(nil), Text, nil)
	f(raw("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"), Text, []byte("abc"))
	f(raw("HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), Text, []byte("abc"))
}

func TestAnswersThatAreNotTaken(t *testing.T) {
	good := profileOf(200_000)
	f := func(want string, handler http.HandlerFunc, content Content, written bool) {
		t.Helper()
		got, err := get(t, handler, content, testLimits)
		require.ErrorContains(t, err, want)
		require.Equal(t, written, len(got) > 0, "%d bytes were written: %v", len(got), err)
	}
	status := func(code int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, text, code) }
	}
	f(`it answered 404 Not Found: "no such page"`, status(404, "no such page\nmore"), PProf, false)
	f(`it answered 500 Internal Server Error: "password=***"`, status(500, "password=hunter2"), PProf, false)
	f("it answered 204 No Content", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, Text, false)
	f("it answered 401 Unauthorized", raw("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"), PProf, false)
	f(`it answered 302 Found with a redirect to "http://other.example/x?token=***": none is followed`,
		raw("HTTP/1.1 302 Found\r\nLocation: http://other.example/x?token=hunter2\r\nContent-Length: 0\r\n\r\n"), PProf, false)

	f("the answer was cut short after 3 bytes: unexpected EOF", raw("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc"), Text, true)
	f("the answer was cut short after 3 bytes: unexpected EOF",
		raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), Text, true)
	f("the answer was cut short after 0 bytes: unexpected EOF", raw("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"), PProf, false)
	f("the answer does not say where it ends", raw("HTTP/1.1 200 OK\r\n\r\nabc"), Text, false)
	f("the answer does not say where it ends", raw("HTTP/1.0 200 OK\r\n\r\n"+string(good)), PProf, false)
	f("the answer was cut short after 1000", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(good)))
		_, _ = w.Write(good[:len(good)/2])
		panic(http.ErrAbortHandler)
	}, PProf, true)

	// The length is right, and the profile is not whole.
	f("the profile is not valid gzip: unexpected EOF", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(good[:len(good)-9]) }, PProf, true)
	f("the profile is not valid gzip: gzip: invalid header", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(append(bytes.Clone(good), "and a trailer"...))
	}, PProf, true)
	damaged := bytes.Clone(good)
	damaged[len(damaged)/2] ^= 0x40
	f("the profile is not valid gzip: ", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(damaged) }, PProf, true)

	page := "<html>Sign in</html>"
	f(`the answer is no gzipped profile: it begins with "<html>Sign in</html>"`, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, page) }, PProf, false)
	f("what is gzipped is no profile", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(zipped(page)) }, PProf, true)
	f("what is gzipped is no profile", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(zipped("{}")) }, PProf, true)
	f("the profile is empty", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(zipped("")) }, PProf, true)
	f("the answer is no gzipped profile: it begins with \"\"", func(http.ResponseWriter, *http.Request) {}, PProf, false)
	f("the answer is no text", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{'a', 0}) }, Text, false)
	f("a NUL byte is no text", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("a", 100_000)+"\x00")
	}, Text, true)
	f(`the answer is in the encoding "gzip"`, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(good)
	}, PProf, false)

	f("the answer has 1048577 bytes, at most 1048576 are allowed", raw("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n"), Text, false)
	f("the answer has more than 1048576 bytes, at most 1048576 are allowed", func(w http.ResponseWriter, _ *http.Request) {
		for range 1<<20/1024 + 1 {
			_, _ = io.WriteString(w, strings.Repeat("a", 1024))
			w.(http.Flusher).Flush()
		}
	}, Text, true)
	f("after 0 bytes: ", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), PProf, false)
	f("header", raw("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("a", 2*maxHeaderBytes)+"\r\n\r\n"), PProf, false)
	f("it closed the connection without an answer: EOF", raw(""), PProf, false)
	f("malformed HTTP", raw("SSH-2.0-x\r\n"), PProf, false)
}

// A body is as large as it may be.
func TestLargestAnswer(t *testing.T) {
	text := []byte(strings.Repeat("a", 1<<20))
	got, err := get(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(text) }, Text, testLimits)
	require.NoError(t, err)
	require.Len(t, got, 1<<20)
}

// A redirect is not followed, wherever it leads.
func TestNoRedirectIsFollowed(t *testing.T) {
	var requests atomic.Int32
	_, err := get(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		http.Redirect(w, r, "/debug/pprof/heap", http.StatusTemporaryRedirect)
	}, PProf, testLimits)
	require.ErrorContains(t, err, "none is followed")
	require.EqualValues(t, 1, requests.Load())
}

type failingWriter struct {
	left int
	err  error
}

func (w *failingWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return 0, w.err
	}
	w.left -= len(p)
	return len(p), nil
}

// The error of the writer is in that of Get, and the rest is not read.
func TestWriterFails(t *testing.T) {
	full := errors.New("disk full")
	for _, content := range []Content{PProf, Text} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if content.name == Text.name {
				_, _ = io.WriteString(w, strings.Repeat("a", 300_000))
				return
			}
			_, _ = w.Write(profileOf(300_000))
		}))
		n, err := NewClient().Get(t.Context(), server.URL, content, testLimits, &failingWriter{100_000, full})
		require.ErrorIs(t, err, full)
		require.LessOrEqual(t, n, int64(100_000))
		server.Close()
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = NewClient().Get(t.Context(), "http://"+l.Addr().String()+"/debug/pprof/heap", PProf, testLimits, io.Discard)
	require.ErrorContains(t, err, "http://"+l.Addr().String()+"/debug/pprof/heap: dial: ")
	_, err = NewClient().Get(t.Context(), "http://a b/", PProf, testLimits, io.Discard)
	require.ErrorContains(t, err, "invalid")
}

// The profiles of a real Go process.
func TestProfilesOfThisProcess(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(pprof.Index))
	defer server.Close()
	for _, p := range []Profile{Heap(), Goroutine()} {
		var b bytes.Buffer
		_, err := NewClient().Get(t.Context(), server.URL+p.Path, p.Content, p.Limits, &b)
		require.NoError(t, err)
		z, err := gzip.NewReader(&b)
		require.NoError(t, err)
		text, err := io.ReadAll(z)
		require.NoError(t, err)
		require.Contains(t, string(text), map[string]string{"heap": "inuse_space", "goroutine": "capture.TestProfilesOfThisProcess"}[p.Type])
		require.Equal(t, p.Type+".pprof", p.Filename)
	}
	_, err := NewClient().Get(t.Context(), server.URL+"/debug/pprof/gone", PProf, testLimits, io.Discard)
	require.ErrorContains(t, err, "it answered 404 Not Found: \"Unknown profile\"")
}

// slowServer answers a request on one end of a pipe with the text, and then with nothing.
func slowServer(text string) *Client {
	c := NewClient()
	c.http.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			_, _ = there.Read(make([]byte, 4096))
			_, _ = io.WriteString(there, text)
			_, _ = there.Read(make([]byte, 1)) // until it is closed
		}()
		return here, nil
	}
	return c
}

func TestSlowAnswers(t *testing.T) {
	f := func(text string, want string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			_, err := slowServer(text).Get(t.Context(), "http://node/", Text, testLimits, io.Discard)
			require.EqualError(t, err, "http://node/: "+want)
			require.Equal(t, testLimits.Time, time.Since(begin))

			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err = slowServer(text).Get(ctx, "http://node/", Text, testLimits, io.Discard)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, testLimits.Time+time.Second, time.Since(begin))
		})
	}
	f("", "no whole answer within 10s, but 0 bytes")
	f("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "no whole answer within 10s, but 0 bytes")
	body := strings.Repeat("a", 2*headBytes)
	f("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"+body, fmt.Sprintf("no whole answer within 10s, but %d bytes", len(body)))
}

func TestTextOfAnErrorIsShort(t *testing.T) {
	long := strings.Repeat("ä", 1000)
	_, err := get(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, long, 500) }, PProf, testLimits)
	require.Less(t, len(err.Error()), 1000)
	require.Equal(t, strings.ToValidUTF8(err.Error(), "?"), err.Error())
}
