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

// stopTimeout is how long, in fake time, actors may take to stop at the end of a test.
const stopTimeout = time.Minute

// drainTime is longer than the goroutines live that the runtime leaves behind.
const drainTime = time.Second

// Run runs the test in a synctest bubble with a system of its own, and stops the top-level
// actors at its end, the last spawned first. The test fails if one does not stop, if an
// orphan, an untracked actor or a goroutine is left, or if there was a fatal error that the
// test did not receive.
func Run(t *testing.T, test func(t *testing.T, sys *actors.System)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sys := actors.NewSystem(PanicOnCrash(zaptest.NewLogger(t)))
		// Deferred, and without FailNow: if a failed test leaves goroutines in the bubble, the
		// bubble's own panic hides why the test failed.
		defer finish(t, sys)
		test(t, sys)
	})
}

// errorReporter is the part of *testing.T that finish uses.
type errorReporter interface {
	Errorf(format string, args ...any)
}

func finish(t errorReporter, sys *actors.System) {
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
	time.Sleep(drainTime)
	synctest.Wait()
	eachNode(sys.Tree().Actors, func(n messages.ActorNode) {
		t.Errorf("actor %s is left, %s", n.ID, n.State)
	})
	for _, id := range sys.Untracked() {
		t.Errorf("%s is untracked", id)
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
