//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// ownPIDs gives a process a namespace of process ids, in which it is the first one.
func ownPIDs(c *exec.Cmd) { c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWPID }

// The node is in a namespace of process ids, as in a container, and the agent is not.
func TestE2ENodeInANamespaceOfPIDs(t *testing.T) {
	tr := startTracer(t)
	file := filepath.Join(t.TempDir(), "file")
	for i, kill := range []bool{false, true} {
		n := startNode(t, ownPIDs)
		require.EqualValues(t, 1, n.first)
		n.do(t, "hold 20 %s", file)
		require.NoError(t, tr.Follow(n.pid()))
		n.do(t, "release")
		n.do(t, "sync fsync %s 10", file)
		n.do(t, "child sync fsync %s 10", file)
		require.EqualValues(t, 30*(i+1), countsOf(t, tr).Sync.count())
		want := Event{Kind: ProcessExit, PID: n.pid(), Comm: "exe"}
		if kill {
			require.NoError(t, n.Process.Kill())
			want.Signal = 9
		} else {
			n.tell(t, "exit 3")
			want.Code = 3
		}
		exit, told := nextEvent(t, tr, func(e Event) bool { return e.Kind == ProcessExit })
		want.At = exit.At
		require.Equal(t, want, exit)
		if kill {
			require.Len(t, told, 1)
			require.Equal(t, Event{Kind: ProcessSignal, At: told[0].At, PID: n.pid(), Comm: "exe", Signal: 9, Sender: SenderProcess,
				SenderPID: unix.Getpid(), SenderComm: strings.TrimSpace(readFile(t, "/proc/self/comm"))}, told[0])
		} else {
			require.Empty(t, told)
		}
	}
}

const (
	// insideVariable says that the test is the first process of a namespace of process ids, with a /proc of its own.
	insideVariable = "FODC_TEST_INSIDE"
	// hostProc is the /proc of outside then.
	hostProc = "/proc/self/fd/3"
)

// inside runs the test that calls it again as the first process of a namespace of process ids, and reports whether it is that one.
func inside(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideVariable) != "" {
		return true
	}
	needs(t, os.Geteuid() == 0 && os.Getenv(namespaceVariable) != "", "root and a mount namespace")
	self, err := os.Executable()
	require.NoError(t, err)
	proc, err := os.Open("/proc")
	require.NoError(t, err)
	defer proc.Close()
	c := exec.CommandContext(t.Context(), "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", self, "-test.run", "^"+t.Name()+"$", "-test.v")
	c.Env, c.ExtraFiles = append(os.Environ(), insideVariable+"=1"), []*os.File{proc}
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: "+t.Name())
	t.Logf("%s", out)
	return false
}

// hostPID is the id of a process outside.
func hostPID(t *testing.T, pid int) int {
	t.Helper()
	names, err := filepath.Glob(hostProc + "/[0-9]*/status")
	require.NoError(t, err)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // It has ended.
		}
		_, ids, _ := strings.Cut(string(text), "NSpid:")
		ids, _, _ = strings.Cut(ids, "\n")
		f := strings.Fields(ids)
		mine, err := os.Readlink(filepath.Join(filepath.Dir(name), "ns/pid"))
		if err != nil || mine != ownNamespace(t) || len(f) < 2 || f[len(f)-1] != strconv.Itoa(pid) {
			continue
		}
		outside, err := strconv.Atoi(f[0])
		require.NoError(t, err)
		return outside
	}
	require.Fail(t, "no such process outside", pid)
	return 0
}

func ownNamespace(t *testing.T) string {
	t.Helper()
	of, err := os.Readlink("/proc/self/ns/pid")
	require.NoError(t, err)
	return of
}

// The agent and the node are in a namespace of process ids together, as in a pod that shares it. Events have the ids of the host.
func TestE2EAgentInANamespaceOfPIDs(t *testing.T) {
	if !inside(t) {
		return
	}
	require.Equal(t, 1, os.Getpid())
	tr := startTracer(t)
	file := filepath.Join(t.TempDir(), "file")
	n := startNode(t)
	outside := hostPID(t, n.pid())
	require.NotEqual(t, outside, n.pid())
	n.do(t, "hold 20 %s", file)
	require.NoError(t, tr.Follow(n.pid()))
	n.do(t, "release")
	n.do(t, "sync fsync %s 10", file)
	n.do(t, "begin 20 4 %s", file)
	n.do(t, "child sync fsync %s 10", file)
	require.EqualValues(t, 50, countsOf(t, tr).Sync.count())
	require.NoError(t, unix.Kill(n.pid(), unix.SIGKILL))
	_ = n.Wait()
	exit, told := nextEvent(t, tr, func(e Event) bool { return e.Kind == ProcessExit })
	require.Equal(t, Event{Kind: ProcessExit, PID: outside, Comm: "exe", Signal: 9, At: exit.At}, exit)
	require.Len(t, told, 1)
	require.Equal(t, SenderProcess, told[0].Sender)
	require.Equal(t, outside, told[0].PID)
	require.Equal(t, hostPID(t, 1), told[0].SenderPID)
}

// A process that gets the id of the node that has died is another one, until it is followed.
func TestE2EProcessThatGetsTheIDOfTheNode(t *testing.T) {
	if !inside(t) {
		return
	}
	tr := startTracer(t)
	file := filepath.Join(t.TempDir(), "file")
	want := uint64(0)
	for range 20 {
		n := startNode(t)
		require.NoError(t, tr.Follow(n.pid()))
		n.do(t, "sync fsync %s 10", file)
		want += 10
		n.tell(t, "exit 3")
		_ = n.Wait()
		exit, told := nextEvent(t, tr, func(Event) bool { return true })
		require.Empty(t, told)
		require.Equal(t, 3, exit.Code)
		other := startNode(t, func(*exec.Cmd) {
			require.NoError(t, os.WriteFile("/proc/sys/kernel/ns_last_pid", fmt.Append(nil, n.pid()-1), 0))
		})
		if other.pid() != n.pid() {
			continue // A thread of this process was quicker.
		}
		other.do(t, "sync fsync %s 20", file)
		require.Equal(t, want, countsOf(t, tr).Sync.count())
		require.NoError(t, tr.Follow(other.pid()))
		other.do(t, "sync fsync %s 40", file)
		require.Equal(t, want+40, countsOf(t, tr).Sync.count())
		other.tell(t, "exit 4")
		exit, told = nextEvent(t, tr, func(Event) bool { return true })
		require.Empty(t, told)
		require.Equal(t, 4, exit.Code)
		return
	}
	require.Fail(t, "no process got the id of another")
}
