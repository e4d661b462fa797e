//go:build bench && linux

package querybench

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// binaryVariable names the program, see the Makefile.
const binaryVariable = "FODC_BENCH_BINARY"

// patience bounds the wait for a process.
const patience = time.Minute

// process is one that is measured, or that helps.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	http  string // the address of its HTTP server
	ended chan struct{}
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// start runs the command until the test ends, and waits until the path of its server is there.
func start(t *testing.T, http, ready string, cmd *exec.Cmd) *process {
	p := &process{t: t, cmd: cmd, http: http, ended: make(chan struct{})}
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.stop)
	if ready != "" {
		require.Eventually(t, func() bool { return p.isThere(ready) }, patience, 5*time.Millisecond, "%s does not come up", cmd)
	}
	return p
}

func (p *process) isThere(path string) bool {
	select {
	case <-p.ended:
		require.Fail(p.t, "ended at once", "%s", p.cmd)
	default:
	}
	answer, err := http.Get("http://" + p.http + path)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// plain asks for answers that are not compressed: that would be measured, too.
var plain = &http.Client{Transport: &http.Transport{DisableCompression: true}}

// get returns what a path answers, and how long that took. It must be a success.
func (p *process) get(path string) ([]byte, time.Duration) {
	p.t.Helper()
	begin := time.Now()
	answer, err := plain.Get("http://" + p.http + path)
	require.NoError(p.t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	took := time.Since(begin)
	require.NoError(p.t, err)
	require.Equal(p.t, http.StatusOK, answer.StatusCode, "%s: %.300s", path, body)
	return body, took
}

// matrix is the answer to a query.
type matrix struct {
	Status string `json:"status"`
	Data   struct {
		ResultType string `json:"resultType"`
		Result     []struct {
			Metric map[string]string `json:"metric"`
			Value  json.RawMessage   `json:"value"`
			Values []json.RawMessage `json:"values"`
		} `json:"result"`
	} `json:"data"`
	Warnings []string `json:"warnings"`
}

// query asks, and returns how many series and points came. The answer must be whole.
func (p *process) query(path string) (series, points int, took time.Duration) {
	p.t.Helper()
	body, took := p.get(path)
	var m matrix
	require.NoError(p.t, json.Unmarshal(body, &m), "%.300s", body)
	require.Empty(p.t, m.Warnings, path)
	for _, r := range m.Data.Result {
		points += len(r.Values)
		if len(r.Value) > 0 {
			points++
		}
	}
	return len(m.Data.Result), points, took
}

// cpu is the processor time that the process has used, to the nanosecond: /proc counts
// hundredths of a second.
func (p *process) cpu() time.Duration {
	const clockOfProcess = 2 // CPUCLOCK_SCHED, of linux/posix-timers.h
	var now unix.Timespec
	require.NoError(p.t, unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|clockOfProcess), &now))
	return time.Duration(now.Nano())
}

// memory is a size from the process's status, in MB: RssAnon, VmRSS, or VmHWM.
func (p *process) memory(name string) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	require.NoError(p.t, err)
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name+":" {
			kib, err := strconv.Atoi(f[1])
			require.NoError(p.t, err)
			return float64(kib) * 1024 / 1e6
		}
	}
	require.Fail(p.t, "no "+name)
	return 0
}

// proxy is a proxy and where agents reach it.
type proxy struct {
	*process
	grpc string
}

func startProxy(t *testing.T) proxy {
	grpc, http := freeAddress(t), freeAddress(t)
	return proxy{grpc: grpc, process: start(t, http, "/health", exec.Command(os.Getenv(binaryVariable), "proxy",
		"--grpc-listen-addr", grpc, "--http-listen-addr", http, "--log-level", "error"))}
}
