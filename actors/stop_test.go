package actors_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// family is an actor with a child and a grandchild, which notes who ends when. The
// grandchild takes its time.
func family(sys *actors.System, notes *[]string) *actors.PID {
	note := func(who string, then receive) receive {
		return func(c actors.Context) {
			switch c.Message().(type) {
			case *actors.Stopping:
				*notes = append(*notes, who+" stopping")
			case *actors.Stopped:
				*notes = append(*notes, who+" stopped")
			case *actors.Terminated:
				*notes = append(*notes, who+" told")
			}
			if then != nil {
				then(c)
			}
		}
	}
	onStart := func(f receive) receive {
		return func(c actors.Context) {
			if _, ok := c.Message().(*actors.Started); ok {
				f(c)
			}
		}
	}
	slow := func(c actors.Context) {
		if _, ok := c.Message().(*actors.Stopping); ok {
			time.Sleep(5 * time.Second)
		}
	}
	return spawn(sys, actors.RestartOnFailure(patient), note("parent", onStart(func(c actors.Context) {
		spawnChild(sys, c, "child", note("child", onStart(func(c actors.Context) {
			spawnChild(sys, c, "grandchild", note("grandchild", slow))
		})))
	})))
}

func TestStopWaitsForChildren(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		var notes []string
		pid := family(sys, &notes)
		synctest.Wait()
		gone, cancel := sys.Watch(pid)
		defer cancel()
		begun := time.Now()
		require.NoError(t, sys.Stop(t.Context(), pid))
		require.Equal(t, 5*time.Second, time.Since(begun))
		require.Equal(t, []string{"parent stopping", "child stopping", "grandchild stopping", "grandchild stopped",
			"child told", "child stopped", "parent told", "parent stopped"}, notes)
		<-gone
		require.Empty(t, sys.Tree().Actors, "gone is gone from the tree too")
	})
}

// Somebody else has told it to stop already: that is no reason to call it gone.
func TestStopOfOneThatIsStopping(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		var notes []string
		pid := family(sys, &notes)
		synctest.Wait()
		sys.StopAsync(pid)
		sys.StopAsync(pid)
		time.Sleep(time.Second)
		begun := time.Now()
		require.NoError(t, sys.Stop(t.Context(), pid))
		require.Equal(t, 4*time.Second, time.Since(begun))
		require.Len(t, notes, 8, "everybody ends once")
	})
}

func TestStopOfOneThatIsGone(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		pid := spawn(sys, actors.ResumeOnFailure(), obliging)
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, sys.Stop(ctx, pid))
		cancel()
		require.NoError(t, sys.Stop(ctx, pid))
		require.NoError(t, sys.Stop(ctx, nil))
		sys.StopAsync(pid)
		sys.StopAsync(nil)
		for _, p := range []*actors.PID{pid, nil} {
			gone, cancel := sys.Watch(p)
			<-gone
			cancel()
		}
		require.Zero(t, sys.Counts().DeadLetters)
	})
}

func TestStopNamesTheActorThatIsBusy(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		pid := spawn(sys, actors.ResumeOnFailure(), obliging)
		sys.Send(pid, nap{time.Hour})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		err := sys.Stop(ctx, pid)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualError(t, err, "stop actor test-1, which is running, for 3.0 s on actors_test.nap: context deadline exceeded")
		time.Sleep(time.Hour)
	})
}

func TestStopOvertakesTheMailbox(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		handled := 0
		pid := spawn(sys, actors.ResumeOnFailure(), func(c actors.Context) {
			switch c.Message().(type) {
			case nap, ping:
				handled++
				obliging(c)
			}
		})
		sys.Send(pid, nap{time.Second})
		for range 1000 {
			sys.Send(pid, ping{})
		}
		synctest.Wait()
		require.NoError(t, sys.Stop(t.Context(), pid))
		synctest.Wait()
		require.Equal(t, 1, handled)
		require.Equal(t, uint64(1000), sys.Counts().DeadLetters, "what waited in the mailbox is not lost in silence")
	})
}

func TestStopAllEndsTheYoungestFirst(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		var notes []string
		for n := range 12 {
			spawn(sys, actors.ResumeOnFailure(), func(c actors.Context) {
				if _, ok := c.Message().(*actors.Stopped); ok {
					notes = append(notes, fmt.Sprint(n))
				}
			})
		}
		require.NoError(t, sys.StopAll(t.Context()))
		require.Equal(t, []string{"11", "10", "9", "8", "7", "6", "5", "4", "3", "2", "1", "0"}, notes)
		sys.Shutdown()
		sys.Shutdown()
	})
}

// Goexit (FailNow) in Receive cannot be undone. It must at least be seen.
func TestGoexitLeavesTheActorBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := actors.NewSystem(zap.NewNop())
		pid := spawn(sys, actors.ResumeOnFailure(), func(c actors.Context) {
			if _, ok := c.Message().(ping); ok {
				runtime.Goexit()
			}
		})
		sys.Send(pid, ping{})
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorContains(t, sys.Stop(ctx, pid), "stop actor test-1, which is running, for 2.0 s on actors_test.ping")
	})
}

// An actor that watches one which is stopping is told when it is gone, not before.
func TestContextWatch(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		var notes []string
		pid := family(sys, &notes)
		synctest.Wait()
		sys.StopAsync(pid)
		time.Sleep(time.Second)
		begun := time.Now()
		var told, toldRegretful []time.Duration
		watcher := func(told *[]time.Duration, regrets bool) {
			spawn(sys, actors.ResumeOnFailure(), func(c actors.Context) {
				switch c.Message().(type) {
				case *actors.Started:
					c.Watch(pid)
					if regrets {
						c.Unwatch(pid)
					}
				case *actors.Terminated:
					*told = append(*told, time.Since(begun))
				}
			})
		}
		watcher(&told, false)
		watcher(&toldRegretful, true)
		time.Sleep(time.Minute)
		synctest.Wait()
		watcher(&told, false) // It is gone by now: told at once.
		synctest.Wait()
		require.Equal(t, []time.Duration{4 * time.Second, time.Minute}, told)
		require.Empty(t, toldRegretful)
	})
}
