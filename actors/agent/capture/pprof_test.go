package capture

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// profilePaths are the files of the profiles of a node, in the order in which they are asked for.
var profilePaths = []string{"profiles/heap.pb.gz", "profiles/goroutine.pb.gz", "profiles/goroutine.txt", "profiles/mutex.pb.gz", "profiles/block.pb.gz", "profiles/cpu.pb.gz"}

// askNode captures all profiles of a server.
func askNode(t *testing.T, handler http.HandlerFunc, change func(*Config)) *evidence {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.CloseClientConnections()
	e := newEvidence()
	cfg := Config{Profiles: AllProfiles, Endpoint: server.URL + "/"}
	if change != nil {
		change(&cfg)
	}
	e.runner().Run(t.Context(), Plan(cfg))
	return e
}

// nodeServer is the server of a real Go process, without its CPU profile, which takes time.
func nodeServer(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/debug/pprof/profile" {
		_, _ = w.Write(profileOf(1000))
		return
	}
	pprof.Index(w, r)
}

func TestProfilesOfANode(t *testing.T) {
	var lock sync.Mutex
	var asked []string
	e := askNode(t, func(w http.ResponseWriter, r *http.Request) {
		lock.Lock()
		asked = append(asked, r.URL.RequestURI())
		lock.Unlock()
		if strings.HasSuffix(r.URL.Path, "/block") {
			http.NotFound(w, r)
			return
		}
		nodeServer(w, r)
	}, func(c *Config) { c.Goroutines = func() float64 { return 100 } })
	require.Equal(t, []string{"/debug/pprof/heap", "/debug/pprof/goroutine", "/debug/pprof/goroutine?debug=2", "/debug/pprof/mutex", "/debug/pprof/block", "/debug/pprof/profile?seconds=5"}, asked)
	require.Contains(t, e.files["profiles/goroutine.txt"], "capture.TestProfilesOfANode")
	require.Contains(t, e.reason("profiles/block.pb.gz"), "it answered 404 Not Found")
	require.Len(t, e.files, 5)

	// One on which nothing has fired.
	e = askNode(t, nodeServer, func(c *Config) { c.Profiles = ContextProfiles })
	require.Len(t, e.files, 2)
}

// A node that is slow already is not asked for what is expensive.
func TestProfilesOfASlowNode(t *testing.T) {
	var stacks string
	f := func(took time.Duration, goroutines float64, files int) *evidence {
		t.Helper()
		e := askNode(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.RawQuery != "" && strings.HasSuffix(r.URL.Path, "goroutine") {
				stacks = r.URL.RawQuery
			}
			nodeServer(w, r)
		}, func(c *Config) {
			c.ScrapeTime, c.Goroutines = func() (time.Duration, time.Duration) { return took, 9 * time.Second }, func() float64 { return goroutines }
		})
		require.Len(t, e.files, files)
		return e
	}
	f(4500*time.Millisecond, 100, 6)
	require.Equal(t, "debug=2", stacks)
	f(time.Second, 10_001, 6)
	require.Equal(t, "debug=1", stacks)
	f(time.Second, 0, 6)
	require.Equal(t, "debug=1", stacks)
	e := f(4501*time.Millisecond, 100, 4)
	require.Equal(t, "debug=1", stacks)
	for _, path := range []string{"profiles/heap.pb.gz", "profiles/cpu.pb.gz"} {
		require.Equal(t, "the node was not asked: its last scrape took 4.501s, over half of its timeout of 9s", e.reason(path))
		require.NotContains(t, e.begun, path)
	}
}

// Whatever a server does, each profile has a reason or is whole, within its limits.
func TestHostileServers(t *testing.T) {
	f := func(handler http.HandlerFunc, want, text string) {
		t.Helper()
		begin := time.Now()
		e := askNode(t, handler, nil)
		require.Less(t, time.Since(begin), 20*time.Second, want)
		require.Len(t, e.results, len(profilePaths))
		for _, path := range profilePaths {
			if reason := want; path != "profiles/goroutine.txt" {
				require.Contains(t, e.reason(path), reason, path)
				require.NotContains(t, e.files, path)
			} else {
				require.Contains(t, e.reason(path), text)
				require.LessOrEqual(t, len(e.files[path]), maxStacksBytes)
			}
		}
	}
	f(raw(""), "it closed the connection without an answer", "it closed")
	f(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
	}, "reset", "reset")
	f(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<html>password=hunter2 Sign in</html>")
	},
		`it begins with "<html>password=***`, "")
	f(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://192.0.2.1/debug/pprof/heap", http.StatusFound)
	},
		`with a redirect to "http://192.0.2.1/debug/pprof/heap": none is followed`, "none is followed")
	f(raw("HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n"), "the answer has 10737418240 bytes, at most 67108864 are allowed", "at most 16777216")
	f(raw("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"+string(profileOf(300))), "the answer was cut short", "no text")

	noise := profileOf(100_000)
	noise = noise[:len(noise)-8] // It has no end.
	f(func(w http.ResponseWriter, r *http.Request) {
		for err := error(nil); err == nil; {
			_, err = w.Write(noise)
		}
	}, "the profile is not valid gzip", "no text")
	bomb := zipped("\x0a" + strings.Repeat("\x00", 21<<20))
	require.Less(t, len(bomb), 200_000)
	f(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bomb) }, "the profile is unzipped to more than 100 times its size", "no text")
	f(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := io.WriteString(w, strings.Repeat("goroutine 1\n", 10_000)); err != nil {
				return
			}
		}
	}, `it begins with "goroutine 1`, "the answer has more than 16777216 bytes")
}

