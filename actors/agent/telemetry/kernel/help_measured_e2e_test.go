//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// samplesOf are the samples of one reading of a tracer, by name and labels.
func samplesOf(t *testing.T, tr *Tracer) map[string]float64 {
	t.Helper()
	result := tr.Source().Read(time.Now())
	for _, o := range result.Outcomes {
		require.NoError(t, o.Err)
	}
	values := map[string]float64{}
	for _, s := range result.Samples {
		name := s.Name + s.Suffix.String()
		for _, l := range s.Labels {
			name += fmt.Sprintf(",%s=%s", l.Name, l.Value)
		}
		values[name] = s.Value
	}
	return values
}

// ofTheNode keeps the samples that are of the node's process alone.
func ofTheNode(samples map[string]float64) map[string]float64 {
	of := map[string]float64{}
	for name, value := range samples {
		if strings.HasPrefix(name, "fodc_node_") && !strings.Contains(name, "by=kernel") && !strings.HasPrefix(name, "fodc_node_tcp_") {
			of[name] = value
		}
	}
	return of
}

// rest stops a process, so that none of its threads runs until it is told to go on. Nothing is left then to be counted of it.
func (n *testNode) rest(t *testing.T, tr *Tracer) map[string]float64 {
	t.Helper()
	require.NoError(t, unix.Kill(n.pid(), unix.SIGSTOP))
	require.Eventually(t, func() bool {
		names, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", n.pid()))
		require.NoError(t, err)
		for _, name := range names {
			if text, err := os.ReadFile(name); err == nil && !strings.Contains(string(text), ") T ") {
				return false
			}
		}
		return len(names) > 0
	}, patience, time.Millisecond)
	last := ofTheNode(samplesOf(t, tr))
	require.Eventually(t, func() bool { // Its last switch comes after it is said to be stopped.
		now := ofTheNode(samplesOf(t, tr))
		same := fmt.Sprint(now) == fmt.Sprint(last)
		last = now
		return same
	}, patience, 10*time.Millisecond)
	return last
}

func (n *testNode) goOn(t *testing.T) {
	t.Helper()
	require.NoError(t, unix.Kill(n.pid(), unix.SIGCONT))
}

// runQueue is what the scheduler says of the threads that a process has: how long they could run and did not, and how often they were run.
func runQueue(t *testing.T, pid int) (waited time.Duration, times uint64) {
	t.Helper()
	names, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		f := strings.Fields(readFile(t, name))
		require.Len(t, f, 3)
		ns, err := strconv.ParseInt(f[1], 10, 64)
		require.NoError(t, err)
		n, err := strconv.ParseUint(f[2], 10, 64)
		require.NoError(t, err)
		waited += time.Duration(ns)
		times += n
	}
	return waited, times
}
