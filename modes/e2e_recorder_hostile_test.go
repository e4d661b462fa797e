//go:build e2e && linux

package modes_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// hostileEndpoint is what an endpoint does to the agent, and what comes of it.
type hostileEndpoint struct {
	name  string
	serve http.HandlerFunc
	// kind is of the failure, says a part of its text. kind is empty where the page is
	// recorded: then dropped, if it is not empty, is why some of its samples are not.
	kind, says, dropped string
}

// good is a line that each page that is recorded has.
const good = "good 1\n"

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = io.WriteString(w, body)
	}
}

// endless sends a page that has no end, as fast as it is read or with a pause after
// each line.
func endless(pause time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; r.Context().Err() == nil; i++ {
			_, _ = fmt.Fprintf(w, "endless{i=\"%d\"} 1\n", i)
			if pause > 0 {
				w.(http.Flusher).Flush()
				time.Sleep(pause)
			}
		}
	}
}

// late answers when the agent has given up.
func late(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func encoded(encoding string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", encoding)
		_, _ = w.Write(body)
	}
}

// broken ends the connection before the page has the length that was promised.
func broken(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, good)
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// raw answers with bytes that are not HTTP.
func raw(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_, _ = io.WriteString(conn, "SSH-2.0-x\r\n")
		_ = conn.Close()
	}
}

// hashes is a page of comments without an end.
type hashes struct{}

func (hashes) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = "# "[i%2]
	}
	return len(b), nil
}

func zip(size int) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.CopyN(z, hashes{}, int64(size)) // Each process of this program does this: in little memory.
	_ = z.Close()
	return b.Bytes()
}

func noise(size int) string {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

func manySamples(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "many{i=\"%d\"} 1\n", i)
	}
	return b.String()
}

var hostileEndpoints = []hostileEndpoint{
	{"gzip bomb", encoded("gzip", zip(256<<20)), "body_limit", "a page of more than 1048576 bytes, at most 1048576 are allowed (--max-page-bytes)", ""},
	{"endless body", endless(0), "body_limit", "--max-page-bytes", ""},
	{"body too long, and said so", text(strings.Repeat("#", 2<<20)), "body_limit", "a page of more than 1048576 bytes", ""},
	{"too many samples", text(manySamples(1001)), "sample_limit", "more than 1000, at most 1000 are allowed (--max-page-samples)", ""},
	{"endless body, slowly", endless(50 * time.Millisecond), "timeout", "no whole answer in time", ""},
	{"no answer", late, "timeout", "no whole answer in time", ""},
	{"redirects without end", http.RedirectHandler("/login", http.StatusFound).ServeHTTP, "status", "too many redirects: at most 5 are followed, the next is to /login", ""},
	{"redirect to another host", http.RedirectHandler("http://example.com/", http.StatusFound).ServeHTTP, "status", " to http://example.com:80", ""},
	{"redirect to what is not a URL", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://name:secret@[::1/")
		w.WriteHeader(http.StatusFound)
	}, "status", `a Location that is not a URL: "http://name:***@[::1/"`, ""},
	{"redirect to another path", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metrics/" {
			http.Redirect(w, r, "/metrics/", http.StatusMovedPermanently)
			return
		}
		text(good)(w, r)
	}, "", "", ""},
	{"not found", http.NotFound, "status", "404 Not Found", ""},
	{"HTML error page with 200", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html><body>\n<h1>Welcome</h1>\n</body></html>\n")
	}, "page", `page without a single sample of the content type "text/html": the body is HTML`, ""},
	{"JSON", text(`{"metrics": []}`), "page", "page without a single sample: the body is JSON", ""},
	{"zipped without a header that says so", text(string(zip(1000))), "encoding", "the body is gzip, but Content-Encoding does not say so", ""},
	{"noise", text(noise(64 << 10)), "page", "page without a single sample", ""},
	{"page that breaks off", broken, "connection", "page after 7 bytes: unexpected EOF", ""},
	{"zipped page that breaks off", encoded("gzip", zip(1000)[:20]), "encoding", "not valid gzip", ""},
	{"zipped with what was not asked for", encoded("br", []byte("x")), "encoding", `in the encoding "br"`, ""},
	{"header without end", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X", strings.Repeat("x", 1<<20))
		_, _ = io.WriteString(w, good)
	}, "connection", "header", ""},
	{"no HTTP", raw, "connection", "malformed HTTP", ""},
	{"bad lines among good ones", text(good + "what is this\n" + "a{b=\"c} 1\n"), "", "line 2", ""},
	{"label too long", text(good + "a{x=\"" + strings.Repeat("y", 1000) + "\"} 1\n"), "", "", "label_bytes"},
	{"too many labels", text(good + "a{b=\"1\",c=\"1\",d=\"1\",e=\"1\",f=\"1\"} 1\n"), "", "", "label_count"},
	{"series twice", text(good + "a 1\na 2\n"), "", "", "duplicate"},
	{"series twice, once with an empty label", text(good + "b{x=\"\"} 2\nb 3\n"), "", "", "duplicate"},
	{"TYPE lines written in other ways", text("#\tTYPE\tgood\tgauge\n# TYPE   c   Counter \n" + good + "c 1\n"), "", "", ""},
	{"byte order mark", text("\ufeff" + good), "", "", ""},
	{"no content type", func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		_, _ = io.WriteString(w, good)
	}, "", "", ""},
	{"CR LF and no newline at the end", text("# TYPE good gauge\r\ngood 1"), "", "", ""},
}

