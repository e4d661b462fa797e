package modes

import (
	"context"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

func TestTrimMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		trims, done := 0, make(chan struct{})
		go func() {
			trimMemory(ctx, time.Minute, func() { trims++ })
			close(done)
		}()
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		require.Equal(t, 10, trims)
		cancel()
		<-done
		time.Sleep(10 * time.Minute)
		require.Equal(t, 10, trims)
	})
}

// A proxy that is alone in its process keeps to the memory limit as long as it runs, unless
// GOMEMLIMIT says another.
func TestProxyHeapLimit(t *testing.T) {
	limit, _, err := memoryLimit()
	require.NoError(t, err)
	before := debug.SetMemoryLimit(-1)
	f := func(variable string, alone bool, want float64) {
		t.Helper()
		t.Setenv("GOMEMLIMIT", variable)
		c := defaultProxy
		c.GRPCListenAddr, c.HTTPListenAddr = "127.0.0.1:0", "127.0.0.1:0"
		sys := actors.NewSystem(zap.NewNop())
		p, err := startProxy(sys, c, Program{Log: zap.NewNop()}, alone)
		require.NoError(t, err)
		require.InEpsilon(t, want, debug.SetMemoryLimit(-1), 0.001)
		p.abandon()
		sys.Shutdown()
		require.Equal(t, before, debug.SetMemoryLimit(-1))
	}
	f("", true, 0.9*float64(limit))
	f("", false, float64(before))
	f("1GiB", true, float64(before))
}
