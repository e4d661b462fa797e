package modes

import (
	"runtime/debug"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCaptureGC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		live := uint64(8 << 20)
		var percent atomic.Int64
		g := &captureGC{setGCPercent: func(p int) { percent.Store(int64(p)) }, live: func() uint64 { return live }}
		after := func(d time.Duration, want int) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			require.EqualValues(t, want, percent.Load())
		}
		g.capturing()
		after(captureTime-time.Second, agentGCPercent+25)
		live = 200 << 20
		g.capturing()
		after(captureTime-time.Second, agentGCPercent+1)
		after(2*time.Second, agentGCPercent)
		live = 0
		g.capturing()
		after(0, agentGCPercent+100)
		g.end()
		after(0, agentGCPercent)
		g.capturing()
		after(time.Hour, agentGCPercent)
	})
}

func TestLiveHeap(t *testing.T) {
	debug.FreeOSMemory()
	require.Greater(t, liveHeap(), uint64(100<<10))
}

func TestNoCaptureGC(t *testing.T) {
	t.Setenv("GOGC", "50")
	g := startCaptureGC()
	require.Nil(t, g)
	g.capturing()
	g.end()
}
