//go:build e2e && linux

package modes_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// largeProfileBytes is the size of a profile that a proxy must not hold in memory.
var largeProfileBytes = 64 * len(profilePart)

// profilePart is what large profiles consist of, again and again: several gzip files are one, too. It is a little less than a chunk.
var profilePart = profileOf("large", "heap", 1<<20-200)

// wholeProfile compares what is written with a profile of parts, and counts it.
type wholeProfile struct {
	n    int64
	diff bool
}

func (w *wholeProfile) Write(b []byte) (int, error) {
	for len(b) > 0 {
		at := int(w.n % int64(len(profilePart)))
		n := min(len(b), len(profilePart)-at)
		w.diff = w.diff || !bytes.Equal(b[:n], profilePart[at:at+n])
		w.n, b = w.n+int64(n), b[n:]
	}
	return len(b), nil
}

// downloaded is a download as its client has seen it.
type downloaded struct {
	status int
	wholeProfile
	body []byte // of an error
	err  error  // nil: the client takes it for whole
}

func download(ctx context.Context, addr, path string) (d downloaded) {
	var req *http.Request
	if req, d.err = http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil); d.err != nil {
		return d
	}
	var resp *http.Response
	if resp, d.err = http.DefaultClient.Do(req); d.err != nil {
		return d
	}
	defer resp.Body.Close()
	if d.status = resp.StatusCode; d.status != http.StatusOK {
		d.body, d.err = io.ReadAll(resp.Body)
		return d
	}
	buffer := make([]byte, 64<<10)
	for d.err == nil {
		var n int
		n, d.err = resp.Body.Read(buffer)
		_, _ = d.Write(buffer[:n])
	}
	if errors.Is(d.err, io.EOF) && !errors.Is(d.err, io.ErrUnexpectedEOF) {
		d.err = nil
	}
	return d
}

// anonymous returns the anonymous resident memory of a process, in bytes.
func anonymous(p *process) (bytes int64) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "RssAnon:" {
			kib, _ := strconv.ParseInt(fields[1], 10, 64)
			return kib << 10
		}
	}
	return 0
}

// mostOf returns the most anonymous memory that a process has while f runs.
func mostOf(p *process, f func()) (most int64) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	for tick := time.NewTicker(2 * time.Millisecond); ; {
		most = max(most, anonymous(p))
		select {
		case <-done:
			tick.Stop()
			return max(most, anonymous(p))
		case <-tick.C:
		}
	}
}

// startProfileAgent starts an agent of the field with one large profile, of which send sends what it will.
func startProfileAgent(t *testing.T, proxy *process, pod string, send func(stream *actorstest.PlainStream, fetch fields)) *fieldAgent {
	a := startFieldAgent(t, proxy.addr("grpc"), pod).serve(messages.StreamMetrics, messages.StreamTopology)
	a.answer(messages.StreamProfiles, func(stream *actorstest.PlainStream, q fields) {
		if fetch, ok := q["fetchProfile"].(fields); ok {
			send(stream, fetch)
			return
		}
		record := profileRecord(pod, time.Now().UTC().Format(time.RFC3339Nano))
		for _, file := range record["record"].(fields)["profiles"].([]any) {
			file.(fields)["sizeBytes"] = fmt.Sprint(largeProfileBytes)
		}
		_ = stream.Send(record, fields{"listComplete": q["listProfiles"]})
	})
	path := "/pressure-profiles?pod_name=" + pod
	eventually(t, "the list of "+pod, func() error {
		var list []profileAnswer
		if _, err := askProxy(proxy.addr("http"), path, &list); err != nil || len(list) != 1 {
			return fmt.Errorf("%v, %v", list, err)
		}
		return nil
	})
	return a
}

// sendParts sends so many chunks of a profile, the last one as such, and returns false if nobody takes them.
func sendParts(stream *actorstest.PlainStream, fetch fields, parts int, last bool) bool {
	for i := range parts {
		chunk := fields{"requestId": fetch["requestId"], "profileId": fetch["profileId"], "type": fetch["type"], "data": profilePart}
		if last && i == parts-1 {
			chunk["last"] = true
		}
		if stream.Send(fields{"chunk": chunk}) != nil {
			return false
		}
	}
	return true
}

