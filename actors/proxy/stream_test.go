package proxy

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A handler returns when its stream has ended and nothing is sent any more: gRPC forbids to
// send on a stream whose handler has returned.
func TestAHandlerWaitsForWhatIsSent(t *testing.T) {
	f := func(each time.Duration, frames int, end func(s *stream[int], cut context.CancelFunc), want time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			ctx, cut := context.WithCancel(t.Context())
			defer cut()
			var sent []int
			s := newStream(ctx, 9, func(n int) error {
				time.Sleep(each)
				sent = append(sent, n) // A race if wait returns too early.
				return nil
			})
			var queued []int
			for n := range frames {
				require.True(t, s.out.Offer(n))
				queued = append(queued, n)
			}
			start := time.Now()
			time.AfterFunc(time.Minute, func() { end(s, cut) })
			s.wait()
			require.Equal(t, queued, sent)
			require.Equal(t, time.Minute+want, time.Since(start))
			require.False(t, s.out.Offer(0))
		})
	}
	ends := []func(*stream[int], context.CancelFunc){
		func(s *stream[int], _ context.CancelFunc) { s.close(nil) },
		func(s *stream[int], _ context.CancelFunc) { s.close(errLost) },
		func(_ *stream[int], cut context.CancelFunc) { cut() },
	}
	for _, end := range ends {
		f(0, 0, end, 0)
		f(time.Second, 9, end, 0)
		f(21*time.Second, 3, end, 3*time.Second) // Longer than the flush timeout.
		f(time.Minute, 2, end, time.Minute)
	}
}
