package modes

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// fakeMode stops by a function, and fails when it is told to.
type fakeMode struct {
	failures chan error
	onStop   func(ctx context.Context) error
}

func (m *fakeMode) failed() <-chan error           { return m.failures }
func (m *fakeMode) stop(ctx context.Context) error { return m.onStop(ctx) }
func (m *fakeMode) status() string                 { return "fake" }

func newFakeMode(onStop func(context.Context) error) *fakeMode {
	return &fakeMode{failures: make(chan error, 1), onStop: onStop}
}

func TestModesStopInOrderWhenToldTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stopped []string
		named := func(name string) mode {
			return newFakeMode(func(context.Context) error {
				stopped = append(stopped, name)
				return nil
			})
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Hour, cancel)
		begin := time.Now()
		require.NoError(t, await(ctx, actors.NewSystem(zap.NewNop()), zap.NewNop(), named("agent"), named("proxy")))
		require.Equal(t, []string{"agent", "proxy"}, stopped)
		require.Equal(t, time.Hour, time.Since(begin))
	})
}

func TestFailureOfOneModeStopsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("the listener is gone")
		stops := 0
		counted := func(context.Context) error { stops++; return nil }
		failing, other := newFakeMode(counted), newFakeMode(counted)
		failing.failures <- broken
		require.ErrorIs(t, await(t.Context(), actors.NewSystem(zap.NewNop()), zap.NewNop(), failing, other), broken)
		require.Equal(t, 2, stops)
	})
}

// stuck never lets go of one message.
type stuck struct{ release chan struct{} }

func (s stuck) Receive(c actors.Context) {
	if _, ok := c.Message().(string); ok {
		<-s.release
	}
}

func TestStopThatTakesTooLongLogsTheActors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.WarnLevel)
		sys := actors.NewSystem(zap.New(core))
		release := make(chan struct{})
		pid := sys.Spawn("stuck", actors.ResumeOnFailure(), func() actors.Actor { return stuck{release} })
		sys.Send(pid, "hold this")
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		begin := time.Now()
		require.NoError(t, await(ctx, sys, zap.New(core), newFakeMode(func(ctx context.Context) error { return sys.Stop(ctx, pid) })))
		require.Equal(t, stopTimeout, time.Since(begin))
		require.Equal(t, 1, logs.Len())
		fields := logs.All()[0].ContextMap()
		require.Equal(t, []any{`stuck-1 running, 0 waiting, busy with "string" for 1.8 s`}, fields["actors"])
		close(release)
		synctest.Wait()
		time.Sleep(time.Second)
	})
}