// pipeNode is a node on the other end of pipes, in fake time.
type pipeNode struct {
	requests atomic.Int32
	answer   func(conn net.Conn)
}

func (n *pipeNode) client() *Client {
	c := NewClient()
	c.http.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			if _, err := there.Read(make([]byte, 4096)); err != nil {
				return
			}
			n.requests.Add(1)
			n.answer(there)
		}()
		return here, nil
	}
	return c
}

// A node that does not answer in time is asked once, whatever it sends meanwhile.
func TestNodeThatHangs(t *testing.T) {
	f := func(answer func(net.Conn), heap string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			node := &pipeNode{answer: answer}
			e := newEvidence()
			begin := time.Now()
			e.runner().Run(t.Context(), Plan(Config{Profiles: AllProfiles, Endpoint: "http://node:6060", client: node.client()}))
			require.Equal(t, profileTimeout, time.Since(begin))
			require.EqualValues(t, 1, node.requests.Load())
			require.Equal(t, profilePaths[:1], e.begun)
			require.Empty(t, e.files)
			require.Regexp(t, heap, e.reason(profilePaths[0]))
			for _, path := range profilePaths[1:] {
				require.Equal(t, "the node was not asked for more: http://node:6060 did not answer a request for heap within 20s", e.reason(path))
			}
			time.Sleep(time.Second) // until the node has noticed
		})
	}
	f(func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) }, "^http://node:6060/debug/pprof/heap: no whole answer within 20s, but 0 bytes$")
	f(func(conn net.Conn) {
		profile := profileOf(100_000)
		_, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(profile))
		for i := 0; err == nil; i++ {
			_, err = conn.Write(profile[i : i+1])
			time.Sleep(100 * time.Millisecond)
		}
	}, "no whole answer within 20s, but [0-9]{2,} bytes$")
}

func TestWhereProfilesAre(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(nodeServer))
	defer server.Close()
	f := func(want string, metrics ...string) {
		t.Helper()
		e := newEvidence()
		e.runner().Run(t.Context(), Plan(Config{Profiles: ContextProfiles, Metrics: metrics}))
		for _, path := range profilePaths[:2] {
			require.Contains(t, e.reason(path), want)
		}
	}
	f("it is not known where the node shows its profiles (--pprof-endpoint)")
	f("it is not known where the node shows its profiles (--pprof-endpoint)", ":", "unix")
	if conn, err := net.Dial("tcp", "127.0.0.1:6060"); err == nil {
		_ = conn.Close()
		return
	}
	f("nothing answers at 127.0.0.1:6060 (--pprof-endpoint): dial: ", "http://127.0.0.1:2121/metrics")
	listener, err := net.Listen("tcp", "127.0.0.1:6060")
	if err != nil {
		return
	}
	other := &http.Server{Handler: http.HandlerFunc(nodeServer)}
	go func() { _ = other.Serve(listener) }()
	defer other.Close()
	f("", "http://127.0.0.1:2121/metrics")
}

// That nothing listens is said once of all profiles.
func TestNothingListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	endpoint := "http://" + listener.Addr().String()
	require.NoError(t, listener.Close())
	e := newEvidence()
	e.runner().Run(t.Context(), Plan(Config{Profiles: AllProfiles, Endpoint: endpoint}))
	said := map[messages.EvidenceMissing]bool{}
	for _, path := range profilePaths {
		m, is := e.results[path].Missing()
		require.True(t, is)
		said[m] = true
	}
	require.Len(t, said, 1)
	require.Empty(t, e.begun, "nobody was asked")
	require.Contains(t, e.reason(profilePaths[0]), "nothing answers at "+endpoint+" (--pprof-endpoint): dial: ")
}

// So is that the server has none: one that has any has that of the heap.
func TestServerWithoutProfiles(t *testing.T) {
	e := askNode(t, http.NotFound, nil)
	require.Equal(t, profilePaths[:1], e.begun)
	said := map[messages.EvidenceMissing]bool{}
	for _, path := range profilePaths {
		m, is := e.results[path].Missing()
		require.True(t, is)
		said[m] = true
	}
	require.Len(t, said, 1)
	require.Regexp(t, `^the node shows no profiles at http://127.0.0.1:\d+ \(--pprof-endpoint\): it answered 404 Not Found`, e.reason(profilePaths[0]))
}

func TestShownEndpoint(t *testing.T) {
	e := askNode(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, func(c *Config) {
		u, err := url.Parse(c.Endpoint)
		require.NoError(t, err)
		u.User = url.UserPassword("fodc", "hunter2")
		c.Endpoint = u.String()
	})
	for _, path := range profilePaths {
		require.Contains(t, e.reason(path), "it answered 401 Unauthorized")
		require.NotContains(t, e.reason(path), "hunter2")
	}
}
