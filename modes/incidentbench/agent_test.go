//go:build bench && linux

package incidentbench

import (
	"bytes"
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

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const (
	// binaryVariable names the program, see the Makefile.
	binaryVariable = "FODC_BENCH_BINARY"
	// patience bounds the wait for a process.
	patience = time.Minute
	// watchInterval is how often memory is looked at.
	watchInterval = 5 * time.Millisecond
)

// agent is an agent as a process.
type agent struct {
	t    *testing.T
	pid  int
	addr string // of its HTTP server
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// start runs the command until the test ends.
func start(t *testing.T, cmd *exec.Cmd) int {
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

func startAgent(t *testing.T, n *node, more ...string) *agent {
	a := &agent{t: t, addr: freeAddress(t)}
	a.pid = start(t, exec.Command(os.Getenv(binaryVariable), append([]string{"agent", "--proxy-addr", "127.0.0.1:1", "--node-id", nodeID,
		"--node-role", "liaison", "--metrics-endpoint", n.metrics(), "--prometheus-listen-addr", a.addr, "--log-level", "error",
		"--pprof-endpoint", "http://" + n.addr, "--node-pid-file", n.pidFile, "--node-log-file", n.logFile, "--data-dir", n.dir}, more...)...))
	require.Eventually(t, func() bool {
		_, err := http.Get("http://" + a.addr + "/health")
		return err == nil
	}, patience, 5*time.Millisecond, "the agent does not come up")
	return a
}

// awaitPast waits until the agent has what was recorded before.
func (a *agent) awaitPast() {
	require.Eventually(a.t, func() bool { return strings.Contains(string(a.get("/health")), `"state":"writing"`) }, patience, 20*time.Millisecond)
}

// do sends a request, and returns the answer's body. It must be a success.
func (a *agent) do(method, path, body string) []byte {
	req, err := http.NewRequest(method, "http://"+a.addr+path, strings.NewReader(body))
	require.NoError(a.t, err)
	req.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(req)
	require.NoError(a.t, err)
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	require.NoError(a.t, err)
	require.Less(a.t, answer.StatusCode, 300, "%s %s: %.300s", method, path, got)
	return got
}

func (a *agent) get(path string) []byte { return a.do(http.MethodGet, path, "") }

// open opens an incident, and returns its id, and the processor time that the process had used before.
func (a *agent) open(before, after time.Duration) (id string, begin float64) {
	require.Equal(a.t, "[]", string(bytes.TrimSpace(a.get("/incidents"))), "a rule has fired")
	begin = a.cpu()
	answer := a.do(http.MethodPost, "/incidents", fmt.Sprintf(`{"reason":"the benchmark","before":"%s","after":"%s"}`, before, after))
	opened, err := messages.ParseIncident(answer)
	require.NoError(a.t, err)
	return opened.ID, begin
}

// incidents returns the list. Its entries are short forms of incidents.
func (a *agent) incidents() (list []struct{ ID string }) {
	require.NoError(a.t, json.Unmarshal(a.get("/incidents"), &list))
	return list
}

// awaitWhole waits until an incident is frozen. It must have all of its evidence.
func (a *agent) awaitWhole(id string) {
	var doc messages.Incident
	require.Eventually(a.t, func() bool {
		var err error
		doc, err = messages.ParseIncident(a.get("/incidents/" + id))
		require.NoError(a.t, err)
		return doc.State != messages.IncidentOpen
	}, patience, 20*time.Millisecond)
	var have []string
	for _, f := range doc.Nodes[0].Files {
		have = append(have, f.Path)
	}
	for _, want := range []string{"profiles/heap.pb.gz", "profiles/cpu.pb.gz", "profiles/goroutine.txt", "process/threads.txt", "logs/node.log", "window.journal"} {
		require.Contains(a.t, have, doc.Nodes[0].Dir+"/"+want, "%v", doc.Nodes[0].Missing)
	}
}

// ask asks for what a person does.
func (a *agent) ask(id string) {
	a.get("/incidents/" + id + "/changes")
	a.get("/incidents/" + id + "/bundle")
}

// remove removes all incidents: each round has the same.
func (a *agent) remove() {
	for _, i := range a.incidents() {
		a.do(http.MethodDelete, "/incidents/"+i.ID, "")
	}
}

// cpu is the processor time that the process has used, in ms.
func (a *agent) cpu() float64 {
	const clockOfProcess = 2 // CPUCLOCK_SCHED, of linux/posix-timers.h
	var now unix.Timespec
	require.NoError(a.t, unix.ClockGettime(int32(^a.pid<<3|clockOfProcess), &now))
	return float64(now.Nano()) / float64(time.Millisecond)
}

// watch looks at the process's anonymous memory until the result is called, which returns all that was seen, in MB.
func (a *agent) watch() (end func() []float64) {
	stop, all := make(chan struct{}), make(chan []float64, 1)
	go func() {
		var seen []float64
		ticker := time.NewTicker(watchInterval)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				all <- seen
				return
			case <-ticker.C:
				seen = append(seen, anonymous(a.pid))
			}
		}
	}()
	return func() []float64 {
		close(stop)
		return <-all
	}
}

// anonymous is the resident memory of a process that is not of files, in MB; 0: it has ended.
func anonymous(pid int) float64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "RssAnon:" {
			kib, _ := strconv.Atoi(f[1])
			return float64(kib) * 1024 / 1e6
		}
	}
	return 0
}
