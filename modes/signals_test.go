package modes

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

func TestSecondSignalEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal, 2)
		var exits []int
		exit := func(code int) { exits = append(exits, code) }
		err := watched(t.Context(), zap.NewNop(), signals, exit, func(ctx context.Context) error {
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
		exit := func(int) { t.Error("exit") }
		require.ErrorIs(t, watched(t.Context(), zap.NewNop(), nil, exit, func(context.Context) error { return boom }), boom)
		// The bubble fails if a goroutine is left.
	})
}

// stubbornEnv makes the test binary run a mode that does not heed the first signal.
const stubbornEnv = "TEST_STUBBORN_MODE"

func TestStubbornMode(t *testing.T) {
	if os.Getenv(stubbornEnv) == "" {
		t.Skip("is run by TestSecondSignalEndsTheProcess")
	}
	os.Exit(Main([]string{programName, "proxy"}, os.Stdout, os.Stderr, Runners{
		Proxy: func(_ context.Context, _ ProxyConfig, log *zap.Logger) error {
			log.Info("running")
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
