package actors_test

import (
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"

	"github.com/stretchr/testify/require"
)

type (
	armFor struct{ d time.Duration }
	disarm struct{}
)

// clock notes when its timer fired, and how many ticks came that did not count.
type clock struct {
	timer actors.Timer
	begun time.Time
	fired *[]time.Duration
	stale *int
}

func (k *clock) Receive(c actors.Context) {
	obliging(c)
	switch m := c.Message().(type) {
	case armFor:
		k.timer.Arm(c, m.d)
	case disarm, *actors.Stopping, *actors.Restarting:
		k.timer.Disarm()
	case actors.Tick:
		if !k.timer.Fired(m) {
			*k.stale++
			return
		}
		*k.fired = append(*k.fired, time.Since(k.begun))
		if k.timer.Fired(m) {
			panic("a tick counted twice")
		}
	}
}

func TestTimer(t *testing.T) {
	const second = time.Second
	f := func(name string, wantFired []time.Duration, wantStale int, steps ...any) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			actorstest.Run(t, func(t *testing.T, sys *actors.System) {
				var fired []time.Duration
				stale, begun := 0, time.Now()
				pid := sys.Spawn("clock", actors.RestartOnFailure(actors.Backoff{Base: second, Cap: second, Max: 5, Window: time.Hour}),
					func() actors.Actor { return &clock{begun: begun, fired: &fired, stale: &stale} })
				for _, m := range steps {
					sys.Send(pid, m)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				require.Equal(t, wantFired, fired)
				require.Equal(t, wantStale, stale)
				require.Zero(t, sys.Counts().DeadLetters)
			})
		})
	}
	f("fires once", []time.Duration{3 * second}, 0, armFor{3 * second})
	f("at once", []time.Duration{0}, 0, armFor{0})
	f("armed anew, fires once", []time.Duration{5 * second}, 0, armFor{3 * second}, armFor{5 * second})
	f("disarmed", nil, 0, armFor{3 * second}, disarm{})
	f("disarmed when not armed", nil, 0, disarm{}, disarm{})
	// The tick waits in the mailbox while the actor is busy, then is out of date.
	f("queued tick, armed anew", []time.Duration{5 * second}, 1, armFor{second}, nap{2 * second}, armFor{3 * second})
	f("queued tick, disarmed", nil, 1, armFor{second}, nap{2 * second}, disarm{})
}

// The tick of a value that failed must not fire the timer of the next one.
func TestTimerIgnoresTheTickOfAFormerValue(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		var fired []time.Duration
		stale, begun := 0, time.Now()
		pid := sys.Spawn("clock", actors.RestartOnFailure(patient),
			func() actors.Actor { return &clock{begun: begun, fired: &fired, stale: &stale} })
		// Queued before the panic and handled after it: the mailbox stays.
		sys.Send(pid, armFor{time.Second})
		sys.Send(pid, nap{2 * time.Second})
		sys.Send(pid, crash{"boom"})
		sys.Send(pid, armFor{10 * time.Second})
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 1, stale)
		require.Len(t, fired, 1)
		require.GreaterOrEqual(t, fired[0], 12*time.Second)
		require.Equal(t, uint64(1), sys.Counts().Kinds[0].Restarts)
	})
}

// A value that is told *Restarting disarms, or its tick would come all the same.
func TestTimerOfARestartedActorIsOver(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		var fired []time.Duration
		stale, begun := 0, time.Now()
		pid := sys.Spawn("clock", actors.RestartOnFailure(patient),
			func() actors.Actor { return &clock{begun: begun, fired: &fired, stale: &stale} })
		sys.Send(pid, armFor{10 * time.Second})
		sys.Send(pid, crash{"boom"})
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Empty(t, fired)
		require.Zero(t, stale)
	})
}
