package actorstest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/messages"

	"go.uber.org/zap/zaptest"
)

// stopTimeout is how long, in fake time, the actors that a test left may take to end.
const stopTimeout = time.Minute

// settling outlasts what the runtime leaves behind for a moment.
const settling = time.Second

// Run runs the test in a synctest bubble with a system of its own. After it, the
// actors without a parent that are left are stopped, the youngest first. The test
// fails if one does not stop, if an orphan, an actor unknown to the census or a
// goroutine is left, or if there was a fatal error that the test did not take.
func Run(t *testing.T, test func(t *testing.T, sys *actors.System)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sys := actors.NewSystem(Fragile(zaptest.NewLogger(t)))
		// Deferred, and without FailNow: a test that has failed must still leave the
		// bubble clean, or the bubble hides why it failed.
		defer finish(t, sys)
		test(t, sys)
	})
}

// complainer is the part of a test that finish needs.
type complainer interface {
	Errorf(format string, args ...any)
}

func finish(t complainer, sys *actors.System) {
	synctest.Wait()
	eachNode(sys.Tree().Actors, func(n messages.ActorNode) {
		if n.Orphan {
			t.Errorf("actor %s is an orphan: its parent %s is gone", n.ID, n.Parent)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := sys.StopAll(ctx); err != nil {
		t.Errorf("at the end of the test: %v", err)
	}
	sys.Shutdown()
	time.Sleep(settling)
	synctest.Wait()
	eachNode(sys.Tree().Actors, func(n messages.ActorNode) {
		t.Errorf("actor %s is left, %s", n.ID, n.State)
	})
	for _, id := range sys.Untracked() {
		t.Errorf("%s is unknown to the census", id)
	}
	select {
	case err := <-sys.Fatal():
		t.Errorf("fatal: %v", err)
	default:
	}
}

func eachNode(nodes []messages.ActorNode, f func(messages.ActorNode)) {
	for _, n := range nodes {
		f(n)
		eachNode(n.Children, f)
	}
}
