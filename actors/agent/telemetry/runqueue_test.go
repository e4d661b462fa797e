package telemetry

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	runQueueSeconds = "fodc_node_process_run_queue_seconds_total"
	runQueuePart    = "run queue of the node's process"
)

// thread writes what a thread of process 300 has waited, in seconds.
func (h *hostWithNode) thread(id, waited int) {
	h.t.Helper()
	write(h.t, h.root, fmt.Sprintf("proc/300/task/%d/schedstat", id), fmt.Sprintf("7000000 %d000000000 5\n", waited))
}

// waited requires what the threads waited in all.
func (h *hostWithNode) waited(want float64, wantProblem string) {
	h.t.Helper()
	r := h.node.Read(readAt)
	got, ok := values(r.Samples)[runQueueSeconds]
	require.True(h.t, ok, "%v", r.Outcomes)
	require.Equal(h.t, want, got)
	require.Equal(h.t, wantProblem, problemOf(r, runQueuePart))
}

func problemOf(r Result, part string) string {
	for _, o := range r.Outcomes {
		if o.Part == part && o.Err != nil {
			return o.Err.Error()
		}
	}
	return ""
}

func TestRunQueueOfThreadsThatComeAndGo(t *testing.T) {
	h := newHostWithNode(t, "", "node")
	h.run(300, "node", 50, "S")
	h.thread(300, 4000)
	h.thread(301, 2000)
	h.waited(0, "")
	h.thread(300, 4003)
	h.waited(3, "")
	require.NoError(t, os.RemoveAll(filepath.Join(h.root, "proc/300/task/301")))
	h.thread(302, 5)
	h.waited(8, "")
	h.thread(300, 1) // it is another one now
	h.waited(9, "")
	// A restart of the node.
	h.end(300)
	h.run(300, "node", 70, "S")
	h.thread(300, 1)
	h.waited(0, "")
	h.thread(300, 2)
	h.waited(1, "")
}

func TestThreadThatCannotBeRead(t *testing.T) {
	h := newHostWithNode(t, "", "node")
	h.run(300, "node", 50, "S")
	h.thread(300, 1)
	for text, want := range map[string]string{
		"":                              "EOF",
		"1 2\n":                         `schedstat has 2 figures, 3 are expected: "1 2\n"`,
		"1 x 3\n":                       `schedstat has a figure that is no number: "1 x 3\n"`,
		"1 -2 3\n":                      `schedstat has a figure that is no number: "1 -2 3\n"`,
		"1 99999999999999999999999 3\n": `schedstat has a figure that is no number: "1 99999999999999999999999 3\n"`,
	} {
		write(t, h.root, "proc/300/task/301/schedstat", text)
		h.waited(0, want)
	}
	// What it waited when it could not be read is not known to be of now.
	h.thread(301, 900)
	h.waited(0, "")
	h.thread(301, 901)
	h.waited(1, "")
	require.NoError(t, os.Remove(filepath.Join(h.root, "proc/300/task/300/schedstat")))
	require.NoError(t, os.Remove(filepath.Join(h.root, "proc/300/task/301/schedstat")))
	r := h.node.Read(readAt)
	require.NotContains(t, values(r.Samples), runQueueSeconds)
	for _, o := range r.Outcomes {
		if o.Part == runQueuePart {
			require.ErrorIs(t, o.Err, fs.ErrNotExist, "a kernel that keeps none")
		}
	}
}

func TestTooManyThreads(t *testing.T) {
	h := newHostWithNode(t, "", "node")
	h.run(300, "node", 50, "S")
	for i := range maxThreads + 20 {
		h.thread(1000+i, 10)
	}
	tooMany := fmt.Sprintf("more than %d threads: the oldest %d are read", maxThreads, maxThreads)
	h.waited(0, tooMany)
	for i := range maxThreads + 20 {
		h.thread(1000+i, 11)
	}
	h.waited(maxThreads, tooMany)
	// Others that take the places of some that have ended may be old.
	for i := range 400 {
		require.NoError(t, os.RemoveAll(filepath.Join(h.root, "proc/300/task", strconv.Itoa(1000+i))))
	}
	h.waited(maxThreads, "")
	h.thread(2000, 3)
	h.waited(maxThreads+3, "")
}

// The kernel's own figures can be read, and grow while threads wait.
func TestRunQueueOfThisProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("it needs /proc")
	}
	q, r := newRunQueue(), samples{}
	pid := os.Getpid()
	if err := readRunQueue(&r, "/proc", q, pid, 1); err != nil {
		t.Skipf("this kernel keeps no such times: %v", err)
	}
	require.Positive(t, len(q.threads))
	for deadline := time.Now().Add(time.Minute); q.total.timeslices == 0; {
		require.True(t, time.Now().Before(deadline), "threads get a processor")
		runtime.Gosched()
		require.NoError(t, readRunQueue(&r, "/proc", q, pid, 1))
	}
}

func FuzzSchedstat(f *testing.F) {
	f.Add("1 2 3\n")
	f.Add("18446744073709551615 0 0")
	f.Add("1 2 3 4")
	f.Fuzz(func(t *testing.T, text string) {
		times, err := parseSchedstat(text)
		if err == nil {
			again, err := parseSchedstat(fmt.Sprintln(times.ran, times.waited, times.timeslices))
			require.NoError(t, err)
			require.Equal(t, times, again)
			require.Len(t, strings.Fields(text), 3)
		}
	})
}
