//go:build e2e && linux

package modes_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// recorder is a process in one of the modes, whose log the test controls.
type recorder struct {
	*process
	mode string
	// http is its HTTP address. The metric droppedName on the page droppedPath counts the
	// dropped lines of its log.
	http, droppedPath, droppedName string
	// cluster is the proxy that has the node n1.
	cluster *process
}

// inEachMode runs the test for an agent with its proxy, a proxy with its agent, and both
// in one process. The log of the process goes to out, which is closed then.
func inEachMode(t *testing.T, test func(t *testing.T, start func(out *os.File, more ...string) *recorder)) {
	for _, mode := range []string{"agent", "proxy", "standalone"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			test(t, func(out *os.File, more ...string) *recorder { return startRecorder(t, mode, out, more...) })
		})
	}
}

func startRecorder(t *testing.T, mode string, out *os.File, more ...string) *recorder {
	t.Helper()
	endpoint := startNode(t, pageA).endpoint()
	addrs := map[string]string{"grpc": fixedPort(t), "http": fixedPort(t), "agent": fixedPort(t)}
	r := &recorder{mode: mode, http: addrs["http"], droppedPath: "/metrics/self", droppedName: "fodc_log_lines_dropped_total"}
	var args []string
	switch mode {
	case "agent":
		r.cluster = startProxy(t)
		r.http, r.droppedPath, r.droppedName = addrs["agent"], "/metrics", "fodc_agent_log_lines_dropped_total"
		args = append(agentArgs(r.cluster.addr("grpc"), "n1", "liaison", endpoint), "--prometheus-listen-addr", addrs["agent"])
	case "proxy":
		args = []string{"proxy", "--grpc-listen-addr", addrs["grpc"], "--http-listen-addr", addrs["http"]}
	default:
		args = []string{"standalone", "--grpc-listen-addr", addrs["grpc"], "--http-listen-addr", addrs["http"], "--prometheus-listen-addr", addrs["agent"],
			"--node-id", "n1", "--metrics-endpoint", endpoint, "--poll-metrics-interval", "1s"}
	}
	r.process = startSilently(t, out, addrs, append(args, more...)...)
	if mode != "agent" {
		r.cluster = r.process
	}
	eventually(t, "it answers", func() error {
		_, _, _, err := get(r.http, "/health")
		return err
	})
	if mode == "proxy" {
		startAgent(t, r.process, "n1", "liaison", endpoint)
	}
	awaitStatuses(t, r.cluster, "n1", "online")
	return r
}

// startSilently runs fodc with stdout and stderr to out, which is closed. Its addresses are
// known beforehand.
func startSilently(t *testing.T, out *os.File, addrs map[string]string, args ...string) *process {
	t.Helper()
	p := &process{t: t, exited: make(chan struct{}), cmd: exec.Command(binary, append(args, "--log-format", "json")...)}
	p.cmd.Dir = t.TempDir() // standalone mode stores there
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.lines = []map[string]any{{"msg": "listening", "grpc": addrs["grpc"], "http": addrs["http"]}, {"msg": "recording", "http": addrs["agent"]}}
	require.NoError(t, p.cmd.Start())
	require.NoError(t, out.Close())
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.kill(syscall.SIGKILL)
		<-p.exited
	})
	return p
}

// fullPipe returns the ends of a pipe whose buffer is full.
func fullPipe(t *testing.T) (reader, writer *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _ = reader.Close() })
	require.NoError(t, writer.SetWriteDeadline(time.Now().Add(100*time.Millisecond)))
	_, err = writer.Write(make([]byte, 4<<20))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	return reader, writer
}

// requireAnswers asks many times. Each answer must come soon.
func (r *recorder) requireAnswers(t *testing.T) {
	t.Helper()
	ask := func(path string, times int) {
		slowest := time.Duration(0)
		for range times {
			begin := time.Now()
			status, body, _, err := get(r.http, path)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, status, body)
			slowest = max(slowest, time.Since(begin))
		}
		require.Less(t, slowest, 3*time.Second, path) // A log that blocks would block for longer.
		t.Logf("%s: %d requests, the slowest took %s", path, times, slowest)
	}
	ask("/health", 600)
	ask("/metrics", 60)
	require.Equal(t, map[string]string{"n1": "online"}, statuses(t, r.cluster))
}

// dropped is how many lines of its log are lost, as the process says.
func (r *recorder) dropped(t *testing.T) float64 {
	t.Helper()
	for line := range strings.SplitSeq(page(t, r.http, r.droppedPath), "\n") {
		if text, ok := strings.CutPrefix(line, r.droppedName+" "); ok {
			value, err := strconv.ParseFloat(text, 64)
			require.NoError(t, err)
			return value
		}
	}
	t.Fatalf("%s is not on %s", r.droppedName, r.droppedPath)
	return 0
}

func (r *recorder) awaitDropped(t *testing.T, more float64) {
	t.Helper()
	eventually(t, r.droppedName, func() error {
		if n := r.dropped(t); n <= more {
			return fmt.Errorf("it is %g", n)
		}
		return nil
	})
}

