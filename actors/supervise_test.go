package actors_test

import (
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"

	"github.com/stretchr/testify/require"
)

func TestRestartWaitsLongerEachTimeUntilTheLimit(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		var tried []time.Time
		pid := spawn(sys, actors.RestartOnFailure(patient), func(c actors.Context) {
			if _, ok := c.Message().(*actors.Started); ok {
				tried = append(tried, time.Now())
				panic("no luck")
			}
		})
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Len(t, tried, 1+patient.Max)
		for n, longest := range []time.Duration{1, 2, 4, 8, 8} {
			longest *= time.Second
			wait := tried[n+1].Sub(tried[n])
			require.GreaterOrEqual(t, wait, longest/2, "wait %d", n)
			require.LessOrEqual(t, wait, longest, "wait %d", n)
		}
		require.EqualError(t, <-sys.Fatal(), "actor test-1 failed 6 times within 1h0m0s, the limit is 5; at last on *actor.Started: no luck")
		gone, cancel := sys.Watch(pid)
		<-gone
		cancel()
		tree := sys.Tree()
		require.Empty(t, tree.Actors)
		require.Equal(t, "failed on *actor.Started: no luck", tree.Ended[0].Reason)
	})
}

func TestRestartForgetsFailuresThatAreOld(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		values := 0
		b := actors.Backoff{Base: time.Second, Cap: time.Second, Max: 2, Window: time.Minute}
		pid := sys.Spawn("test", actors.RestartOnFailure(b), func() actors.Actor { values++; return receive(obliging) })
		for range 20 { // never more than two a minute
			sys.Send(pid, crash{"boom"})
			time.Sleep(30 * time.Second)
		}
		synctest.Wait()
		require.Equal(t, 21, values)
		sys.Send(pid, crash{"boom"})
		time.Sleep(2 * time.Second)
		sys.Send(pid, crash{"the last straw"})
		synctest.Wait()
		require.ErrorContains(t, <-sys.Fatal(), "at last on actors_test.crash: the last straw")
		require.Empty(t, sys.Tree().Actors)
	})
}

func TestFatalKeepsTheFirst(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		for range 3 {
			sys.Send(spawn(sys, actors.RestartOnFailure(actors.Backoff{Window: time.Hour}), obliging), crash{"boom"})
			synctest.Wait()
		}
		require.ErrorContains(t, <-sys.Fatal(), "actor test-1 failed 1 times")
		select {
		case err := <-sys.Fatal():
			t.Error(err)
		default:
		}
	})
}

// summing adds up what it is sent, and panics on zero.
type summing struct{ sum int }

func (s *summing) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case int:
		if m == 0 {
			panic("zero")
		}
		s.sum += m
	case ping:
		actors.Reply(c, s.sum)
	}
}

func TestWhatAFailureCosts(t *testing.T) {
	f := func(policy actors.OnFailure, want int, wantWait bool) {
		t.Helper()
		actorstest.Run(t, func(t *testing.T, sys *actors.System) {
			pid := sys.Spawn("test", policy, func() actors.Actor { return &summing{} })
			for _, n := range []int{1, 2, 0, 4, 0, 8, 16} {
				sys.Send(pid, n)
			}
			begun := time.Now()
			got, err := actors.Ask[int](t.Context(), sys, pid, ping{})
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.Equal(t, wantWait, time.Since(begun) > 0)
			synctest.Wait()
			require.Equal(t, uint64(2), sys.Counts().Kinds[0].Failures)
			require.Equal(t, "running", sys.Tree().Actors[0].State)
		})
	}
	f(actors.ResumeOnFailure(), 31, false)
	f(actors.RestartOnFailure(patient), 24, true) // The mailbox is kept, and its order.
}

func TestPanicOfAChildStopsIt(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		var told []string
		var child, grandchild *actors.PID
		spawn(sys, actors.RestartOnFailure(patient), func(c actors.Context) {
			switch m := c.Message().(type) {
			case *actors.Started:
				child = spawnChild(sys, c, "child", func(c actors.Context) {
					switch m := c.Message().(type) {
					case *actors.Started:
						grandchild = spawnChild(sys, c, "grandchild", obliging)
					case *actors.Terminated:
						told = append(told, "child: "+m.Who.Id)
					}
					obliging(c)
				})
			case *actors.Terminated:
				told = append(told, "parent: "+m.Who.Id)
			}
		})
		synctest.Wait()
		sys.Send(grandchild, crash{"first"})
		synctest.Wait()
		require.Equal(t, []string{"child: test-1/child-1/grandchild-1"}, told)
		sys.Send(child, crash{"second"})
		synctest.Wait()
		require.Equal(t, "parent: test-1/child-1", told[1])
		require.Len(t, told, 2)
		tree := sys.Tree()
		require.Equal(t, "running", tree.Actors[0].State)
		require.Zero(t, tree.Actors[0].Failures)
		require.Empty(t, tree.Actors[0].Children)
		require.Equal(t, "failed on actors_test.crash: second", tree.Ended[0].Reason)
		require.Equal(t, "failed on actors_test.crash: first", tree.Ended[1].Reason)
	})
}

func TestStopDuringTheWaitForARestart(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		values := 0
		pid := sys.Spawn("test", actors.RestartOnFailure(patient), func() actors.Actor { values++; return receive(obliging) })
		sys.Send(pid, crash{"boom"})
		sys.Send(pid, ping{})
		synctest.Wait()
		require.Equal(t, "failed", sys.Tree().Actors[0].State)
		begun := time.Now()
		require.NoError(t, sys.Stop(t.Context(), pid))
		require.Zero(t, time.Since(begun))
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, 1, values)
		require.Equal(t, uint64(1), sys.Counts().DeadLetters, "what waited for the restart is counted")
		require.Equal(t, "stopped", sys.Tree().Ended[0].Reason)
	})
}

func TestPolicyNames(t *testing.T) {
	require.Equal(t, "stop", actors.OnFailure{}.String())
	require.Equal(t, "resume", actors.ResumeOnFailure().String())
	require.Equal(t, "restart", actors.RestartOnFailure(patient).String())
}
