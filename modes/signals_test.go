package modes

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
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

func TestSecondSignalEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal, 2)
		var exits []int
		exit := func(code int) { exits = append(exits, code) }
		h := &signalHandler{log: zap.NewNop(), exit: exit}
		err := h.watch(t.Context(), signals, nil, func(ctx context.Context) error {
			synctest.Wait()
			require.NoError(t, ctx.Err())
			signals <- syscall.SIGTERM
			synctest.Wait()
			require.ErrorIs(t, ctx.Err(), context.Canceled)
			require.Empty(t, exits)
			signals <- syscall.SIGINT
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
		require.ErrorIs(t, h.watch(t.Context(), nil, nil, func(context.Context) error { return boom }), boom)
		// The bubble fails if a goroutine is left.
	})
}

func TestQuitDumpsAndEnds(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	var done []string
	h := &signalHandler{log: zap.New(core), dump: func() { done = append(done, "dump") },
		exit: func(code int) { done = append(done, "exit "+strconv.Itoa(code)) }}
	h.onOther(syscall.SIGQUIT)
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

// stubbornEnv makes the test binary run a mode that does not heed the first signal.
const stubbornEnv = "TEST_STUBBORN_MODE"

func TestStubbornMode(t *testing.T) {
	if os.Getenv(stubbornEnv) == "" {
		t.Skip("is run by TestSecondSignalEndsTheProcess")
	}
	os.Exit(Main([]string{programName, "proxy"}, os.Stdout, os.Stderr, Runners{
		Proxy: func(_ context.Context, _ ProxyConfig, p Program) error {
			p.Log.Info("running")
			select {}
		},
	}))
}

func TestSecondSignalEndsTheProcess(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestStubbornMode$")
	cmd.Env = append(os.Environ(), stubbornEnv+"=1")
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	signalAt := []string{"running", "told to stop"}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if len(signalAt) > 0 && strings.Contains(lines.Text(), signalAt[0]) {
			signalAt = signalAt[1:]
			require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		}
	}
	require.Empty(t, signalAt)
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	require.Equal(t, exitFailure, exit.ExitCode())
}
