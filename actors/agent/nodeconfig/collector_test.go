package nodeconfig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

var testNow = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// host is a root with a proc that a test makes as it needs it.
type host struct {
	t     *testing.T
	root  string
	asked []string // by URL
	pages map[string]string
	now   time.Time
}

func newHost(t *testing.T) *host {
	h := &host{t: t, root: t.TempDir(), pages: map[string]string{}, now: testNow}
	h.write("proc/net/tcp", tcpHeader)
	return h
}

func (h *host) write(name, text string) string {
	h.t.Helper()
	path := filepath.Join(h.root, name)
	require.NoError(h.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(h.t, os.WriteFile(path, []byte(text), 0o600))
	require.NoError(h.t, os.Chtimes(path, h.now, h.now))
	return path
}

// process makes one. args and environ have spaces between, sockets are inodes.
func (h *host) process(pid int, comm string, started int, args, environ string, sockets ...int) {
	h.t.Helper()
	dir := fmt.Sprintf("proc/%d/", pid)
	h.write(dir+"stat", fmt.Sprintf("%d (%s) S 1%s %d%s\n", pid, comm, strings.Repeat(" 0", 17), started, strings.Repeat(" 0", 30)))
	h.write(dir+"comm", comm+"\n")
	h.write(dir+"cmdline", strings.ReplaceAll(args, " ", "\x00")+"\x00")
	h.write(dir+"environ", strings.ReplaceAll(environ, " ", "\x00")+"\x00")
	require.NoError(h.t, os.MkdirAll(filepath.Join(h.root, dir, "fd"), 0o755))
	for _, inode := range sockets {
		link := filepath.Join(h.root, dir, "fd", strconv.Itoa(inode))
		_ = os.Remove(link)
		require.NoError(h.t, os.Symlink(fmt.Sprintf("socket:[%d]", inode), link))
	}
}

func (h *host) dies(pid int) {
	require.NoError(h.t, os.RemoveAll(filepath.Join(h.root, "proc", strconv.Itoa(pid))))
}

const tcpHeader = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

// listening writes the line of a socket: address in the kernel's form, state, inode.
func (h *host) listening(file string, sockets ...string) {
	text := tcpHeader
	for i, s := range sockets {
		f := strings.Fields(s)
		rem := strings.Repeat("0", len(f[0])-5) + ":0000"
		text += fmt.Sprintf("   %d: %s %s %s 00000000:00000000 00:00000000 00000000     0        0 %s 1 0000000000000000 100 0 0 10 0\n", i, f[0], rem, f[1], f[2])
	}
	h.write("proc/net/"+file, text)
}

func (h *host) collector(c Config) *Collector {
	c.Root = h.root
	c.Fetch = func(_ context.Context, url string) ([]byte, string, error) {
		h.asked = append(h.asked, url)
		page, ok := h.pages[url]
		if !ok {
			return nil, "", errors.New("connection refused")
		}
		return []byte(page), "text/plain", nil
	}
	return New(c)
}

func (h *host) collect(c *Collector) *messages.NodeConfig {
	h.t.Helper()
	config, ok := c.Collect(h.t.Context(), h.now)
	require.True(h.t, ok)
	require.NoError(h.t, config.Validate())
	return config
}

// text returns a configuration as lines.
func text(c *messages.NodeConfig) string {
	var all []string
	for _, p := range c.StartupParams {
		all = append(all, "startup "+p.Key+"="+p.Value)
	}
	for _, p := range c.RuntimeConfig {
		all = append(all, "runtime "+p.Key+"="+p.Value)
	}
	for _, s := range c.Sources {
		all = append(all, "source "+s)
	}
	for _, e := range c.Errors {
		all = append(all, "error "+e)
	}
	return strings.Join(all, "\n")
}

const endpoint = "http://127.0.0.1:2121/metrics"

func TestCollect(t *testing.T) {
	h := newHost(t)
	h.process(7, "banyand", 100, "/banyand data --a=1 --etcd-password=hunter2", "PATH=/ BYDB_B=c BYDB_TOKEN=hunter2")
	yaml, env := h.write("etc/b.yaml", "x: {y: 1}\nBYDB_B: file\n"), h.write("etc/b.env", "SECRET=hunter2\n")
	c := h.collector(Config{Process: "banyand", Files: []string{yaml, env}, Endpoints: []string{endpoint}})
	first := h.collect(c)
	require.Equal(t, lines(`startup --a="1"`, `startup --etcd-password="***"`, `startup command="/banyand data"`,
		`runtime BYDB_B="c"`, `runtime BYDB_TOKEN="***"`, `runtime SECRET="***"`, `runtime x.y=1`,
		"source command line of process 7 (name banyand)", "source file "+yaml, "source file "+env, "source environment of process 7"), text(first))
	require.Equal(t, testNow, first.CollectedAt)
	require.Empty(t, h.asked)

	h.now = h.now.Add(10 * time.Second)
	require.Same(t, first, h.collect(c), "nothing has changed")

	h.write("etc/b.yaml", "x: {y: 2}\n")
	second := h.collect(c)
	require.Contains(t, text(second), "runtime x.y=2")
	require.Equal(t, h.now, second.CollectedAt)
	require.Contains(t, text(first), "runtime x.y=1", "what was sent does not change")
}

// The configuration of a node that has died is what it was when it lived.
func TestDeadNode(t *testing.T) {
	h := newHost(t)
	h.process(7, "banyand", 100, "/banyand --a=1", "BYDB_B=c")
	pidFile := h.write("run/pid", "7\n")
	yaml := h.write("etc/b.yaml", "x: 1\n")
	c := h.collector(Config{PIDFile: pidFile, Files: []string{yaml}})
	alive := h.collect(c)
	h.now = h.now.Add(time.Minute)
	require.Same(t, alive, h.collect(c))

	h.dies(7)
	require.NoError(t, os.Remove(yaml))
	h.now = h.now.Add(time.Minute)
	dead := h.collect(c)
	require.True(t, dead.SameParams(alive))
	require.Equal(t, alive.CollectedAt, dead.CollectedAt)
	require.Equal(t, lines(
		"error the node's process: process of "+pidFile+": there is no process 7; no endpoint to ask; shown is what was read last, at 2026-01-02T03:05:05Z",
		"error stat "+yaml+": no such file or directory; shown is what was read last, at 2026-01-02T03:05:05Z",
		"error the environment of the node's process cannot be read without the process; shown is what was read last, at 2026-01-02T03:05:05Z"),
		strings.Join(strings.Split(text(dead), "\n")[7:], "\n"), text(dead))
	h.now = h.now.Add(time.Minute)
	require.Same(t, dead, h.collect(c), "it stays dead, and that is told once")

	h.process(9, "banyand", 900, "/banyand --a=2", "BYDB_B=c")
	h.write("run/pid", "9\n")
	h.write("etc/b.yaml", "x: 1\n")
	back := h.collect(c)
	require.Empty(t, back.Errors)
	require.Contains(t, text(back), `startup --a="2"`)
}

// A file that cannot be read as a whole shows what could, or what it was before.
func TestBadFile(t *testing.T) {
	h := newHost(t)
	yaml := h.write("b.yaml", "x: 1\n")
	env := h.write("b.env", "A=b\nhunter2\n")
	c := h.collector(Config{Files: []string{yaml, env, filepath.Join(h.root, "none"), h.root}})
	config := h.collect(c)
	require.Equal(t, lines(`runtime A="b"`, `runtime x=1`, "source file "+yaml, "source file "+env,
		"error the node's process: no endpoint is on this host; no endpoint to ask",
		"error "+env+": 1 lines are not KEY=VALUE, the first is line 2",
		"error stat "+h.root+"/none: no such file or directory",
		"error "+h.root+" is no regular file"), text(config))
	h.now = h.now.Add(time.Minute)
	h.write("b.yaml", "x: [\n")
	config = h.collect(c)
	require.Contains(t, text(config), `runtime x=1`)
	require.Contains(t, text(config), yaml+": not valid YAML at line 1; shown is what was read last, at 2026-01-02T03:04:05Z")
	h.write("b.yaml", "x: "+strings.Repeat("y", maxFileBytes))
	require.Contains(t, text(h.collect(c)), "b.yaml has more than 1048576 bytes, which are allowed")
	h.write("b.yaml", "x: 2")
	require.Contains(t, text(h.collect(c)), "runtime x=2")
}

// A file that changes twice within the grain of its time is read again.
func TestFileOfTheSameTime(t *testing.T) {
	h := newHost(t)
	yaml := h.write("b.yaml", "x: 1\n")
	c := h.collector(Config{Files: []string{yaml}})
	require.Contains(t, text(h.collect(c)), "runtime x=1")
	h.write("b.yaml", "x: 2\n")
	require.Contains(t, text(h.collect(c)), "runtime x=2")
	h.now = h.now.Add(mtimeResolution + 1)
	before := h.collect(c)
	require.True(t, c.files[0].stable)
	require.Same(t, before, h.collect(c))
}

func TestListeningProcess(t *testing.T) {
	f := func(endpoint, file, socket, want string) {
		t.Helper()
		h := newHost(t)
		h.listening(file, "0100007F:0849 01 11", socket, "00000000:0016 0A 12") // 2121 connected, and others
		h.process(5, "child", 200, "/child --c", "", 42)
		h.process(7, "banyand", 100, "/banyand --a", "", 11, 42)
		h.process(8, "other", 50, "/other --b", "", 12)
		got := text(h.collect(h.collector(Config{Endpoints: []string{endpoint}})))
		require.Contains(t, got, want, "%s %s", endpoint, socket)
	}
	const it = "source command line of process 7 (listens at port 2121)"
	const nobody = "error the node's process: nobody listens at the endpoint on this host; "
	f(endpoint, "tcp", "0100007F:0849 0A 42", it)
	f(endpoint, "tcp", "00000000:0849 0A 42", it)
	f(endpoint, "tcp6", "00000000000000000000000000000000:0849 0A 42", it)
	f(endpoint, "tcp6", "0000000000000000FFFF00000100007F:0849 0A 42", it)
	f("http://localhost:2121/metrics", "tcp6", "00000000000000000000000001000000:0849 0A 42", it)
	f("http://[::1]:2121/metrics", "tcp6", "00000000000000000000000001000000:0849 0A 42", it)
	f("http://10.0.0.1:2121/metrics", "tcp", "0100000A:0849 0A 42", it)
	f(endpoint, "tcp", "0200007F:0849 0A 42", nobody)
	f(endpoint, "tcp", "0100007F:0849 01 42", nobody)
	f("http://192.0.2.1:2121/metrics", "tcp", "00000000:0849 0A 42", nobody)
	f("http://db.example:2121/metrics", "tcp", "00000000:0849 0A 42", "error the node's process: no endpoint is on this host; ")
	f(endpoint, "tcp", "0100007F:0849 0A 43", "error the node's process: who listens at the endpoint cannot be seen: ")
}

func TestOwnAddress(t *testing.T) {
	own, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, a := range own {
		ip, _, err := net.ParseCIDR(a.String())
		require.NoError(t, err)
		at, ok := listenAddrOf("http://" + net.JoinHostPort(ip.String(), "2121"))
		require.True(t, ok)
		require.True(t, at.listens(netip.MustParseAddrPort("0.0.0.0:2121")))
		require.True(t, at.listens(netip.MustParseAddrPort("[::]:2121")))
		require.False(t, at.listens(netip.MustParseAddrPort("[::]:2122")))
	}
}

// A node that is started again is found again; a socket whose owner cannot be seen is
// not searched for all the time.
func TestListeningProcessChanges(t *testing.T) {
	h := newHost(t)
	h.listening("tcp", "0100007F:0849 0A 42")
	h.process(7, "banyand", 100, "/banyand --a=1", "", 42)
	c := h.collector(Config{Endpoints: []string{endpoint}})
	require.Contains(t, text(h.collect(c)), `--a="1"`)

	h.dies(7)
	h.listening("tcp")
	require.Contains(t, text(h.collect(c)), "error the node's process: process 7 (listens at port 2121) has ended; ")
	h.process(7, "banyand", 900, "/banyand --a=2", "")
	h.listening("tcp", "0100007F:0849 0A 43")
	require.Contains(t, text(h.collect(c)), "cannot be seen")
	h.process(7, "banyand", 900, "/banyand --a=2", "", 43)
	h.now = h.now.Add(searchInterval - 1)
	require.Contains(t, text(h.collect(c)), `--a="1"`)
	h.now = h.now.Add(1)
	require.Contains(t, text(h.collect(c)), `--a="2"`)
}

func TestPprof(t *testing.T) {
	h := newHost(t)
	const own, usual = "http://127.0.0.1:2121/debug/pprof/cmdline", "http://127.0.0.1:6060/debug/pprof/cmdline"
	c := h.collector(Config{Endpoints: []string{endpoint}, Process: "banyand"})
	require.Contains(t, text(h.collect(c)), "error the node's process: no process is called banyand; "+own+": connection refused")
	require.Equal(t, []string{own, usual}, h.asked)
	h.pages[own] = "# HELP a b\n# TYPE a gauge\na 1\n"
	h.pages[usual] = "/x/banyand\x00data\x00--a=1\x00--token\x00hunter2"
	require.Contains(t, text(h.collect(c)), "connection refused", "it is not asked all the time")
	h.now = h.now.Add(pprofRetry)
	found := h.collect(c)
	require.Equal(t, lines(`startup --a="1"`, `startup --token="***"`, `startup command="/x/banyand data"`, "source "+usual), text(found))
	asked := len(h.asked)
	h.now = h.now.Add(pprofCacheTTL - 1)
	h.pages[usual] = "/x/other\x00--a=2"
	require.Same(t, found, h.collect(c))
	require.Len(t, h.asked, asked)
	h.now = h.now.Add(1)
	last := h.collect(c)
	require.True(t, last.SameParams(found))
	require.Contains(t, text(last), "the answer is no command line; shown is what was read last")
}

func TestParsePprof(t *testing.T) {
	f := func(body, process, want string) {
		t.Helper()
		_, err := parsePprof(body, process)
		require.EqualError(t, err, want)
	}
	f("", "", "the answer is no command line")
	f("\x00\x00", "", "the answer is no command line")
	f("# HELP\nx 1\n", "", "the answer is no command line")
	f("<html>hunter2", "", "the answer is no command line")
	f("/x/banyand\x00a", "other", "the answer is that of another program than other")
	f("b\x00"+strings.Repeat("x", MaxCommandLineBytes), "", "a command line of 131074 bytes, at most 131072 are allowed")
}

// A read that hangs is not joined by another one.
func TestBusy(t *testing.T) {
	h := newHost(t)
	asked, release := make(chan struct{}), make(chan struct{})
	c := New(Config{Root: h.root, Endpoints: []string{endpoint}, Fetch: func(context.Context, string) ([]byte, string, error) {
		asked <- struct{}{}
		<-release
		return nil, "", errors.New("late")
	}})
	done := make(chan *messages.NodeConfig)
	go func() {
		config, _ := c.Collect(t.Context(), testNow)
		done <- config
	}()
	<-asked
	_, ok := c.Collect(t.Context(), testNow)
	require.False(t, ok)
	close(release)
	<-asked
	require.Contains(t, text(<-done), "late")
}

// A parser that panics is an error of the configuration, and not the agent's end.
func TestPanic(t *testing.T) {
	h := newHost(t)
	yaml := h.write("b.yaml", "x: 1\n")
	c := h.collector(Config{Files: []string{yaml}})
	before := h.collect(c)
	c.files = append(c.files, nil)
	after := h.collect(c)
	require.True(t, after.SameParams(before))
	require.Equal(t, "the configuration cannot be read: unexpected runtime.errorString", after.Errors[0])
}

// A process that has ended and is not collected by its parent yet has an empty command line and an empty environment: those of before
// are kept, both.
func TestZombieKeepsConfiguration(t *testing.T) {
	h := newHost(t)
	h.process(7, "db", 100, "db --a=1", "BYDB_X=1")
	c := h.collector(Config{Process: "db"})
	before := h.collect(c)
	h.write("proc/7/cmdline", "")
	h.write("proc/7/environ", "")
	h.now = h.now.Add(time.Minute)
	after := h.collect(c)
	require.True(t, after.SameParams(before), "%s", text(after))
	require.NotEmpty(t, after.Errors)
	require.Empty(t, after.Process)
	h.process(7, "db", 100, "db --a=1", "BYDB_X=1")
	require.True(t, h.collect(c).SameParams(before))
	require.Equal(t, before.Process, h.collect(c).Process)
	h.process(7, "db", 200, "db --a=1", "BYDB_X=1")
	require.NotEqual(t, before.Process, h.collect(c).Process, "another process of the same number")
}
