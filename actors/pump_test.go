package actors_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

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
	require.PanicsWithValue(t, "an outbox of 0: at least 1 is needed to queue a value", func() { actors.NewOutbox[int](0) })
}

// written is a stream that notes what it is sent.
type written struct {
	got []int
	err error         // after three
	lag time.Duration // each
}

func (w *written) send(v int) error {
	time.Sleep(w.lag)
	if w.err != nil && len(w.got) == 3 {
		return w.err
	}
	w.got = append(w.got, v)
	return nil
}

func TestOutboxIsFullOrClosed(t *testing.T) {
	o := actors.NewOutbox[int](2)
	require.True(t, o.Offer(1))
	require.True(t, o.Offer(2))
	require.False(t, o.Offer(3), "full")
	o.Close()
	o.Close()
	w, sent := &written{}, 0
	require.NoError(t, o.Run(t.Context(), w.send, func() { sent++ }))
	require.Equal(t, []int{1, 2}, w.got, "what was queued is still sent")
	require.Equal(t, 2, sent)
	require.False(t, o.Offer(4), "closed")
}

func TestOutboxWritesInOrderUntilClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := actors.NewOutbox[int](100)
		w, done := &written{lag: time.Second}, make(chan error)
		go func() { done <- o.Run(context.Background(), w.send, nil) }()
		for n := range 3 {
			require.True(t, o.Offer(n))
		}
		time.Sleep(time.Minute)
		require.True(t, o.Offer(3))
		o.Close()
		require.NoError(t, <-done)
		require.Equal(t, []int{0, 1, 2, 3}, w.got)
	})
}

func TestOutboxEndsWhenItCannotWrite(t *testing.T) {
	f := func(w *written, after time.Duration, wantErr error, wantGot int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			o := actors.NewOutbox[int](10)
			for n := range 10 {
				require.True(t, o.Offer(n))
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(after, func() { cancel(errCause) })
			sent := 0
			require.Equal(t, wantErr, o.Run(ctx, w.send, func() { sent++ }))
			require.Len(t, w.got, wantGot)
			require.Equal(t, wantGot, sent)
		})
	}
	errWrite := errors.New("write")
	f(&written{lag: time.Second, err: errWrite}, time.Hour, errWrite, 3)
	f(&written{lag: time.Second}, 4500*time.Millisecond, errCause, 5)
	f(&written{lag: time.Second, err: errWrite}, 1500*time.Millisecond, errCause, 2)
}

func TestOutboxEndsWithItsContextWhenItIsEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errCause) })
		require.Equal(t, errCause, actors.NewOutbox[int](1).Run(ctx, (&written{}).send, nil))
	})
}

func TestOutboxHasOneWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := actors.NewOutbox[int](10)
		errs := make(chan error, 5)
		var w written // Two writers would race on it.
		for range cap(errs) {
			go func() { errs <- o.Run(t.Context(), w.send, nil) }()
		}
		synctest.Wait()
		for n := range 10 {
			require.True(t, o.Offer(n))
		}
		o.Close()
		refused := 0
		for range cap(errs) {
			if err := <-errs; err != nil {
				require.EqualError(t, err, "the outbox has had its writer")
				refused++
			}
		}
		require.Equal(t, 4, refused)
		require.Len(t, w.got, 10)
	})
}

// Offer, Close and Run at once: whatever was accepted is written, and nothing else.
func TestOutboxClosedWhileItIsOffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			o := actors.NewOutbox[int](4)
			w, done, accepted := &written{}, make(chan error), make(chan int)
			go func() { done <- o.Run(context.Background(), w.send, nil) }()
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
			require.NoError(t, <-done)
			require.Len(t, w.got, total)
		}
	})
}
