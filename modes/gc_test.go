package modes

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
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

func TestProxyHeapLimit(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "")
	limit, _, err := memoryLimit("/")
	require.NoError(t, err)
	var got []int64
	set := func(bytes int64) { got = append(got, bytes) }
	limitProxyHeap(set)
	require.Len(t, got, 1)
	require.InEpsilon(t, 0.9*float64(limit), got[0], 0.001)
	t.Setenv("GOMEMLIMIT", "1GiB")
	limitProxyHeap(set)
	require.Len(t, got, 1)
}
