package actorstest

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestProbeRecordsMessages(t *testing.T) {
	Run(t, func(t *testing.T, sys *actors.System) {
		p := NewProbe(sys)
		sys.Send(p.PID, "a")
		sys.Send(p.PID, 2)
		synctest.Wait()
		require.Equal(t, []any{"a", 2}, p.Messages())
		require.Empty(t, p.Messages())
	})
}

// reported records the errors that finish reports.
type reported []string

func (c *reported) Errorf(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}

type stubborn struct{ stopping time.Duration }

func (s stubborn) Receive(c actors.Context) {
	switch c.Message().(type) {
	case *actors.Stopping:
		time.Sleep(s.stopping)
	case error:
		panic(c.Message())
	}
}

func TestRunReportsWhatIsLeft(t *testing.T) {
	f := func(test func(sys *actors.System), want ...string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			sys := actors.NewSystem(zap.NewNop())
			test(sys)
			var got reported
			finish(&got, sys)
			require.Equal(t, reported(want), got)
			time.Sleep(time.Hour)
		})
	}
	spawn := func(sys *actors.System, s stubborn) *actors.PID {
		return sys.Spawn("stubborn", actors.RestartOnFailure(actors.Backoff{}), func() actors.Actor { return s })
	}
	f(func(*actors.System) {})
	f(func(sys *actors.System) { spawn(sys, stubborn{}); NewProbe(sys) })
	f(func(sys *actors.System) { spawn(sys, stubborn{2 * time.Minute}) },
		"at the end of the test: stop actor stubborn-1, which is stopping, for 60.0 s on *actor.Stop: context deadline exceeded",
		"actor stubborn-1 is left, stopping")
	f(func(sys *actors.System) { sys.Send(spawn(sys, stubborn{}), errors.New("boom")) },
		"fatal: actor stubborn-1 failed 1 times within 0s, the limit is 0; at last on *errors.errorString: boom")
}
