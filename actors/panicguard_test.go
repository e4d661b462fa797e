package actors_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

var impatient = actors.RestartOnFailure(actors.Backoff{Base: time.Second, Cap: time.Second, Max: 5, Window: time.Hour})

// A panic on the way out must neither bring the actor back nor keep anybody waiting.
func TestPanicWhileStopping(t *testing.T) {
	f := func(policy actors.OnFailure, on string) {
		t.Helper()
		actorstest.Run(t, func(t *testing.T, sys *actors.System) {
			values := 0
			pid := sys.Spawn("test", policy, func() actors.Actor {
				values++
				return receive(func(c actors.Context) {
					switch c.Message().(type) {
					case *actors.Started:
						spawnChild(sys, c, "child", obliging)
					default:
						if fmt.Sprintf("%T", c.Message()) == on {
							panic("boom")
						}
					}
				})
			})
			synctest.Wait()
			begun := time.Now()
			require.NoError(t, sys.Stop(t.Context(), pid))
			require.Zero(t, time.Since(begun))
			time.Sleep(time.Hour)
			synctest.Wait()
			require.Equal(t, 1, values)
			require.Empty(t, sys.Tree().Actors)
			require.Equal(t, []messages.KindCounts{{Kind: "child"}, {Kind: "test", Failures: 1}}, sys.Counts().Kinds)
		})
	}
	for _, policy := range []actors.OnFailure{{}, actors.ResumeOnFailure(), impatient} {
		f(policy, "*actor.Stopping")
		f(policy, "*actor.Stopped")
		f(policy, "*actor.Terminated")
	}
}

func TestPanicWhileRestarting(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		values := 0
		pid := sys.Spawn("test", impatient, func() actors.Actor {
			values++
			return receive(func(c actors.Context) {
				obliging(c)
				if _, ok := c.Message().(*actors.Restarting); ok {
					panic("again")
				}
			})
		})
		sys.Send(pid, crash{"boom"})
		time.Sleep(time.Minute)
		got, err := actors.Ask[pong](t.Context(), sys, pid, ping{5})
		require.NoError(t, err)
		require.Equal(t, pong{5}, got)
		require.Equal(t, 2, values)
		require.Equal(t, []messages.KindCounts{{Kind: "test", Alive: 1, Restarts: 1, Failures: 2}}, sys.Counts().Kinds)
	})
}

// The runtime still delivers *Terminated to a value that waits for its restart; a
// panic on it must not lead to a second restart.
func TestPanicWhileWaitingForTheRestart(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		var child *actors.PID
		values := 0
		pid := sys.Spawn("test", impatient, func() actors.Actor {
			values++
			return receive(func(c actors.Context) {
				obliging(c)
				switch c.Message().(type) {
				case *actors.Started:
					child = spawnChild(sys, c, "child", obliging)
				case *actors.Terminated:
					panic("again")
				}
			})
		})
		sys.Send(pid, crash{"boom"})
		synctest.Wait()
		require.NoError(t, sys.Stop(t.Context(), child))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 2, values)
	})
}

// The runtime would give up the stop for the restart.
func TestRestartThatComesWhileStoppingIsDropped(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		values := 0
		pid := sys.Spawn("test", impatient, func() actors.Actor {
			values++
			return receive(func(c actors.Context) {
				obliging(c)
				if _, ok := c.Message().(*actors.Started); ok {
					spawnChild(sys, c, "slow", func(c actors.Context) {
						if _, ok := c.Message().(*actors.Stopping); ok {
							time.Sleep(5 * time.Second)
						}
					})
				}
			})
		})
		sys.Send(pid, crash{"boom"}) // The restart is due within a second.
		synctest.Wait()
		begun := time.Now()
		require.NoError(t, sys.Stop(t.Context(), pid))
		require.Equal(t, 5*time.Second, time.Since(begun))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 1, values)
		require.Zero(t, sys.Counts().Kinds[1].Restarts)
	})
}