// agentHealth returns the agent's /health.
func agentHealth(t *testing.T, agent *process) (h messages.AgentHealth) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(page(t, agent.addr("agent"), "/health")), &h))
	return h
}

// target returns the health of one endpoint.
func target(h messages.AgentHealth, endpoint string) messages.TargetHealth {
	for _, t := range h.Targets {
		if t.Endpoint == endpoint {
			return t
		}
	}
	return messages.TargetHealth{}
}

// One agent scrapes all hostile endpoints and a healthy one: each comes to its outcome,
// seen on /health and on /metrics, and the healthy one loses no scrape to them.
func TestE2ERecorderHostileEndpoints(t *testing.T) {
	t.Parallel()
	healthy := startNode(t, "healthy 1\n")
	args := []string{"--max-page-bytes", "1048576", "--max-page-samples", "1000", "--max-sample-labels", "4", "--max-label-bytes", "100",
		"--poll-metrics-interval", "2s", "--metrics-endpoint", noEndpoint}
	urls := make([]string, len(hostileEndpoints))
	for i, e := range hostileEndpoints {
		server := httptest.NewUnstartedServer(e.serve)
		server.Config.ErrorLog = log.New(io.Discard, "", 0) // for the handlers that break off
		server.Start()
		t.Cleanup(server.Close)
		urls[i] = server.URL + "/metrics"
		args = append(args, "--metrics-endpoint", urls[i])
	}
	agent := start(t, agentArgs(noProxy, "n1", "liaison", healthy.endpoint(), args...)...)

	const scrapes = 4
	var h messages.AgentHealth
	eventually(t, "scrapes of all", func() error {
		h = agentHealth(t, agent)
		for _, e := range h.Targets {
			if e.Scrapes < scrapes {
				return fmt.Errorf("%s: %d scrapes", e.Endpoint, e.Scrapes)
			}
		}
		return nil
	})
	body := page(t, agent.addr("agent"), "/metrics")
	promtoolCheck(t, body)

	f := func(name, url string, e hostileEndpoint) {
		t.Helper()
		got := target(h, url)
		require.Equal(t, e.kind == "", got.Up, "%s: %+v", name, got)
		require.Contains(t, got.Error, e.says, name)
		up := 1
		if e.kind != "" {
			up = 0
			require.NotNil(t, got.LastError, name)
			require.Equal(t, e.kind, got.LastError.Kind, "%s: %s", name, got.Error)
			require.Equal(t, map[string]int{e.kind: got.Scrapes}, got.Failures, name)
			require.Contains(t, body, fmt.Sprintf("\nfodc_node_scrape_failures_total{endpoint=%q,kind=%q} ", url, e.kind), name)
			require.NotContains(t, body, fmt.Sprintf("\nfodc_node_scrape_failures_total{endpoint=%q,kind=%q} 0\n", url, e.kind), name)
		} else {
			require.Empty(t, got.Failures, name)
		}
		if e.dropped != "" {
			require.Len(t, got.Dropped, 1, name)
			require.Positive(t, got.Dropped[e.dropped], name)
			require.NotContains(t, body, fmt.Sprintf("\nfodc_node_dropped_samples_total{endpoint=%q,reason=%q} 0\n", url, e.dropped), name)
		} else {
			require.Empty(t, got.Dropped, name)
		}
		require.Contains(t, body, fmt.Sprintf("\nfodc_node_up{endpoint=%q} %d\n", url, up), name)
	}
	for i, e := range hostileEndpoints {
		f(e.name, urls[i], e)
	}
	f("nothing listens", noEndpoint, hostileEndpoint{kind: "refused", says: "connection refused"})

	got := target(h, healthy.endpoint())
	require.True(t, got.Up)
	require.Empty(t, got.Failures)
	require.Nil(t, got.LastError)
	most := 0
	for _, e := range h.Targets {
		most = max(most, e.Scrapes)
	}
	require.GreaterOrEqual(t, got.Scrapes, most-2, "the healthy endpoint is scraped as often as any other")
	require.Contains(t, body, "\nhealthy 1\n")
}

