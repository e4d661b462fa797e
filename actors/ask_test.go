package actors_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errCause = errors.New("enough")

func TestAskReturnsTheAnswer(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		pid := spawn(sys, actors.ResumeOnFailure(), func(c actors.Context) {
			switch m := c.Message().(type) {
			case ping:
				actors.Reply(c, pong(m))
			case string:
				actors.Reply(c, errCause)
			}
		})
		got, err := actors.Ask[pong](t.Context(), sys, pid, ping{7})
		require.NoError(t, err)
		require.Equal(t, pong{7}, got)

		_, err = actors.Ask[pong](t.Context(), sys, pid, "an error, please")
		require.Equal(t, errCause, err)
		_, err = actors.Ask[any](t.Context(), sys, pid, "an error, please")
		require.Equal(t, errCause, err, "an error is one, whatever else the asker would take")

		_, err = actors.Ask[error](t.Context(), sys, pid, ping{1})
		require.EqualError(t, err, "ask test-1: the answer to actors_test.ping is a actors_test.pong, not a error")
	})
}

func TestAskOfOneThatIsGone(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		pid := spawn(sys, actors.ResumeOnFailure(), obliging)
		require.NoError(t, sys.Stop(t.Context(), pid))
		begun := time.Now()
		_, err := actors.Ask[pong](t.Context(), sys, pid, ping{})
		require.ErrorIs(t, err, actors.ErrGone)
		_, err = actors.Ask[pong](t.Context(), sys, nil, ping{})
		require.ErrorIs(t, err, actors.ErrGone)
		require.Zero(t, time.Since(begun))
		require.Zero(t, sys.Counts().DeadLetters, "whoever asks is told: that is no dead letter")
	})
}

func TestAskThatWaitsInTheMailboxOfADyingActor(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		pid := spawn(sys, actors.ResumeOnFailure(), obliging)
		sys.Send(pid, nap{time.Second})
		synctest.Wait()
		begun := time.Now()
		failed := make(chan error)
		go func() {
			_, err := actors.Ask[pong](context.Background(), sys, pid, ping{})
			failed <- err
		}()
		synctest.Wait()
		sys.StopAsync(pid)
		require.ErrorIs(t, <-failed, actors.ErrGone)
		require.Equal(t, time.Second, time.Since(begun))
	})
}

func TestAskThatTheActorPanicsOn(t *testing.T) {
	f := func(policy actors.OnFailure, wantAlive int) {
		t.Helper()
		actorstest.Run(t, func(t *testing.T, sys *actors.System) {
			pid := spawn(sys, policy, obliging)
			begun := time.Now()
			_, err := actors.Ask[pong](t.Context(), sys, pid, crash{"boom"})
			require.ErrorIs(t, err, actors.ErrGone)
			require.ErrorContains(t, err, "it failed on actors_test.crash")
			require.Zero(t, time.Since(begun), "not at a deadline")
			synctest.Wait()
			require.Equal(t, wantAlive, sys.Counts().Kinds[0].Alive)
		})
	}
	f(actors.ResumeOnFailure(), 1)
	f(actors.RestartOnFailure(patient), 1)
	f(actors.OnFailure{}, 0)
}

func TestAskThatAStoppingActorPanicsOn(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		pid := spawn(sys, actors.RestartOnFailure(patient), func(c actors.Context) {
			if _, ok := c.Message().(*actors.Started); ok {
				spawnChild(sys, c, "slow", func(c actors.Context) {
					if _, ok := c.Message().(*actors.Stopping); ok {
						time.Sleep(10 * time.Second)
					}
				})
			}
			obliging(c)
		})
		synctest.Wait()
		sys.StopAsync(pid)
		synctest.Wait()
		begun := time.Now()
		_, err := actors.Ask[pong](t.Context(), sys, pid, crash{"boom"})
		require.ErrorContains(t, err, "it failed on actors_test.crash")
		require.Zero(t, time.Since(begun))
		got, err := actors.Ask[pong](t.Context(), sys, pid, ping{3})
		require.NoError(t, err, "it waits for its child, and still answers")
		require.Equal(t, pong{3}, got)
	})
}