// requireClean sends SIGTERM and waits for an orderly end.
func (r *recorder) requireClean(t *testing.T) {
	t.Helper()
	r.kill(syscall.SIGTERM)
	code, took := r.exitCode(patience)
	require.Zero(t, code)
	require.Less(t, took, stopLimit)
	t.Logf("stopped in %s", took)
}

// flood makes the process log more than its queue holds.
func (r *recorder) flood(t *testing.T) {
	t.Helper()
	for range 6000 {
		page(t, r.http, "/health")
	}
}

func TestE2EReaderOfLogStandsStill(t *testing.T) {
	t.Parallel()
	inEachMode(t, func(t *testing.T, start func(*os.File, ...string) *recorder) {
		_, writer := fullPipe(t)
		r := start(writer, "--log-level", "debug")
		r.requireAnswers(t)
		r.requireClean(t)
	})
}

func TestE2EReaderOfLogGoesOn(t *testing.T) {
	t.Parallel()
	inEachMode(t, func(t *testing.T, start func(*os.File, ...string) *recorder) {
		reader, writer := fullPipe(t)
		r := start(writer, "--log-level", "debug")
		r.flood(t)
		r.awaitDropped(t, 0)
		r.requireAnswers(t)
		awaitLine(t, readLines(reader), "lines of the log are missing here")
		r.requireClean(t)
	})
}

// readLines returns the lines that can be read, until the file is closed.
func readLines(reader *os.File) <-chan string {
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		s := bufio.NewScanner(reader)
		s.Buffer(nil, 1<<20) // What fullPipe has written is the beginning of the first line.
		for s.Scan() {
			lines <- s.Text()
		}
	}()
	return lines
}

// awaitLine waits for a line with the text.
func awaitLine(t *testing.T, lines <-chan string, text string) {
	t.Helper()
	for timeout := time.After(patience); ; {
		select {
		case line, ok := <-lines:
			require.True(t, ok, "no line has %q", text)
			if strings.Contains(line, text) {
				return
			}
		case <-timeout:
			t.Fatalf("no line has %q", text)
		}
	}
}

func TestE2EReaderOfLogGoesAway(t *testing.T) {
	t.Parallel()
	inEachMode(t, func(t *testing.T, start func(*os.File, ...string) *recorder) {
		path := filepath.Join(t.TempDir(), "log")
		require.NoError(t, syscall.Mkfifo(path, 0o600))
		// Without O_NONBLOCK each end of a named pipe waits for the other one. Reading
		// begins only when both are open: it would find the end of the file otherwise.
		open := func() *os.File {
			reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
			require.NoError(t, err)
			t.Cleanup(func() { _ = reader.Close() })
			return reader
		}
		reader := open()
		writer, err := os.OpenFile(path, os.O_WRONLY, 0)
		require.NoError(t, err)
		lines := readLines(reader)
		r := start(writer, "--log-level", "debug")
		awaitLine(t, lines, `"msg":"starting"`)
		require.NoError(t, reader.Close())
		r.requireAnswers(t)
		r.awaitDropped(t, 600)

		lines = readLines(open())
		page(t, r.http, "/health")
		awaitLine(t, lines, "lines of the log are missing here")
		awaitLine(t, lines, `"msg":"request"`)
		r.requireClean(t)
	})
}

// The exit codes of help and of usage errors do not depend on a reader of the output.
func TestE2EOutputWithoutAReader(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]int{"--help": 0, "--version": 0, "agent --help": 0, "help proxy": 0, "": 2, "agent": 2, "nonsense": 2, "proxy --nonsense": 2} {
		reader, writer, err := os.Pipe()
		require.NoError(t, err)
		require.NoError(t, reader.Close())
		cmd := exec.Command(binary, strings.Fields(args)...)
		cmd.Stdout, cmd.Stderr = writer, writer
		_ = cmd.Run()
		require.NoError(t, writer.Close())
		require.Equal(t, want, cmd.ProcessState.ExitCode(), "fodc %s: %s", args, cmd.ProcessState)
	}
}

var threeScrapes = regexp.MustCompile(`fodc_node_scrapes_total\{endpoint="http://127\.0\.0\.1:2121/metrics"\} ([3-9]|\d\d)`)

// fodc standalone logs a few lines at its start. One names the address to open.
func TestE2EFirstMinute(t *testing.T) {
	t.Parallel()
	p := start(t, "standalone", "--grpc-listen-addr", "127.0.0.1:0", "--http-listen-addr", "127.0.0.1:0",
		"--prometheus-listen-addr", "127.0.0.1:0", "--node-id", "n1", "--poll-metrics-interval", "1s")
	awaitStatuses(t, p, "n1", "online")
	awaitSaid(t, p, 1, "agent registered")
	eventually(t, "scrapes", func() error {
		if !threeScrapes.MatchString(page(t, p.addr("agent"), "/metrics")) {
			return fmt.Errorf("fewer than three")
		}
		return nil
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	require.LessOrEqual(t, len(p.lines), 7, "six, and one if a database runs here")
	opened := ""
	for _, l := range p.lines {
		require.Equal(t, "info", l["level"], l)
		if _, rest, ok := strings.Cut(l["msg"].(string), "open http://"); ok {
			opened, _, _ = strings.Cut(rest, "/ in a browser")
		}
	}
	require.Contains(t, page(t, opened, "/"), "fodc proxy")
}