func profilePath(pod string) string { return "/pressure-profiles/" + pod + "/" + crashedAtID + "/heap" }

// What a download may cost a proxy, garbage included, whatever the size of the profile: an agent of ours sends small pieces, one of the
// field chunks of 1 MiB, some of which are there at a time, each as a frame and as its bytes. The whole profile has 63 MiB. On a machine
// under load garbage is collected late: 9 MiB have been seen for the small pieces.
const (
	downloadMemory      = 16 << 20
	fieldDownloadMemory = 24 << 20
)

// TestE2EDownloadOfAFieldAgentsLargeProfile: the proxy's memory does not grow with the size of the profile, also while its client is
// slow, and other questions are answered meanwhile.
func TestE2EDownloadOfAFieldAgentsLargeProfile(t *testing.T) {
	t.Parallel()
	proxy := startProxy(t)
	addr := proxy.addr("http")
	startProfileAgent(t, proxy, "data-0", func(stream *actorstest.PlainStream, fetch fields) {
		sendParts(stream, fetch, largeProfileBytes/len(profilePart), true)
	})
	requireSmallDownload(t, proxy, profilePath("data-0"))
	status, _, header, err := get(addr, profilePath("data-0"), "Range", "bytes=0-10")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, strconv.Itoa(largeProfileBytes), header.Get("Content-Length"))
}

// requireSmallDownload downloads a profile of largeProfileBytes twice, so that the second time costs no first ones.
func requireSmallDownload(t *testing.T, proxy *process, path string) {
	t.Helper()
	addr := proxy.addr("http")
	for range 3 {
		page(t, addr, "/metrics")
		page(t, addr, "/pressure-profiles")
	}
	before := anonymous(proxy)
	var d downloaded
	begin := time.Now()
	most := mostOf(proxy, func() { d = download(t.Context(), addr, path) })
	t.Logf("%d MiB in %s: %.1f MiB of memory before, %.1f MiB at most", largeProfileBytes>>20, time.Since(begin), float64(before)/(1<<20), float64(most)/(1<<20))
	require.NoError(t, d.err)
	require.Equal(t, http.StatusOK, d.status, "%s", d.body)
	require.EqualValues(t, largeProfileBytes, d.n)
	require.False(t, d.diff, "other bytes")
	require.Less(t, most-before, int64(fieldDownloadMemory), "more memory for a download")
}

