package proxy

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
)

func TestSilentRegistrationIsEnded(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		start := time.Now()
		s, err := w.client().RegisterAgent(t.Context())
		require.NoError(t, err)
		_, err = s.Recv()
		require.Equal(t, codes.DeadlineExceeded, code(err))
		require.Equal(t, firstFrameTimeout, time.Since(start))
	})
}

// So many registration streams may have a slow first frame, of which each could hold the larger
// part of a message in memory. The others are ended after a second.
func TestManySilentRegistrationsAreEndedSoon(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		const more = 200
		start := time.Now()
		var mu sync.Mutex
		ends := map[time.Duration]int{}
		for i := range maxSlowFirstFrames + more {
			if i%(maxStreamsPerConnection-1) == 0 {
				w.client()
			}
			s, err := wire.NewFODCServiceClient(w.conns[len(w.conns)-1]).RegisterAgent(t.Context())
			require.NoError(t, err)
			go func() {
				_, err := s.Recv()
				mu.Lock()
				defer mu.Unlock()
				if code(err) == codes.DeadlineExceeded {
					ends[time.Since(start)]++
				}
			}()
		}
		w.connect(columnar("n1")).beat()
		time.Sleep(firstFrameTimeout)
		synctest.Wait()
		require.Equal(t, map[time.Duration]int{slowFrameTimeout: more, firstFrameTimeout: maxSlowFirstFrames}, ends)
		require.Equal(t, map[string]messages.Status{"n1": "online"}, w.statuses())
	})
}

// A peer that sends nothing does not delay a stop.
func TestStopEndsSilentRegistrations(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		s, err := w.client().RegisterAgent(t.Context())
		require.NoError(t, err)
		synctest.Wait()
		require.Zero(t, w.stopTakes())
		_, err = s.Recv()
		require.Equal(t, codes.Unavailable, code(err))
	})
}
