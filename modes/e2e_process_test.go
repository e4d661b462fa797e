//go:build e2e && linux

package modes_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is the time limit for what should happen soon.
const patience = 15 * time.Second

// atOnce is the default of -parallel. It exceeds the number of processors, since these tests
// mostly wait: those of incidents for each other, too (clusterSlots).
const atOnce = 14

// binary is the program under test, nodeBinary one that plays a database node: see package nodetest.
var binary, nodeBinary string

func isSet(name string) (set bool) {
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "fodc-e2e")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "fodc")
	nodeBinary = filepath.Join(dir, "node")
	source := filepath.Join(dir, "node.go")
	if err := os.WriteFile(source, []byte("package main\n\nimport \"fodc/modes/nodetest\"\n\nfunc main() { nodetest.Run() }\n"), 0o600); err != nil {
		panic(err)
	}
	for program, of := range map[string]string{binary: "fodc", nodeBinary: source} {
		build := exec.Command("go", "build", "-o", program, of)
		build.Stdout, build.Stderr = os.Stdout, os.Stderr
		if err := build.Run(); err != nil {
			panic(err)
		}
	}
	flag.Parse()
	if !isSet("test.parallel") {
		_ = flag.Set("test.parallel", strconv.Itoa(atOnce))
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// process is a running fodc.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	exited chan struct{}

	mu    sync.Mutex
	lines []map[string]any
	raw   bytes.Buffer
}

// start runs fodc with the arguments, and kills it at the end of the test.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	return startCommand(t, append([]string{binary}, args...)...)
}

// startCommand is start for a command line that runs fodc by way of another program.
func startCommand(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, exited: make(chan struct{}), cmd: exec.Command(args[0], append(args[1:], "--log-format", "json")...)}
	p.cmd.Dir = t.TempDir() // standalone mode stores there
	p.cmd.Stdout = io.Discard
	stderr, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			p.logged(lines.Bytes())
		}
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.kill(syscall.SIGKILL)
		<-p.exited
		if t.Failed() {
			t.Logf("log of %s:\n%s", strings.Join(args, " "), p.log())
		}
	})
	return p
}

func (p *process) logged(line []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.raw.WriteString("  ")
	p.raw.Write(line)
	p.raw.WriteByte('\n')
	var fields map[string]any
	if json.Unmarshal(line, &fields) == nil {
		p.lines = append(p.lines, fields)
	}
}

func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.raw.String()
}

// kill sends a signal. After SIGSTOP it waits until nothing of the process runs.
func (p *process) kill(s syscall.Signal) {
	_ = p.cmd.Process.Signal(s)
	for s == syscall.SIGSTOP && p.runs() {
		time.Sleep(time.Millisecond)
	}
}

// runs reports whether any thread of the process is neither stopped nor dead.
func (p *process) runs() bool {
	paths, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.cmd.Process.Pid))
	for _, path := range paths {
		stat, err := os.ReadFile(path)
		if _, rest, ok := strings.Cut(string(stat), ") "); err == nil && ok && !strings.ContainsAny(rest[:1], "TZX") {
			return true
		}
	}
	return false
}

// exitCode waits for the end and returns the exit code and how long it took.
func (p *process) exitCode(limit time.Duration) (int, time.Duration) {
	p.t.Helper()
	begin := time.Now()
	select {
	case <-p.exited:
	case <-time.After(limit):
		p.t.Fatalf("still running after %s", limit)
	}
	return p.cmd.ProcessState.ExitCode(), time.Since(begin)
}

// addr returns the bound address of a server from the log: "grpc" or "http" of a proxy,
// "agent" is the HTTP server of an agent.
func (p *process) addr(server string) string {
	p.t.Helper()
	var addr string
	eventually(p.t, "the address of "+server, func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, l := range p.lines {
			switch {
			case l["msg"] == "listening" && l[server] != nil:
				addr = l[server].(string)
				return nil
			case l["msg"] == "recording" && server == "agent":
				addr = l["http"].(string)
				return nil
			}
		}
		return fmt.Errorf("not logged")
	})
	return "127.0.0.1" + addr[strings.LastIndex(addr, ":"):]
}

// freeAddr returns an address of this machine where nobody listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// eventually polls until f has no error, or fails with the last one.
func eventually(t *testing.T, what string, f func() error) {
	t.Helper()
	within(t, patience, what, f)
}

// within is eventually with a limit of its own. It returns how long it took.
func within(t *testing.T, limit time.Duration, what string, f func() error) time.Duration {
	t.Helper()
	begin := time.Now()
	deadline := begin.Add(limit)
	for {
		err := f()
		if err == nil {
			return time.Since(begin)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s: %v", what, limit, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func startProxy(t *testing.T, more ...string) *process {
	return start(t, append([]string{"proxy", "--grpc-listen-addr", "127.0.0.1:0", "--http-listen-addr", "127.0.0.1:0"}, more...)...)
}

func startAgent(t *testing.T, proxy *process, id, role, endpoint string, more ...string) *process {
	return start(t, agentArgs(proxy.addr("grpc"), id, role, endpoint, more...)...)
}

// agentArgs returns the command line of an agent without host telemetry; more overrides.
func agentArgs(proxyAddr, id, role, endpoint string, more ...string) []string {
	return append([]string{"agent", "--proxy-addr", proxyAddr, "--node-id", id, "--node-role", role,
		"--metrics-endpoint", endpoint, "--poll-metrics-interval", "1s", "--prometheus-listen-addr", "127.0.0.1:0",
		"--host-telemetry=false"}, more...)
}

// get returns the answer to a request; path may have a query.
func get(addr, path string, header ...string) (status int, body string, h http.Header, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return 0, "", nil, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), resp.Header, err
}

func page(t *testing.T, addr, path string) string {
	t.Helper()
	status, body, _, err := get(addr, path)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, body)
	return body
}

// statuses returns node -> status as /cluster says.
func statuses(t *testing.T, proxy *process) map[string]string {
	t.Helper()
	var cluster struct {
		Nodes []struct {
			NodeID string `json:"node_id"`
			Status string `json:"status"`
		} `json:"nodes"`
	}
	require.NoError(t, json.Unmarshal([]byte(page(t, proxy.addr("http"), "/cluster")), &cluster))
	m := map[string]string{}
	for _, n := range cluster.Nodes {
		require.NotContains(t, m, n.NodeID, "two entries of one node")
		m[n.NodeID] = n.Status
	}
	return m
}

// awaitStatuses waits until /cluster has exactly these nodes: id, status, id, status...
func awaitStatuses(t *testing.T, proxy *process, pairs ...string) {
	t.Helper()
	want := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		want[pairs[i]] = pairs[i+1]
	}
	eventually(t, "cluster", func() error {
		if got := statuses(t, proxy); fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("got %v, want %v", got, want)
		}
		return nil
	})
}