// TestE2EDownloadThatIsNotWhole: a client takes no part of a profile for the whole, however its agent ends it.
func TestE2EDownloadThatIsNotWhole(t *testing.T) {
	t.Parallel()
	proxy := startProxy(t)
	chunk := func(fetch fields, more fields) fields {
		c := fields{"requestId": fetch["requestId"], "profileId": fetch["profileId"], "type": fetch["type"]}
		for k, v := range more {
			c[k] = v
		}
		return fields{"chunk": c}
	}
	var dying *fieldAgent
	ends := map[string]func(stream *actorstest.PlainStream, fetch fields){
		"dies": func(stream *actorstest.PlainStream, fetch fields) {
			sendParts(stream, fetch, 3, false)
			go dying.Close()
		},
		"resets": func(stream *actorstest.PlainStream, fetch fields) { sendParts(stream, fetch, 3, false); stream.Reset() },
		"fails": func(stream *actorstest.PlainStream, fetch fields) {
			sendParts(stream, fetch, 3, false)
			_ = stream.Send(chunk(fetch, fields{"error": "the disk is broken", "last": true}))
		},
		"is-short": func(stream *actorstest.PlainStream, fetch fields) { sendParts(stream, fetch, 3, true) },
		"is-long": func(stream *actorstest.PlainStream, fetch fields) {
			sendParts(stream, fetch, largeProfileBytes/len(profilePart)+1, true)
		},
		"is-another": func(stream *actorstest.PlainStream, fetch fields) {
			_ = stream.Send(chunk(fields{"requestId": fetch["requestId"], "profileId": "other", "type": "goroutine"}, fields{"data": profilePart, "last": true}))
		},
		"stalls": func(stream *actorstest.PlainStream, fetch fields) { sendParts(stream, fetch, 3, false) },
		"garbage": func(stream *actorstest.PlainStream, fetch fields) {
			sendParts(stream, fetch, 3, false)
			_ = stream.SendRaw([]byte{0xff, 0xff, 0xff, 0xff, 1})
		},
		"gone": func(stream *actorstest.PlainStream, fetch fields) {
			_ = stream.Send(chunk(fetch, fields{"error": "no such profile", "last": true}))
		},
	}
	for pod, send := range ends {
		a := startProfileAgent(t, proxy, pod, send)
		if pod == "dies" {
			dying = a
		}
	}
	var all []func()
	for pod := range ends {
		all = append(all, func() {
			begin := time.Now()
			d := download(t.Context(), proxy.addr("http"), profilePath(pod))
			t.Logf("%s: status %d, %d bytes after %s, %v %.200s", pod, d.status, d.n, time.Since(begin), d.err, d.body)
			if d.status == http.StatusOK && d.err == nil {
				t.Errorf("%s: the client takes %d bytes for a profile", pod, d.n)
			}
			if time.Since(begin) > patience {
				t.Errorf("%s: after %s", pod, time.Since(begin))
			}
			if pod == "gone" && d.status != http.StatusNotFound && d.status != http.StatusServiceUnavailable {
				t.Errorf("%s: status %d", pod, d.status)
			}
		})
	}
	atOnceAll(all)
	awaitStatus(t, proxy, patience, "dies", "unconnected")
	var topology topologyAnswer
	a := mustAsk(t, proxy.addr("http"), "/cluster/topology", &topology)
	require.Equal(t, map[string]string{"dies": "unconnected"}, a.missing)
	require.Len(t, topology.Nodes, len(ends))
	require.Len(t, proxy.said("agent registered"), len(ends))
}

// TestE2EDownloadWhoseClientStalls: a client that reads nothing is cut off, and harms no other question to the agent for longer.
func TestE2EDownloadWhoseClientStalls(t *testing.T) {
	t.Parallel()
	const stall, more = 10 * time.Second, 3 * time.Second
	proxy := startProxy(t)
	addr := proxy.addr("http")
	startProfileAgent(t, proxy, "data-0", func(stream *actorstest.PlainStream, fetch fields) {
		sendParts(stream, fetch, largeProfileBytes/len(profilePart), true)
	})
	before := anonymous(proxy)
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", profilePath("data-0"))
	require.NoError(t, err)
	begin := time.Now()
	var topology topologyAnswer
	a := mustAsk(t, addr, "/cluster/topology", &topology)
	require.Empty(t, a.missing)
	require.Less(t, a.took, slack)
	require.Empty(t, mustAsk(t, addr, "/metrics", nil).missing)
	most := mostOf(proxy, func() {
		within(t, stall+more, "the list of profiles", func() error {
			var list []profileAnswer
			if a, err := askProxy(addr, "/pressure-profiles", &list); err != nil || len(a.missing) > 0 || len(list) != 1 {
				return fmt.Errorf("%d, missing: %v, %v", len(list), a.missing, err)
			}
			return nil
		})
	})
	t.Logf("the list is there again after %s, %.1f MiB more of memory at most", time.Since(begin), float64(most-before)/(1<<20))
	require.Less(t, most-before, int64(fieldDownloadMemory))
	eventually(t, "no download is left", func() error {
		if n := actorsOf(t, proxy, "http", "download"); n != 0 {
			return fmt.Errorf("%d", n)
		}
		return nil
	})
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	n, err := io.Copy(io.Discard, conn)
	require.Less(t, n, int64(largeProfileBytes))
	t.Logf("the client finds %d bytes, then %v", n, err)
	d := download(t.Context(), addr, profilePath("data-0"))
	require.NoError(t, d.err)
	require.EqualValues(t, largeProfileBytes, d.n)
	require.Len(t, proxy.said("agent registered"), 1)
}
