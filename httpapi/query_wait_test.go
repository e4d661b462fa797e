package httpapi

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

var noon = time.Unix(43200, 0)

// back is the window of the time until noon.
func back(d time.Duration) messages.Window { return messages.Window{Start: noon.Add(-d), End: noon} }

func TestWhichQueriesAreLong(t *testing.T) {
	f := func(want bool, w messages.Window) {
		t.Helper()
		require.Equal(t, want, isLong(w, noon.Add(time.Minute)))
	}
	f(false, messages.Window{})
	f(false, back(maxLiveWindow))
	f(true, back(maxLiveWindow+1))
	f(true, messages.Window{End: noon})
	f(false, messages.Window{Start: noon})
	f(true, messages.Window{Start: noon.Add(-maxLiveWindow)})
}

func TestHowLongAnswersAreAwaited(t *testing.T) {
	f := func(want, left time.Duration, w messages.Window) {
		t.Helper()
		q := messages.Query{Selection: messages.Selection{Window: w}, Deadline: noon.Add(left)}
		require.Equal(t, want, answersDue(q, noon, 5*time.Second).Sub(noon))
	}
	f(4*time.Second, 4*time.Second, messages.Window{})
	f(5*time.Second, time.Minute, messages.Window{})
	f(5*time.Second, time.Minute, back(maxLiveWindow))
	f(time.Minute, time.Minute, back(time.Hour))
	f(4*time.Second, 4*time.Second, back(time.Hour))
	f(-4*time.Second, -4*time.Second, messages.Window{})
}

func TestWaitsBeforeRetries(t *testing.T) {
	f := func(attempts int, least, most time.Duration) {
		t.Helper()
		require.Equal(t, least, retryWait(attempts, 0))
		require.Equal(t, most, retryWait(attempts, 1))
	}
	f(0, 25*time.Millisecond, 75*time.Millisecond)
	f(1, 50*time.Millisecond, 150*time.Millisecond)
	f(3, 200*time.Millisecond, 600*time.Millisecond)
	f(4, 250*time.Millisecond, 750*time.Millisecond)
	f(1000, 250*time.Millisecond, 750*time.Millisecond)
}

// requireKind checks the kind of an error.
func requireKind(t *testing.T, kind messages.ErrorKind, err error) {
	t.Helper()
	var known *messages.Error
	require.ErrorAs(t, err, &known)
	require.Equal(t, kind, known.Kind, known.Text)
}

var errBusy = messages.Errorf(messages.ErrUnavailable, "16 collections are under way")

// tried counts attempts, of which the first so many fail with an error.
func tried(attempts *int, failing int, err error) func() (*messages.Collection, func(), error) {
	return func() (*messages.Collection, func(), error) {
		if *attempts++; *attempts <= failing {
			return nil, nil, err
		}
		return &messages.Collection{}, func() {}, nil
	}
}

func TestABusyCollectionIsTriedAgain(t *testing.T) {
	always := func() bool { return true }
	f := func(failing int, err error, ready func() bool, wantAttempts int, want messages.ErrorKind, most time.Duration) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			begin, attempts := time.Now(), 0
			c, _, got := retried(ctx, ready, tried(&attempts, failing, err))
			require.LessOrEqual(t, time.Since(begin), most)
			if wantAttempts > 0 {
				require.Equal(t, wantAttempts, attempts)
			}
			if want == "" {
				require.NoError(t, got)
				require.NotNil(t, c)
				return
			}
			requireKind(t, want, got)
		})
	}
	f(0, nil, always, 1, "", 0)
	f(3, errBusy, always, 4, "", 75*time.Millisecond+150*time.Millisecond+300*time.Millisecond)
	f(1000, errBusy, always, 0, messages.ErrTimeout, 5*time.Second)
	f(1000, errBusy, func() bool { return false }, 1, messages.ErrUnavailable, 0)
	f(1000, messages.Errorf(messages.ErrTooLarge, "much"), always, 1, messages.ErrTooLarge, 0)
}

// A collection is not tried again if most nodes could not answer in what is left of its time.
func TestACollectionIsNotTriedAgainTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), minRetryWait/2+minCollectTime-time.Millisecond)
		defer cancel()
		attempts := 0
		_, _, err := retried(ctx, func() bool { return true }, tried(&attempts, 1, errBusy))
		requireKind(t, messages.ErrTimeout, err)
		require.Equal(t, 1, attempts)
	})
}

func TestRetriesEndWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		attempts := 0
		time.AfterFunc(time.Second, func() { cancel(gone) })
		_, _, err := retried(ctx, func() bool { return true }, tried(&attempts, 1000, errBusy))
		require.Equal(t, gone, err)
	})
}

// slotsTaken counts who has a slot.
type slotsTaken struct {
	mu         sync.Mutex
	live, long int
}

func (h *slotsTaken) counts() (live, long int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.live, h.long
}

// hold takes slots, each in a goroutine, until the context ends.
func (h *slotsTaken) hold(ctx context.Context, t *querySlots, live, long int) {
	for i := range live + long {
		go func() {
			done, err := t.acquire(ctx, i >= live)
			if err != nil {
				return
			}
			h.mu.Lock()
			if i >= live {
				h.long++
			} else {
				h.live++
			}
			h.mu.Unlock()
			<-ctx.Done()
			done()
		}()
	}
}

func TestLongQueriesLeaveTurnsToLiveOnes(t *testing.T) {
	f := func(limit, wantLive, wantLong int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			slots := newQuerySlots(limit)
			ctx, cancel := context.WithCancel(t.Context())
			var h slotsTaken
			h.hold(ctx, slots, 0, 100)
			synctest.Wait()
			h.hold(ctx, slots, 100, 0)
			synctest.Wait()
			live, long := h.counts()
			require.Equal(t, []int{wantLive, wantLong}, []int{live, long})
			cancel()
			synctest.Wait()
			for range max(1, limit) { // All slots are free again.
				_, err := slots.acquire(t.Context(), false)
				require.NoError(t, err)
			}
		})
	}
	f(8, 4, 4)
	f(3, 2, 1)
	f(2, 1, 1)
	f(1, 0, 1)
	f(0, 0, 1)
}

func TestAQueryWithoutATurnEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := newQuerySlots(1)
		done, err := slots.acquire(t.Context(), true)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for _, long := range []bool{true, false} {
			_, err = slots.acquire(ctx, long)
			requireKind(t, messages.ErrTimeout, err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		cancel()
		_, err = slots.acquire(ctx, true)
		require.ErrorIs(t, err, context.Canceled)
		done()
		done, err = slots.acquire(t.Context(), true)
		require.NoError(t, err)
		done()
	})
}
