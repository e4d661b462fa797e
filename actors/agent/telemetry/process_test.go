package telemetry

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const startTime = "fodc_node_process_start_time_seconds"

// hostWithNode is a host in which processes come and go.
type hostWithNode struct {
	t    *testing.T
	root string
	node *Source
}

func newHostWithNode(t *testing.T, pidFile, name string) *hostWithNode {
	h := &hostWithNode{t: t, root: copyHost(t, "v2")}
	if pidFile != "" {
		pidFile = filepath.Join(h.root, pidFile)
	}
	h.node = newNodeProcess(h.root+"/proc", h.root+"/sys", pidFile, name)
	return h
}

// run starts a process so many seconds after the host.
func (h *hostWithNode) run(pid int, name string, second int, state string) {
	h.t.Helper()
	dir := fmt.Sprintf("proc/%d/", pid)
	write(h.t, h.root, dir+"comm", name+"\n")
	write(h.t, h.root, dir+"stat", fmt.Sprintf("%d (%s) %s 1 1 1 0 -1 0 %s %d00 900000 500%s\n", pid, name, state,
		"0 0 0 0 100 100 0 0 20 0 7 0", second, strings.Repeat(" 0", 28)))
}

func (h *hostWithNode) end(pid int) {
	h.t.Helper()
	require.NoError(h.t, os.RemoveAll(filepath.Join(h.root, "proc", fmt.Sprint(pid))))
}

// writePID writes the pid file, at the time.
func (h *hostWithNode) writePID(text string, at int64) {
	h.t.Helper()
	write(h.t, h.root, "node.pid", text)
	when := time.Unix(at, 0)
	require.NoError(h.t, os.Chtimes(filepath.Join(h.root, "node.pid"), when, when))
}

// started requires that a process is read that started so many seconds after the host.
func (h *hostWithNode) started(second float64) {
	h.t.Helper()
	r := h.node.Read(readAt)
	got, ok := values(r.Samples)[startTime]
	require.True(h.t, ok, "%v", r.Outcomes)
	require.Equal(h.t, 1.7e9+second, got)
}

// none requires that no process is read, for the reason.
func (h *hostWithNode) none(reason string) {
	h.t.Helper()
	r := h.node.Read(readAt)
	require.Empty(h.t, r.Samples)
	require.Len(h.t, r.Outcomes, 1)
	require.Equal(h.t, "node's process", r.Outcomes[0].Part)
	require.ErrorContains(h.t, r.Outcomes[0].Err, reason)
}

func TestNodeByPIDFile(t *testing.T) {
	h := newHostWithNode(t, "node.pid", "")
	h.none("no such file")
	h.run(300, "node", 50, "S")
	h.writePID("300\n", 1000)
	h.started(50)
	h.end(300)
	h.none("there is no process 300")
	// A restart: another id, or the same one with a new file.
	h.run(301, "node", 70, "S")
	h.writePID(" 301 \n", 1001)
	h.started(70)
	h.end(301)
	h.run(301, "node", 90, "R")
	h.writePID("301", 1002)
	h.started(90)
}

func TestPIDIsUsedAgain(t *testing.T) {
	h := newHostWithNode(t, "node.pid", "")
	h.run(300, "node", 50, "S")
	h.writePID("300\n", 1000)
	h.started(50)
	h.end(300)
	h.run(300, "cron", 60, "S") // whoever it is, it did not write the file
	h.none("process 300 of " + h.root + "/node.pid has ended: another one has its id")
	h.none("another one has its id")
	h.writePID("300\n", 1001)
	h.started(60)
}

func TestPIDFileWithName(t *testing.T) {
	h := newHostWithNode(t, "node.pid", "node")
	h.run(300, "cron", 50, "S")
	h.writePID("300\n", 1000)
	h.none("is called \"cron\", not node")
	h.run(300, "node", 50, "S")
	h.started(50)
}

func TestWrongPIDFiles(t *testing.T) {
	h := newHostWithNode(t, "node.pid", "")
	for _, text := range []string{"", "x", "-1", "0", "1 2", "99999999999999999999", strings.Repeat("1", 1000)} {
		h.writePID(text, 1000)
		h.none("has no process id, but ")
	}
	h.writePID("7", 1000)
	h.none("there is no process 7")
	require.NoError(t, os.Remove(filepath.Join(h.root, "node.pid")))
	require.NoError(t, os.Mkdir(filepath.Join(h.root, "node.pid"), 0o755))
	h.none("is no regular file")
}

func TestNodeByName(t *testing.T) {
	h := newHostWithNode(t, "", "node")
	h.none("no process is called node")
	h.run(300, "nodes", 10, "S")
	h.run(301, "nod", 10, "S")
	h.none("no process is called node")
	// Of several, the oldest.
	h.run(310, "node", 60, "S")
	h.run(309, "node", 60, "S")
	h.run(305, "node", 70, "S")
	h.run(304, "node", 5, "Z") // has ended
	h.started(60)
	// It stays the same while it lives.
	h.run(303, "node", 20, "S")
	h.started(60)
	h.end(309)
	h.started(20)
	// A new process with its id is another one.
	h.run(303, "cron", 80, "S")
	h.started(60) // 310
	h.end(310)
	h.started(70)
	h.end(305)
	h.none("no process is called node")
	h.run(303, "node", 90, "S")
	h.started(90)
}

func TestLongNames(t *testing.T) {
	f := func(want bool, comm, args, name string) {
		t.Helper()
		h := newHostWithNode(t, "", name)
		h.run(300, comm, 50, "S")
		write(t, h.root, "proc/300/cmdline", args)
		if want {
			h.started(50)
		} else {
			h.none("no process is called")
		}
	}
	f(true, "exactly-fifteen", "", "exactly-fifteen")
	f(true, "more-than-fifte", "/bin/more-than-fifteen\x00-x\x00", "more-than-fifteen")
	f(true, "more-than-fifte", "more-than-fifteen", "more-than-fifteen")
	f(false, "more-than-fifte", "/bin/more-than-fifty\x00", "more-than-fifteen")
	f(false, "more-than-fifte", "", "more-than-fifteen")
	f(false, "other", "/bin/more-than-fifteen\x00", "more-than-fifteen")
}

// The host's clock is set: the process has not been restarted by that.
func TestStartTimeStays(t *testing.T) {
	h := newHostWithNode(t, "", "node")
	h.run(300, "node", 50, "S")
	h.started(50)
	stat, err := os.ReadFile(filepath.Join(h.root, "proc/stat"))
	require.NoError(t, err)
	write(t, h.root, "proc/stat", strings.Replace(string(stat), "btime 1700000000", "btime 1700003600", 1))
	h.started(50)
}
