package actors_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

func panicHere(c actors.Context) {
	if _, ok := c.Message().(crash); ok {
		panic("boom")
	}
	obliging(c)
}

func TestTreeOfABusyActor(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		begun := time.Now()
		pid := spawn(sys, actors.ResumeOnFailure(), obliging)
		for range 3 {
			sys.Send(pid, ping{})
			synctest.Wait()
		}
		sys.Send(pid, nap{10 * time.Second})
		synctest.Wait()
		for range 6 {
			sys.Send(pid, ping{})
		}
		time.Sleep(4 * time.Second)
		require.Equal(t, messages.ActorTree{
			At: begun.Add(4 * time.Second),
			Actors: []messages.ActorNode{{ID: "test-1", Kind: "test", State: "running", Started: begun, Mailbox: 6, MailboxPeak: 6,
				Handled: 5, Busy: "actors_test.nap", BusySeconds: 4}},
			Ended: []messages.EndedActor{},
		}, sys.Tree())
		require.Equal(t, []messages.KindCounts{{Kind: "test", Alive: 1, Mailbox: 6}}, sys.Counts().Kinds)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		idle := sys.Tree().Actors[0]
		require.Equal(t, uint64(11), idle.Handled)
		require.Zero(t, idle.Mailbox)
		require.Equal(t, int64(6), idle.MailboxPeak)
		require.Empty(t, idle.Busy)
		require.Zero(t, idle.BusySeconds)
	})
}

func TestTreeOfAFailedActor(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		pid := spawn(sys, actors.RestartOnFailure(patient), panicHere)
		time.Sleep(time.Minute)
		crashed := time.Now()
		sys.Send(pid, crash{"secret"})
		synctest.Wait()
		n := sys.Tree().Actors[0]
		require.Equal(t, "failed", n.State)
		require.Empty(t, n.Busy)
		require.Equal(t, 1, n.Failures)
		require.Zero(t, n.Restarts)
		require.Equal(t, crashed, n.LastFailure.At)
		require.Equal(t, "boom", n.LastFailure.Reason)
		require.Equal(t, "actors_test.crash", n.LastFailure.Message)
		require.Contains(t, n.LastFailure.Stack, "actors_test.panicHere")
		require.NotContains(t, n.LastFailure.Stack, "secret")
		time.Sleep(time.Minute)
		n = sys.Tree().Actors[0]
		require.Equal(t, "running", n.State)
		require.Equal(t, 1, n.Restarts)
		require.Equal(t, "boom", n.LastFailure.Reason, "it is still the last")
	})
}

func TestTreeOfGenerations(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		var notes []string
		family(sys, &notes)
		synctest.Wait()
		pid := family(sys, &notes)
		synctest.Wait()
		require.Equal(t, []string{"test-1", "  test-1/child-1", "    test-1/child-1/grandchild-1",
			"test-2", "  test-2/child-2", "    test-2/child-2/grandchild-2"}, outline(sys.Tree().Actors, ""))
		require.Equal(t, "test-1/child-1", sys.Tree().Actors[0].Children[0].Children[0].Parent)
		sys.StopAsync(pid)
		synctest.Wait()
		for n := sys.Tree().Actors[1]; ; n = n.Children[0] {
			require.Equal(t, "stopping", n.State)
			require.False(t, n.Orphan)
			if len(n.Children) == 0 {
				require.Equal(t, "*actor.Stop", n.Busy)
				break
			}
			require.Empty(t, n.Busy)
		}
	})
}

func outline(nodes []messages.ActorNode, indent string) []string {
	var lines []string
	for _, n := range nodes {
		lines = append(lines, indent+n.ID)
		lines = append(lines, outline(n.Children, indent+"  ")...)
	}
	return lines
}

func TestTreeRemembersTheLastThatEnded(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		for n := 1; n <= 60; n++ {
			pid := spawn(sys, actors.OnFailure{}, obliging)
			if n%2 == 0 {
				require.NoError(t, sys.Stop(t.Context(), pid))
			} else {
				sys.Send(pid, crash{fmt.Sprint(n)})
			}
			time.Sleep(time.Second)
		}
		synctest.Wait()
		ended := sys.Tree().Ended
		require.Len(t, ended, 50)
		require.Equal(t, "test-60", ended[0].ID)
		require.Equal(t, "stopped", ended[0].Reason)
		require.Equal(t, "failed on actors_test.crash: 11", ended[49].Reason)
		require.Equal(t, "test", ended[49].Kind)
		require.Equal(t, 49*time.Second, ended[0].Ended.Sub(ended[49].Ended))
	})
}

func TestLongReasonsAreClipped(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		pid := spawn(sys, actors.ResumeOnFailure(), obliging)
		sys.Send(pid, crash{strings.Repeat("ä", 100_000)})
		synctest.Wait()
		require.Equal(t, strings.Repeat("ä", 512)+"...", sys.Tree().Actors[0].LastFailure.Reason)
		sys.Send(pid, crash{"x" + strings.Repeat("ä", 100_000)})
		synctest.Wait()
		require.Equal(t, "x"+strings.Repeat("ä", 511)+"...", sys.Tree().Actors[0].LastFailure.Reason, "no half of a character")
	})
}

// Ids in the tree, in logs and in PIDs that are kept must mean one actor for ever.
func TestIdsAreNeverUsedAgain(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		old := spawn(sys, actors.ResumeOnFailure(), obliging)
		require.NoError(t, sys.Stop(t.Context(), old))
		probe := actorstest.NewProbe(sys)
		young := spawn(sys, actors.ResumeOnFailure(), obliging)
		require.Equal(t, []string{"test-1", "probe-1", "test-2"}, []string{old.Id, probe.PID.Id, young.Id})
	})
}

type heavy struct {
	_ [1 << 20]byte
}

func (h *heavy) Receive(actors.Context) {}

func spawnHeavy(sys *actors.System) (*actors.PID, weak.Pointer[heavy]) {
	h := &heavy{}
	return sys.Spawn("heavy", actors.ResumeOnFailure(), func() actors.Actor { return h }), weak.Make(h)
}

// Maps and histories keep PIDs; the state of the dead must not live on in them.
func TestAKeptPIDKeepsNoValue(t *testing.T) {
	sys := actors.NewSystem(zap.NewNop())
	pid, value := spawnHeavy(sys)
	require.NoError(t, sys.Stop(t.Context(), pid))
	for range 100 {
		if runtime.GC(); value.Value() == nil {
			break
		}
		runtime.Gosched()
	}
	require.Nil(t, value.Value())
	sys.Send(pid, ping{})
	require.Equal(t, uint64(1), sys.Counts().DeadLetters)
}
