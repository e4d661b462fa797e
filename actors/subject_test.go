package actors_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"

	"github.com/stretchr/testify/require"
)

// Messages to an actor that says something of itself.
type (
	serve    struct{ whom string }
	farewell struct{ why string }
)

func outspoken(c actors.Context) {
	switch m := c.Message().(type) {
	case serve:
		actors.Subject(c, m.whom)
	case farewell:
		actors.EndReason(c, m.why)
	}
	obliging(c)
}

func TestSubject(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		pid := spawn(sys, actors.RestartOnFailure(patient), outspoken)
		subject := func() string { synctest.Wait(); return sys.Tree().Actors[0].Subject }
		require.Empty(t, subject())
		sys.Send(pid, serve{"node-1"})
		require.Equal(t, "node-1", subject())
		sys.Send(pid, serve{"node-2"})
		require.Equal(t, "node-2", subject())
		sys.Send(pid, crash{"boom"})
		time.Sleep(time.Minute)
		require.Equal(t, "node-2", subject(), "it outlives a restart")
		require.NoError(t, sys.Stop(t.Context(), pid))
		require.Equal(t, "node-2", sys.Tree().Ended[0].Subject)
		pid = spawn(sys, actors.RestartOnFailure(patient), outspoken)
		sys.Send(pid, serve{strings.Repeat("x", 1<<20)})
		require.Len(t, subject(), 4<<10+len("..."))
	})
}

func TestEndReason(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		f := func(want string, wantFailure bool, policy actors.OnFailure, says ...any) {
			t.Helper()
			pid := spawn(sys, policy, outspoken)
			for _, m := range says {
				sys.Send(pid, m)
				time.Sleep(time.Minute)
			}
			require.NoError(t, sys.Stop(t.Context(), pid))
			e := sys.Tree().Ended[0]
			require.Equal(t, pid.Id, e.ID)
			require.Equal(t, want, e.Reason)
			require.Equal(t, wantFailure, e.LastFailure != nil)
			if wantFailure {
				require.Equal(t, "boom", e.LastFailure.Reason)
				require.Contains(t, e.LastFailure.Stack, "actors_test.obliging")
			}
		}
		boom := crash{"boom"}
		restart := actors.RestartOnFailure(patient)
		f("stopped", false, restart)
		f("goodbye", false, restart, farewell{"goodbye"})
		f("again", false, restart, farewell{"goodbye"}, farewell{"again"})
		f(strings.Repeat("x", 1<<10)+"...", false, restart, farewell{strings.Repeat("x", 1<<20)})
		f("stopped", true, restart, farewell{"goodbye"}, boom) // it has not ended
		f("goodbye", true, restart, boom, farewell{"goodbye"})
		f("goodbye", true, actors.ResumeOnFailure(), farewell{"goodbye"}, boom)
		f("failed on actors_test.crash: boom", true, actors.OnFailure{}, farewell{"goodbye"}, boom)
	})
}

// What an actor says on its way out counts too, unless it is ended for a failure.
func TestEndReasonOnTheWayOut(t *testing.T) {
	f := func(want string, crashes bool) {
		t.Helper()
		actorstest.Run(t, func(t *testing.T, sys *actors.System) {
			pid := spawn(sys, actors.OnFailure{}, func(c actors.Context) {
				switch c.Message().(type) {
				case *actors.Stopping, *actors.Stopped:
					actors.EndReason(c, "the last word")
				}
				obliging(c)
			})
			if crashes {
				sys.Send(pid, crash{"boom"})
				synctest.Wait()
			}
			require.NoError(t, sys.Stop(t.Context(), pid))
			require.Equal(t, want, sys.Tree().Ended[0].Reason)
		})
	}
	f("the last word", false)
	f("failed on actors_test.crash: boom", true)
}