func TestAskTakesTheFirstOfTwoAnswers(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		pid := spawn(sys, actors.ResumeOnFailure(), func(c actors.Context) {
			if m, ok := c.Message().(ping); ok {
				actors.Reply(c, pong(m))
				actors.Reply(c, pong{-1})
			}
		})
		for n := range 100 {
			got, err := actors.Ask[pong](t.Context(), sys, pid, ping{n})
			require.NoError(t, err)
			require.Equal(t, pong{n}, got)
		}
		synctest.Wait()
		require.Equal(t, uint64(100), sys.Counts().LateReplies)
		require.Zero(t, sys.Counts().DeadLetters)
	})
}

func TestAskWhoseAnswerIsLate(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		var askers []*actors.PID
		pid := spawn(sys, actors.ResumeOnFailure(), func(c actors.Context) {
			switch c.Message().(type) {
			case ping:
				askers = append(askers, c.Sender())
			case string:
				for _, a := range askers {
					sys.Send(a, pong{1})
				}
				actors.Reply(c, pong{2})
			}
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errCause) })
		begun := time.Now()
		_, err := actors.Ask[pong](ctx, sys, pid, ping{})
		require.Equal(t, errCause, err)
		require.Equal(t, time.Second, time.Since(begun))

		got, err := actors.Ask[pong](t.Context(), sys, pid, "answer now")
		require.NoError(t, err)
		require.Equal(t, pong{2}, got, "not the answer to another question")
		require.Equal(t, uint64(1), sys.Counts().LateReplies)
		require.Zero(t, sys.Counts().DeadLetters)
		require.Empty(t, sys.Untracked(), "nothing waits any more")
	})
}

func TestAskWithAnEndedContextSendsNothing(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		probe := actorstest.NewProbe(sys)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errCause)
		_, err := actors.Ask[pong](ctx, sys, probe.PID, ping{})
		require.Equal(t, errCause, err)
		synctest.Wait()
		require.Empty(t, probe.Messages())
	})
}

// An answer that came is not lost to the end of the one that gave it.
func TestAskOfOneThatAnswersAndStops(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		for n := range 200 {
			pid := spawn(sys, actors.ResumeOnFailure(), func(c actors.Context) {
				if m, ok := c.Message().(ping); ok {
					actors.Reply(c, pong(m))
					sys.StopAsync(c.Self())
				}
			})
			got, err := actors.Ask[pong](t.Context(), sys, pid, ping{n})
			require.NoError(t, err)
			require.Equal(t, pong{n}, got)
		}
	})
}

func TestAskThatIsPassedOnToOneThatIsGone(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		target := spawn(sys, actors.ResumeOnFailure(), obliging)
		require.NoError(t, sys.Stop(t.Context(), target))
		pid := spawn(sys, actors.ResumeOnFailure(), func(c actors.Context) {
			if _, ok := c.Message().(ping); ok {
				c.RequestWithCustomSender(target, c.Message(), c.Sender())
			}
		})
		begun := time.Now()
		_, err := actors.Ask[pong](t.Context(), sys, pid, ping{})
		require.ErrorIs(t, err, actors.ErrGone)
		require.Zero(t, time.Since(begun))
	})
}

func TestManyAskAtOnce(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		pid := spawn(sys, actors.ResumeOnFailure(), obliging)
		results := make(chan bool, 50)
		for n := range cap(results) {
			go func() {
				got, err := actors.Ask[pong](context.Background(), sys, pid, ping{n})
				results <- assert.NoError(t, err) && assert.Equal(t, pong{n}, got)
			}()
		}
		for range cap(results) {
			require.True(t, <-results)
		}
	})
}

func TestRequestAndReply(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		var got []any
		server := spawn(sys, actors.ResumeOnFailure(), obliging)
		gone := spawn(sys, actors.ResumeOnFailure(), obliging)
		require.NoError(t, sys.Stop(t.Context(), gone))
		spawn(sys, actors.ResumeOnFailure(), func(c actors.Context) {
			switch m := c.Message().(type) {
			case *actors.Started:
				actors.Request(c, server, ping{1})
				actors.Request(c, nil, ping{2})
				actors.Request(c, gone, ping{3})
			case *actors.Stopping, *actors.Stopped:
			default:
				got = append(got, m)
			}
		})
		sys.Send(server, ping{4}) // Nobody asked: the reply goes nowhere.
		sys.Send(nil, ping{5})
		synctest.Wait()
		require.Equal(t, []any{pong{1}}, got)
		require.Equal(t, uint64(1), sys.Counts().DeadLetters, "the request to the one that is gone")
	})
}