// noProxy is where no proxy listens.
const noProxy = "127.0.0.1:1"

// The endpoint of a dead node gives no values: its series are out of the latest answer
// at once, the window keeps what was. The node's next process is an event, and its
// counters begin again without a value that was never on a page.
func TestE2ERecorderNodeDiesAndComesBack(t *testing.T) {
	t.Parallel()
	addr := fixedPort(t)
	node := func(startTime, count string) *http.Server {
		l := listenAt(t, addr)
		s := &http.Server{Handler: text("# TYPE c counter\nc " + count + "\nprocess_start_time_seconds " + startTime + "\n")}
		go func() { _ = s.Serve(l) }()
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	endpoint := "http://" + addr + "/metrics"
	first := node("1700000000", "500")
	proxy := startProxy(t)
	agent := startAgent(t, proxy, "n1", "liaison", endpoint)
	const identity = `node_id="n1",node_role="liaison",pod_name="n1"`
	awaitPage(t, proxy, "/metrics", `c{`+identity+`} 500`)
	begin := time.Now()

	require.NoError(t, first.Close())
	up := fmt.Sprintf(`fodc_node_up{endpoint=%q,%s} `, endpoint, identity)
	body := awaitPage(t, proxy, "/metrics", up+"0\n")
	require.NotContains(t, body, "\nc{")
	require.Contains(t, page(t, agent.addr("agent"), "/metrics"), fmt.Sprintf("fodc_node_up{endpoint=%q} 0\n", endpoint))
	window := fmt.Sprintf("/metrics-windows?start_time=%d", begin.Add(-time.Minute).Unix())
	require.Contains(t, page(t, proxy.addr("http"), window), `c{`+identity+`} 500 `)

	node("1700009999", "3")
	awaitPage(t, proxy, "/metrics", up+"1\n", `c{`+identity+`} 3`)
	var events []string
	for _, e := range agentHealth(t, agent).Events {
		events = append(events, e.Event)
	}
	require.Equal(t, []string{"scrape_failed", "restart"}, events)
	var values []string
	for line := range strings.SplitSeq(page(t, proxy.addr("http"), window), "\n") {
		if rest, ok := strings.CutPrefix(line, `c{`+identity+`} `); ok {
			value, _, _ := strings.Cut(rest, " ")
			if len(values) == 0 || values[len(values)-1] != value {
				values = append(values, value)
			}
		}
	}
	require.Equal(t, []string{"500", "3"}, values)
}