func TestStopWhileRestarting(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		var got []string
		pid := spawn(sys, impatient, func(c actors.Context) {
			got = append(got, fmt.Sprintf("%T", c.Message()))
			obliging(c)
			if _, ok := c.Message().(*actors.Started); ok {
				spawnChild(sys, c, "slow", func(c actors.Context) {
					if _, ok := c.Message().(*actors.Stopping); ok {
						time.Sleep(10 * time.Second)
					}
				})
			}
		})
		sys.Send(pid, crash{"boom"})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		require.Equal(t, "restarting", sys.Tree().Actors[0].State)
		require.NoError(t, sys.Stop(t.Context(), pid))
		require.Equal(t, []string{"*actor.Started", "actors_test.crash", "*actor.Restarting"}, got,
			"*Restarting is the last message of a value")
		require.Empty(t, sys.Tree().Actors)
	})
}

// A parent that replaces a child which is gone must not do so for ever.
func TestChildSpawnedOnTheWayOutIsStopped(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		spawned := 0
		replace := func(c actors.Context) { spawned++; spawnChild(sys, c, "child", obliging) }
		pid := spawn(sys, impatient, func(c actors.Context) {
			switch c.Message().(type) {
			case *actors.Started:
				replace(c)
			case *actors.Terminated:
				if spawned < 10 {
					replace(c)
				}
			case *actors.Stopped:
				replace(c)
			}
		})
		synctest.Wait()
		require.NoError(t, sys.Stop(t.Context(), pid))
		synctest.Wait()
		require.Equal(t, 11, spawned)
		require.Empty(t, sys.Tree().Actors)
	})
}

func TestChildSpawnedAtARestartIsStopped(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		pid := spawn(sys, impatient, func(c actors.Context) {
			obliging(c)
			if _, ok := c.Message().(*actors.Restarting); ok {
				spawnChild(sys, c, "old", obliging)
			}
			if _, ok := c.Message().(*actors.Started); ok {
				spawnChild(sys, c, "new", obliging)
			}
		})
		sys.Send(pid, crash{"boom"})
		time.Sleep(time.Minute)
		synctest.Wait()
		tree := sys.Tree()
		require.Equal(t, "running", tree.Actors[0].State)
		require.Len(t, tree.Actors[0].Children, 1)
		require.Equal(t, "test-1/new-2", tree.Actors[0].Children[0].ID)
	})
}

func TestProducerThatPanicsAtARestart(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		values, endedActors := 0, 0
		pid := sys.Spawn("test", impatient, func() actors.Actor {
			if values++; values == 2 {
				panic("no value")
			}
			return receive(func(c actors.Context) {
				obliging(c)
				if _, ok := c.Message().(*actors.Restarting); ok {
					endedActors++
				}
			})
		})
		sys.Send(pid, crash{"boom"})
		time.Sleep(time.Minute)
		got, err := actors.Ask[pong](t.Context(), sys, pid, ping{5})
		require.NoError(t, err)
		require.Equal(t, pong{5}, got)
		require.Equal(t, 3, values)
		require.Equal(t, 1, endedActors, "the old value is told once")
	})
}

func TestProducerThatPanicsAtTheSpawn(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		require.PanicsWithValue(t, "no value", func() {
			sys.Spawn("test", impatient, func() actors.Actor { panic("no value") })
		})
		require.Empty(t, sys.Tree().Actors)
	})
}

// A nil in a mailbox would keep a core busy for ever.
func TestSendOfNilPanicsInTheSender(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		pid := spawn(sys, actors.ResumeOnFailure(), obliging)
		require.PanicsWithValue(t, "send to test-1: the message is nil", func() { sys.Send(pid, nil) })
		got, err := actors.Ask[pong](t.Context(), sys, pid, ping{5})
		require.NoError(t, err)
		require.Equal(t, pong{5}, got)
	})
}
