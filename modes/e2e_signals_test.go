//go:build e2e && linux

package modes_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// endings are the signals that end a process, and its exit code; -1 is none.
var endings = map[syscall.Signal]int{syscall.SIGINT: 0, syscall.SIGTERM: 0, syscall.SIGQUIT: 2, syscall.SIGKILL: -1}

// suspending signals stop a process until SIGCONT.
var suspending = []syscall.Signal{syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU}

// logFile is a log that can be read at any time.
func logFile(t *testing.T) (out *os.File, read func() string) {
	t.Helper()
	out, err := os.CreateTemp(t.TempDir(), "log")
	require.NoError(t, err)
	return out, func() string {
		text, err := os.ReadFile(out.Name())
		require.NoError(t, err)
		return string(text)
	}
}

// TestE2EOnlyAStopEndsARecorder sends every signal that there is.
func TestE2EOnlyAStopEndsARecorder(t *testing.T) {
	t.Parallel()
	inEachMode(t, func(t *testing.T, start func(*os.File, ...string) *recorder) {
		out, log := logFile(t)
		r := start(out, "--log-level", "debug")
		before, _ := cluster(t, r.cluster)
		samples := "fodc_agent_recorded_samples_total"
		var recorded float64
		if r.mode != "proxy" {
			recorded = reading(t, r.process, samples)
		}
		for s := syscall.Signal(1); s <= 31; s++ {
			if _, ends := endings[s]; ends {
				continue
			}
			require.NoError(t, r.cmd.Process.Signal(s), "%d: %s", s, s)
			if slices.Contains(suspending, s) {
				r.kill(syscall.SIGCONT)
			}
			for range 3 {
				status, _, _, err := get(r.http, "/health")
				require.NoError(t, err, "after signal %d: %s", s, s)
				require.Equal(t, http.StatusOK, status)
			}
		}
		if r.mode == "proxy" {
			require.Contains(t, log(), "nothing to read again at SIGHUP")
		} else {
			require.Contains(t, log(), `"msg":"read again at SIGHUP"`, "the rules")
		}
		after, _ := cluster(t, r.cluster)
		require.Len(t, after, 1)
		require.Equal(t, "online", after[0].Status)
		require.Equal(t, before[0].AgentID, after[0].AgentID, "its session is the same")
		if r.mode != "proxy" {
			eventually(t, samples, func() error {
				if now := reading(t, r.process, samples); now <= recorded {
					return fmt.Errorf("it is still %g", now)
				}
				return nil
			})
		}
		r.requireClean(t)
	})
}

func TestE2ESignalsThatEnd(t *testing.T) {
	t.Parallel()
	for s, want := range endings {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			inEachMode(t, func(t *testing.T, start func(*os.File, ...string) *recorder) {
				out, log := logFile(t)
				r := start(out)
				r.kill(s)
				code, took := r.exitCode(patience)
				require.Equal(t, want, code, log())
				require.Less(t, took, stopLimit)
				if s == syscall.SIGQUIT {
					require.Regexp(t, `(?s)ending at once, with all goroutines.*SIGQUIT: quit\n\ngoroutine .*fodc/modes\.`, log())
				}
			})
		})
	}
}

// A dump that nobody reads does not keep the process.
func TestE2EQuitWithALogThatStandsStill(t *testing.T) {
	t.Parallel()
	inEachMode(t, func(t *testing.T, start func(*os.File, ...string) *recorder) {
		_, writer := fullPipe(t)
		r := start(writer)
		r.kill(syscall.SIGQUIT)
		code, took := r.exitCode(patience)
		require.Equal(t, 2, code)
		require.Less(t, took, stopLimit)
	})
}
