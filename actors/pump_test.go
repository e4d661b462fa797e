package actors_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"fodc/actors"
	"fodc/actors/actorstest"

	"github.com/stretchr/testify/require"
)

// script is a stream that gives numbers, then an error.
func script(frames int, err error) func() (int, error) {
	n := 0
	return func() (int, error) {
		if n++; n > frames {
			return 0, err
		}
		return n, nil
	}
}

func TestReadPumpEndsWithStreamClosed(t *testing.T) {
	ended, cancel := context.WithCancelCause(context.Background())
	cancel(errCause)
	f := func(ctx context.Context, frames int, err, want error) {
		t.Helper()
		actorstest.Run(t, func(t *testing.T, sys *actors.System) {
			probe := actorstest.NewProbe(sys)
			id := actors.NextStreamID()
			actors.ReadPump(ctx, sys, probe.PID, id, actors.NewCredits(10), script(frames, err))
			synctest.Wait()
			var wanted []any
			for n := range frames {
				if ctx.Err() == nil {
					wanted = append(wanted, actors.Frame[int]{Stream: id, Body: n + 1})
				}
			}
			require.Equal(t, append(wanted, actors.StreamClosed{Stream: id, Err: want}), probe.Messages())
		})
	}
	live := context.Background()
	f(live, 0, io.EOF, io.EOF)
	f(live, 3, io.EOF, io.EOF)
	f(live, 3, errCause, errCause)
	f(ended, 3, io.EOF, errCause)
}

func TestReadPumpTakesACreditForEachFrame(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		probe := actorstest.NewProbe(sys)
		credits := actors.NewCredits(3)
		ctx, cancel := context.WithCancelCause(t.Context())
		received, done := 0, make(chan struct{})
		go func() {
			defer close(done)
			actors.ReadPump(ctx, sys, probe.PID, 1, credits, func() (int, error) { received++; return received, nil })
		}()
		f := func(returned, wantNew int) {
			t.Helper()
			for range returned {
				credits.Return()
			}
			synctest.Wait()
			require.Len(t, probe.Messages(), wantNew)
		}
		f(0, 3)
		f(1, 1)
		f(2, 2)
		f(0, 0)
		require.Equal(t, 6, received, "nothing is read without a credit")
		cancel(errCause) // It waits for a credit.
		<-done
		synctest.Wait()
		require.Equal(t, []any{actors.StreamClosed{Stream: 1, Err: errCause}}, probe.Messages())
	})
}

func TestCreditsThatWereNotTakenAreDropped(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		probe := actorstest.NewProbe(sys)
		credits := actors.NewCredits(2)
		for range 10 {
			credits.Return()
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go actors.ReadPump(ctx, sys, probe.PID, 1, credits, script(10, io.EOF))
		synctest.Wait()
		require.Len(t, probe.Messages(), 2)
	})
}

// The actor that would return the credits is no more.
func TestReadPumpEndsWithItsActor(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		probe := actorstest.NewProbe(sys)
		done := make(chan struct{})
		go func() {
			defer close(done)
			actors.ReadPump(context.Background(), sys, probe.PID, 1, actors.NewCredits(1), script(10, io.EOF))
		}()
		synctest.Wait()
		require.NoError(t, sys.Stop(t.Context(), probe.PID))
		<-done
		require.Len(t, probe.Messages(), 1)
	})
}

func TestStreamIDsDiffer(t *testing.T) {
	require.NotZero(t, actors.NextStreamID())
	require.NotEqual(t, actors.NextStreamID(), actors.NextStreamID())
}

func TestPumpsNeedRoom(t *testing.T) {
	require.PanicsWithValue(t, "0 credits: at least 1 is needed to read a frame", func() { actors.NewCredits(0) })
	require.PanicsWithValue(t, "an outbox of 0: at least 1 is needed to queue a value", func() { actors.NewOutbox(0, (&written{}).send) })
}

// written is a stream that notes what it is sent.
type written struct {
	got  []int
	err  error         // after three
	lag  time.Duration // each
	busy atomic.Bool
}

