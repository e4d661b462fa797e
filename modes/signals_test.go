package modes

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestSignalsThatStop(t *testing.T) {
	begin := time.Now()
	var s stopSignals
	for _, step := range []struct {
		after time.Duration
		want  stopReaction
	}{
		{0, stopInOrder},
		{0, ignoreCopy},
		{time.Millisecond, ignoreCopy},
		{secondSignalAfter - 1, ignoreCopy},
		{secondSignalAfter, endAtOnce},
		{time.Hour, endAtOnce},
	} {
		require.Equal(t, step.want, s.received(begin.Add(step.after)), step.after)
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ending := make(chan os.Signal, 1)
		var exits []int
		exit := func(code int) { exits = append(exits, code) }
		h := &signalHandler{log: zap.NewNop(), exit: exit}
		err := h.watch(t.Context(), signals{ending: ending}, func(ctx context.Context) error {
			synctest.Wait()
			require.NoError(t, ctx.Err())
			ending <- syscall.SIGTERM
			synctest.Wait()
			require.ErrorIs(t, ctx.Err(), context.Canceled)
			ending <- syscall.SIGTERM // a copy
			synctest.Wait()
			require.Empty(t, exits)
			time.Sleep(secondSignalAfter)
			ending <- syscall.SIGINT
			synctest.Wait()
			require.Equal(t, []int{exitFailure}, exits)
			return nil
		})
		require.NoError(t, err)
	})
}

func TestNoSignalLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		h := &signalHandler{log: zap.NewNop(), exit: func(int) { t.Error("exit") }}
		require.ErrorIs(t, h.watch(t.Context(), signals{}, func(context.Context) error { return boom }), boom)
		// The bubble fails if a goroutine is left.
	})
}

func TestQuitDumpsAndEnds(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	var done []string
	h := &signalHandler{log: zap.New(core), dump: func() { done = append(done, "dump") },
		exit: func(code int) { done = append(done, "exit "+strconv.Itoa(code)) }}
	h.onEnding(syscall.SIGQUIT, func() { t.Error("stop") })
	require.Equal(t, []string{"dump", "exit 2"}, done)
	require.Equal(t, 1, logs.FilterMessageSnippet("ending at once").Len())
}

func TestHangupReloadsAndOthersDoNothing(t *testing.T) {
	reloads := 0
	h := &signalHandler{log: zap.NewNop(), reload: func() { reloads++ }, exit: func(int) { t.Error("exit") }}
	h.onOther(syscall.SIGHUP)
	require.Equal(t, 1, reloads)
	for _, s := range ignoredSignals() {
		h.onOther(s)
	}
	require.Equal(t, 1, reloads)
}

func TestDumpHasAllGoroutines(t *testing.T) {
	var b bytes.Buffer
	dumpGoroutines(&b)
	require.True(t, strings.HasPrefix(b.String(), "SIGQUIT: quit\n\ngoroutine "), b.String())
	require.Contains(t, b.String(), "modes.TestDumpHasAllGoroutines")
	require.Contains(t, b.String(), "testing.(*T).Run") // by another goroutine
}

func TestSignalsThatNobodyHandlesDoNotDisplaceOneThatEnds(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process of Windows cannot send itself a signal")
	}
	defer signal.Reset()
	received := receiveSignals()
	self, err := os.FindProcess(os.Getpid())
	require.NoError(t, err)
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGABRT, syscall.SIGHUP, syscall.SIGQUIT} {
		require.NoError(t, self.Signal(s))
	}
	require.Equal(t, syscall.SIGQUIT, <-received.ending)
}

// stuckWriter is a pipe that nobody reads.
type stuckWriter struct{ release chan struct{} }

func (w stuckWriter) Write([]byte) (int, error) {
	<-w.release
	return 0, errors.New("released")
}

func TestDumpDoesNotWaitForItsReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stuckWriter{make(chan struct{})}
		begin := time.Now()
		dumpGoroutines(w)
		require.Equal(t, dumpTimeout, time.Since(begin))
		close(w.release)
	})
}

// modeEnv makes the test binary run the mode of that name.
const modeEnv = "TEST_MODE"

// testModes heed signals as the name says. They write "running" to stdout.
var testModes = map[string]func(context.Context, ProxyConfig, Program) error{
	"stubborn": func(context.Context, ProxyConfig, Program) error {
		fmt.Println("running")
		select {}
	},
	"obedient": func(ctx context.Context, _ ProxyConfig, _ Program) error {
		fmt.Println("running")
		<-ctx.Done()
		return nil
	},
}

func TestMode(t *testing.T) {
	mode := testModes[os.Getenv(modeEnv)]
	if mode == nil {
		t.Skip("is run by the tests of whole processes")
	}
	os.Exit(Main([]string{programName, "proxy"}, os.Stdout, os.Stderr, Runners{Proxy: mode}))
}

// startMode starts a process with one of testModes, and returns when it runs.
func startMode(t *testing.T, mode string, stderr io.Writer) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMode$")
	cmd.Env = append(os.Environ(), modeEnv+"="+mode)
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "running\n", line)
	return cmd
}

// signalUntilEnd sends the signals again and again until the process has ended, and returns
// its exit code; -1 says that a signal has killed it.
func signalUntilEnd(t *testing.T, cmd *exec.Cmd, signals ...syscall.Signal) int {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	for {
		select {
		case <-ended:
			return cmd.ProcessState.ExitCode()
		case <-time.After(time.Millisecond):
			for _, s := range signals {
				_ = cmd.Process.Signal(s) // It fails if the process has just ended.
			}
		}
	}
}

func TestSecondSignalEndsTheProcess(t *testing.T) {
	var stderr bytes.Buffer
	cmd := startMode(t, "stubborn", &stderr)
	require.Equal(t, exitFailure, signalUntilEnd(t, cmd, syscall.SIGTERM))
	require.Equal(t, 1, strings.Count(stderr.String(), "told to stop"))
	require.Contains(t, stderr.String(), "by a second signal")
}

// A process flushes its log last. Until then no other signal ends it: the pipe that nobody
// reads makes that take as long as it may.
func TestOtherSignalsDoNotEndTheFlushOfTheLog(t *testing.T) {
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	defer func() { require.NoError(t, reader.Close()) }()
	defer func() { require.NoError(t, writer.Close()) }()
	require.NoError(t, writer.SetWriteDeadline(time.Now().Add(10*time.Millisecond)))
	_, err = writer.Write(make([]byte, 1<<20))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	cmd := startMode(t, "obedient", writer)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.Equal(t, exitClean, signalUntilEnd(t, cmd, syscall.SIGHUP, syscall.SIGABRT))
}
