package modes

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fodc/modes/query"

	"github.com/stretchr/testify/require"
)

// fakeAPI is a server that answers each request with the handler, and remembers the last one.
type fakeAPI struct {
	*httptest.Server
	newest atomic.Pointer[http.Request]
}

func newFakeAPI(t *testing.T, answer http.HandlerFunc) *fakeAPI {
	f := &fakeAPI{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		f.newest.Store(r) // A client that did not wait for an answer may come again while the request before is answered.
		answer(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeAPI) path() string       { return f.newest.Load().URL.Path }
func (f *fakeAPI) method() string     { return f.newest.Load().Method }
func (f *fakeAPI) params() url.Values { return f.newest.Load().Form }

func answerJSON(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

const oneSeries = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up"},"value":[1704110400,"1"]}]}`

// askServer runs a query, and returns what it prints.
func askServer(t *testing.T, c QueryCommandConfig) (stdout, stderr string, err error) {
	t.Helper()
	if c.Timeout == 0 {
		c.Timeout = time.Minute
	}
	if c.Expr == "" {
		c.Expr = "up"
	}
	var out, errs bytes.Buffer
	err = RunQuery(t.Context(), c, &out, &errs)
	return out.String(), errs.String(), err
}

func TestQueryOfAServer(t *testing.T) {
	api := newFakeAPI(t, answerJSON(200, oneSeries+`,"warnings":["no answer (timeout) from 1 of 2 nodes: \"b\"","\u001b[31mred"],"infos":["a\nb"]}`))
	said := `fodc query: warning: no answer (timeout) from 1 of 2 nodes: "b"` + "\nfodc query: warning: \\u001b[31mred\nfodc query: info: a\\nb\n"
	f := func(want, output string) {
		t.Helper()
		stdout, stderr, err := askServer(t, QueryCommandConfig{ProxyURL: api.URL, Output: output})
		require.NoError(t, err)
		require.Equal(t, want, stdout)
		require.Equal(t, said, stderr)
	}
	f("up  2024-01-01T12:00:00Z\nvalue\n    1\n", "table")
	f(`{"resultType":"vector","result":[{"metric":{"__name__":"up"},"value":[1704110400,"1"]}]}`+"\n", "json")
	f("time,value,__name__\n2024-01-01T12:00:00.000Z,1,up\n", "csv")
	require.Equal(t, url.Values{"query": {"up"}, "timeout": {"59"}}, api.params())
	require.Equal(t, "/api/v1/query", api.path())
	require.Equal(t, "GET", api.method())
}

func TestQueryParameters(t *testing.T) {
	api := newFakeAPI(t, answerJSON(200, oneSeries+"}"))
	f := func(c QueryCommandConfig, path string, want ...string) {
		t.Helper()
		c.ProxyURL = api.URL
		_, _, err := askServer(t, c)
		require.NoError(t, err)
		require.Equal(t, path, api.path())
		params := []string{}
		for _, name := range []string{"time", "start", "end", "step", "strict", "timeout"} {
			if v := api.params().Get(name); v != "" {
				params = append(params, name+"="+v)
			}
		}
		require.Equal(t, want, params)
	}
	at := func(seconds int64) When { return When{At: time.Unix(seconds, 123_456_789)} }
	const timeout = "timeout=59"
	f(QueryCommandConfig{Time: at(1000)}, "/api/v1/query", "time=1000.123", timeout)
	f(QueryCommandConfig{Strict: true, Timeout: time.Second}, "/api/v1/query", "strict=1", "timeout=0.9")
	f(QueryCommandConfig{Start: at(1000), End: at(1250)}, "/api/v1/query_range", "start=1000.123", "end=1250.123", "step=1", timeout)
	f(QueryCommandConfig{Start: at(1000), End: at(1251)}, "/api/v1/query_range", "start=1000.123", "end=1251.123", "step=2", timeout)
	f(QueryCommandConfig{End: at(7200)}, "/api/v1/query_range", "start=3600.123", "end=7200.123", "step=15", timeout)
	f(QueryCommandConfig{End: at(7200), Step: 1500 * time.Millisecond}, "/api/v1/query_range", "start=3600.123", "end=7200.123", "step=1.5", timeout)

	_, _, err := askServer(t, QueryCommandConfig{ProxyURL: api.URL, Start: When{Ago: 15 * time.Minute}})
	require.NoError(t, err)
	start, err := strconv.ParseFloat(api.params().Get("start"), 64)
	require.NoError(t, err)
	end, err := strconv.ParseFloat(api.params().Get("end"), 64)
	require.NoError(t, err)
	require.InDelta(t, 900, end-start, 0.001)
	require.InDelta(t, time.Now().Unix(), end, 60)

	_, _, err = askServer(t, QueryCommandConfig{ProxyURL: api.URL, Start: When{Ago: time.Hour}, End: at(1000)})
	require.ErrorContains(t, err, "after its end at 1970-01-01T00:16:40.123")
}

func TestURLWithAPath(t *testing.T) {
	api := newFakeAPI(t, answerJSON(200, oneSeries+"}"))
	for _, path := range []string{"/a/b", "/a/b/"} {
		_, _, err := askServer(t, QueryCommandConfig{ProxyURL: api.URL + path})
		require.NoError(t, err)
		require.Equal(t, "/a/b/api/v1/query", api.path())
	}
}

func TestLongExpressionIsPosted(t *testing.T) {
	api := newFakeAPI(t, answerJSON(200, oneSeries+"}"))
	expr := "up or " + strings.Repeat("x", 4000)
	_, _, err := askServer(t, QueryCommandConfig{ProxyURL: api.URL, Expr: expr})
	require.NoError(t, err)
	require.Equal(t, "POST", api.method())
	require.Equal(t, expr, api.params().Get("query"))
}

func TestDefaultSteps(t *testing.T) {
	f := func(want, length time.Duration) {
		t.Helper()
		require.Equal(t, want, defaultStep(length))
	}
	const day = 24 * time.Hour
	f(time.Second, 0)
	f(time.Second, 250*time.Second)
	f(2*time.Second, 251*time.Second)
	f(15*time.Second, time.Hour)
	f(10*time.Minute, day)
	f(20*time.Minute, 3*day)
	f(12*time.Hour, 125*day)
	f(day, 126*day)
	f(2*day, 251*day)
	for length := time.Second; length < 20*365*day; length = length * 5 / 4 {
		require.LessOrEqual(t, length/defaultStep(length), time.Duration(250))
	}
}

func TestErrorsOfAServer(t *testing.T) {
	f := func(want string, answer http.HandlerFunc) {
		t.Helper()
		api := newFakeAPI(t, answer)
		stdout, stderr, err := askServer(t, QueryCommandConfig{ProxyURL: api.URL})
		require.Error(t, err)
		require.Regexp(t, want, err.Error())
		require.NotContains(t, err.Error(), "query=up")
		require.Less(t, len(err.Error()), 500)
		require.Empty(t, stdout)
		require.Empty(t, stderr)
	}
	const server = `^http://127\.0\.0\.1:\d+: `
	f("^bad_data: 1:3: parse error$", answerJSON(400, `{"status":"error","errorType":"bad_data","error":"1:3: parse error"}`))
	f(server+`this is no answer of Prometheus' HTTP API: status 200, text/html; charset=utf-8: "<html>`, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "<html>"+strings.Repeat("x", 10_000))
	})
	f(server+`.*: status 500, text/plain; charset=utf-8: "broken"`, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "broken", 500) })
	f(server+`.*: status 404, .*: "404 page not found"`, http.NotFound)
	f(server+`the answer is cut off or damaged, 10 bytes`, answerJSON(200, `{"status":`))
	f(server+`the answer ends after 16 bytes: unexpected EOF`, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, `{"status":"succe`)
	})
	f(`^read the result: unknown type "x"$`, answerJSON(200, `{"status":"success","data":{"resultType":"x"}}`))
	f(server+`.*redirects`, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) })
	f(server+`.*EOF`, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
}

func TestServerThatIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	_, _, err = askServer(t, QueryCommandConfig{ProxyURL: "http://user:hunter2@" + addr})
	require.ErrorContains(t, err, "http://user:xxxxx@"+addr+": ")
	require.NotContains(t, err.Error(), "hunter2")
}

func TestSlowServer(t *testing.T) {
	f := func(answer http.HandlerFunc) {
		t.Helper()
		api := newFakeAPI(t, func(w http.ResponseWriter, r *http.Request) {
			answer(w, r)
			<-r.Context().Done()
		})
		_, _, err := askServer(t, QueryCommandConfig{ProxyURL: api.URL, Timeout: 50 * time.Millisecond})
		require.EqualError(t, err, api.URL+": no answer within 50ms (--timeout)")
	}
	f(func(http.ResponseWriter, *http.Request) {})
	f(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("{"))
		w.(http.Flusher).Flush()
	})
}

func TestCancelledQuery(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	api := newFakeAPI(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	err := RunQuery(ctx, QueryCommandConfig{Expr: "up", ProxyURL: api.URL, Timeout: time.Minute}, &bytes.Buffer{}, &bytes.Buffer{})
	require.ErrorIs(t, err, context.Canceled)
}

// However much a server sends, and however small it makes that: what is read is bounded.
func TestHugeAnswer(t *testing.T) {
	zeros := make([]byte, 1<<16)
	f := func(answer http.HandlerFunc) {
		t.Helper()
		api := newFakeAPI(t, answer)
		c, err := newQueryClient(QueryCommandConfig{ProxyURL: api.URL})
		require.NoError(t, err)
		defer c.close()
		c.maxBytes = 1 << 20
		a, err := c.ask(t.Context(), "/api/v1/query", url.Values{})
		require.EqualError(t, err, api.URL+": the answer has more than 1048576 bytes: ask for fewer series, a shorter range or a longer --step")
		require.Len(t, a.Body, 1<<20+1)
	}
	f(func(w http.ResponseWriter, _ *http.Request) {
		for range 1 << 10 {
			if _, err := w.Write(zeros); err != nil {
				return
			}
		}
	})
	f(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		for range 1 << 10 {
			if _, err := z.Write(zeros); err != nil {
				return
			}
		}
	})
}

func TestNotesAreBounded(t *testing.T) {
	var b bytes.Buffer
	texts := make([]string, 102)
	for i := range texts {
		texts[i] = strings.Repeat("ü", 2000)
	}
	sayNotes(&b, "warning", texts)
	lines := strings.Split(b.String(), "\n")
	require.Len(t, lines, 102)
	require.Equal(t, "fodc query: warning: "+strings.Repeat("ü", 1000)+"...", lines[0])
	require.Equal(t, "fodc query: warning: and 2 more", lines[100])
}

func TestScreenWithoutATerminal(t *testing.T) {
	require.Equal(t, query.Screen{Width: 80}, screenOf(&bytes.Buffer{}))
}
