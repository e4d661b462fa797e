package actors

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

func TestNest(t *testing.T) {
	type node = messages.ActorNode
	f := func(nodes, want []node) {
		t.Helper()
		require.Equal(t, want, nest(nodes))
	}
	f(nil, []node{})
	f([]node{{ID: "b"}, {ID: "a"}}, []node{{ID: "b"}, {ID: "a"}})
	f([]node{{ID: "a/b", Parent: "a"}, {ID: "a/b/c", Parent: "a/b"}, {ID: "a"}},
		[]node{{ID: "a", Children: []node{{ID: "a/b", Parent: "a", Children: []node{{ID: "a/b/c", Parent: "a/b"}}}}}})
	f([]node{{ID: "a/b", Parent: "a"}, {ID: "a/b/c", Parent: "a/b"}},
		[]node{{ID: "a/b", Parent: "a", Orphan: true, Children: []node{{ID: "a/b/c", Parent: "a/b"}}}})
}

func TestUntracked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSystem(zap.NewNop())
		known := s.Spawn("known", OnFailure{}, func() Actor { return actor.ReceiveFunc(func(Context) {}) })
		require.Empty(t, s.Untracked())
		stranger := s.root.SpawnPrefix(actor.PropsFromFunc(func(Context) {}), "stranger")
		question, _ := s.runtime.ProcessRegistry.Add(&waiter{}, askPrefix+"1")
		require.Equal(t, []string{question.Id, stranger.Id}, s.Untracked())
		synctest.Wait()
		require.Equal(t, []messages.ActorNode{{ID: "known-1", Kind: "known", State: "running", Started: time.Now()}},
			withoutHandled(s.Tree().Actors))
		s.root.Stop(stranger)
		require.NoError(t, s.Stop(t.Context(), known))
		synctest.Wait()
		require.Equal(t, []string{question.Id}, s.Untracked())
	})
}

func withoutHandled(nodes []messages.ActorNode) []messages.ActorNode {
	for i := range nodes {
		nodes[i].Handled, nodes[i].State = 0, "running"
	}
	return nodes
}

// Whatever else has happened by then, an answer that came is the answer.
func TestWaiterPrefersTheAnswer(t *testing.T) {
	f := func(answered, isGone, hasEnded bool, want any, wantErr error) {
		t.Helper()
		for range 50 { // The choice between what is ready is random.
			var late atomic.Uint64
			w := &waiter{answer: make(chan any, 1), late: &late}
			gone := make(chan struct{})
			ctx, cancel := context.WithCancelCause(t.Context())
			if answered {
				w.SendUserMessage(nil, "answer")
			}
			if isGone {
				close(gone)
			}
			if hasEnded {
				cancel(io.ErrClosedPipe)
			}
			got, err := w.wait(ctx, gone)
			require.Equal(t, want, got)
			require.Equal(t, wantErr, err)
			w.SendUserMessage(nil, "another answer")
			require.Equal(t, uint64(1), late.Load())
			cancel(nil)
		}
	}
	f(true, false, false, "answer", nil)
	f(true, true, false, "answer", nil)
	f(true, false, true, "answer", nil)
	f(true, true, true, "answer", nil)
	f(false, true, false, nil, ErrGone)
	f(false, false, true, nil, io.ErrClosedPipe)
}

// A race between the watch and the end shows as a dead letter of the runtime, which
// is none of ours.
func TestRuntimeTalkIsNoDeadLetter(t *testing.T) {
	d := newDeadLetters(zap.NewNop())
	for _, m := range []any{&actor.Watch{}, &actor.Unwatch{}, &actor.Stop{}, &actor.Terminated{}, &actor.Restart{},
		&actor.Failure{}, &actor.ResumeMailbox{}, &actor.SuspendMailbox{}, &actor.DeadLetterResponse{}, failedOn{}} {
		d.add(&PID{Id: "a-1"}, m)
		require.Zero(t, d.total.Load(), "%T", m)
	}
	d.add(&PID{Id: "a-1"}, "a message")
	d.add(nil, "a reply to nobody")
	require.Equal(t, uint64(2), d.total.Load())
	require.Zero(t, d.late.Load())
	d.add(&PID{Id: askPrefix + "1"}, "a reply")
	require.Equal(t, uint64(2), d.total.Load())
	require.Equal(t, uint64(1), d.late.Load())
}

// The restart of an actor that was stopped meanwhile goes to nobody.
func TestNoRestartOfAnActorThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sys := NewSystem(zap.NewNop())
		var lost atomic.Int64
		sys.runtime.EventStream.Subscribe(func(event any) {
			if _, ok := event.(*actor.DeadLetterEvent); ok {
				lost.Add(1)
			}
		})
		pid := sys.Spawn("test", RestartOnFailure(Backoff{Base: time.Second, Cap: time.Second, Max: 1, Window: time.Minute}),
			func() Actor { return actor.ReceiveFunc(func(Context) { panic("no luck") }) })
		synctest.Wait()
		require.NoError(t, sys.Stop(t.Context(), pid))
		time.Sleep(time.Hour)
		require.Zero(t, lost.Load())
		sys.Shutdown()
		time.Sleep(time.Second)
	})
}