func (w *written) send(v int) error {
	if !w.busy.CompareAndSwap(false, true) {
		return errSecondCall
	}
	defer w.busy.Store(false)
	time.Sleep(w.lag)
	if w.err != nil && len(w.got) == 3 {
		return w.err
	}
	w.got = append(w.got, v)
	return nil
}

var errSecondCall = errors.New("two calls at once")

// isDone reports whether the outbox is closed and has written all.
func isDone(o *actors.Outbox[int]) bool {
	select {
	case <-o.Done():
		return true
	default:
		return false
	}
}

func TestOutboxIsFullOrClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &written{lag: time.Second}
		o := actors.NewOutbox(2, w.send)
		require.True(t, o.Offer(1))
		synctest.Wait() // It is being written.
		require.True(t, o.Offer(2))
		require.True(t, o.Offer(3))
		require.False(t, o.Offer(4), "full")
		time.Sleep(1500 * time.Millisecond)
		require.True(t, o.Offer(5))
		require.False(t, o.Offer(6), "full again")
		o.Close()
		o.Close()
		require.False(t, o.Offer(7), "closed")
		require.False(t, isDone(o))
		<-o.Done()
		require.NoError(t, o.Err())
		require.Equal(t, []int{1, 2, 3, 5}, w.got, "what was queued is still sent")
		require.False(t, o.Offer(8), "closed")
	})
}

func TestOutboxThatIsClosedIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &written{}
		o := actors.NewOutbox(2, w.send)
		for n := range 3 {
			require.True(t, o.Offer(n))
			synctest.Wait()
			require.Len(t, w.got, n+1)
			require.False(t, isDone(o))
		}
		o.Close()
		require.True(t, isDone(o))
		require.False(t, o.Offer(3), "closed")
	})
}

func TestOutboxWritesInOrderUntilClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &written{lag: time.Second}
		o := actors.NewOutbox(100, w.send)
		for n := range 3 {
			require.True(t, o.Offer(n))
		}
		time.Sleep(time.Minute)
		require.True(t, o.Offer(3))
		o.Close()
		<-o.Done()
		require.Equal(t, []int{0, 1, 2, 3}, w.got)
	})
}

func TestOutboxEndsWhenItCannotWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errWrite := errors.New("write")
		w := &written{lag: time.Second, err: errWrite}
		o := actors.NewOutbox(10, w.send)
		for n := range 10 {
			require.True(t, o.Offer(n))
		}
		<-o.Done()
		require.Equal(t, errWrite, o.Err())
		require.Len(t, w.got, 3)
		require.False(t, o.Offer(10))
		o.Close()
		require.Equal(t, errWrite, o.Err())
	})
}

// What was written is garbage, though more is queued behind it.
func TestOutboxKeepsNothingThatWasWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := actors.NewOutbox(3, func(*[1 << 10]int) error {
			time.Sleep(time.Second)
			return nil
		})
		var offered [3]weak.Pointer[[1 << 10]int]
		for i := range offered {
			frame := new([1 << 10]int)
			offered[i] = weak.Make(frame)
			require.True(t, o.Offer(frame))
		}
		time.Sleep(2500 * time.Millisecond) // The last one is being written.
		runtime.GC()
		kept := offered[0].Value() != nil || offered[1].Value() != nil
		o.Close()
		<-o.Done()
		require.False(t, kept)
	})
}

// Offer and Close at once: whatever was accepted is written, and nothing else.
func TestOutboxClosedWhileItIsOffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			w, accepted := &written{}, make(chan int)
			o := actors.NewOutbox(4, w.send)
			for range 3 {
				go func() {
					n := 0
					for range 20 {
						if o.Offer(1) {
							n++
						}
					}
					accepted <- n
				}()
			}
			go o.Close()
			total := <-accepted + <-accepted + <-accepted
			<-o.Done()
			require.NoError(t, o.Err())
			require.Len(t, w.got, total)
		}
	})
}
