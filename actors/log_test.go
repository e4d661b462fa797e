package actors_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

type secret struct{ Password string }

const password = "open sesame"

// logged runs the test in a bubble, and returns all that was logged.
func logged(t *testing.T, level zapcore.Level, test func(t *testing.T, sys *actors.System)) *observer.ObservedLogs {
	t.Helper()
	core, logs := observer.New(level)
	synctest.Test(t, func(t *testing.T) {
		complaints := &bytes.Buffer{}
		sys := actors.NewSystem(zap.New(core, zap.ErrorOutput(zapcore.AddSync(complaints))))
		test(t, sys)
		synctest.Wait()
		require.NoError(t, sys.StopAll(t.Context()))
		time.Sleep(time.Second)
		require.Empty(t, complaints.String())
	})
	return logs
}

func lines(logs *observer.ObservedLogs) []string {
	var all []string
	for _, l := range logs.All() {
		all = append(all, l.Level.String()+": "+l.Message)
	}
	return all
}

func TestLogIsEmptyWhereAllIsWell(t *testing.T) {
	for _, level := range []zapcore.Level{zap.DebugLevel, zap.ErrorLevel} {
		require.Empty(t, lines(logged(t, level, func(t *testing.T, sys *actors.System) {
			pid := spawn(sys, actors.ResumeOnFailure(), obliging)
			_, err := actors.Ask[pong](t.Context(), sys, pid, ping{})
			require.NoError(t, err)
		})))
	}
}

func TestLogOfDeadLettersNamesTypesAtARate(t *testing.T) {
	logs := logged(t, zap.DebugLevel, func(t *testing.T, sys *actors.System) {
		pid := spawn(sys, actors.ResumeOnFailure(), obliging)
		require.NoError(t, sys.Stop(t.Context(), pid))
		for range 100 {
			sys.Send(pid, secret{password})
		}
		sys.Send(pid, ping{})
		time.Sleep(time.Minute)
		for range 10 {
			sys.Send(pid, secret{password})
		}
		require.Equal(t, uint64(111), sys.Counts().DeadLetters)
		require.Equal(t, uint64(111), sys.Tree().DeadLetters)
	})
	require.Equal(t, []string{"info: dead letters", "info: dead letters", "info: dead letters"}, lines(logs))
	f := func(n int, wantType string, wantCount int64) {
		t.Helper()
		require.Equal(t, map[string]any{"type": wantType, "to": "test-1", "count": wantCount}, logs.All()[n].ContextMap())
	}
	f(0, "actors_test.secret", 1)
	f(1, "actors_test.ping", 1)
	f(2, "actors_test.secret", 100) // 99 that were not told, and this one
}

func TestLogOfAFailureIsOneLineWithTheStack(t *testing.T) {
	logs := logged(t, zap.DebugLevel, func(t *testing.T, sys *actors.System) {
		pid := spawn(sys, actors.ResumeOnFailure(), func(c actors.Context) {
			if _, ok := c.Message().(secret); ok {
				panic(errors.New("boom"))
			}
		})
		sys.Send(pid, secret{password})
	})
	require.Equal(t, []string{"error: actor failed"}, lines(logs))
	line := logs.All()[0].ContextMap()
	stack := line["stack"].(string)
	delete(line, "stack")
	require.Equal(t, map[string]any{"actor": "test-1", "on": "actors_test.secret", "state": "running", "policy": "resume", "reason": "boom"}, line)
	require.Contains(t, stack, "TestLogOfAFailureIsOneLineWithTheStack")
	require.NotContains(t, stack, password)
}

func TestLogOfARestartTellsTheWait(t *testing.T) {
	logs := logged(t, zap.InfoLevel, func(t *testing.T, sys *actors.System) {
		sys.Send(spawn(sys, actors.RestartOnFailure(patient), obliging), crash{"boom"})
		time.Sleep(time.Minute)
	})
	require.Equal(t, []string{"error: actor failed", "info: actor waits for its restart"}, lines(logs))
	require.Equal(t, int64(1), logs.All()[1].ContextMap()["failures"])
}

func TestLogHoldsNoPayload(t *testing.T) {
	logs := logged(t, zap.DebugLevel, func(t *testing.T, sys *actors.System) {
		pid := spawn(sys, actors.RestartOnFailure(patient), func(c actors.Context) {
			if m, ok := c.Message().(secret); ok {
				sys.Send(nil, m)
				actors.Reply(c, m)
				panic("boom")
			}
		})
		_, err := actors.Ask[pong](t.Context(), sys, pid, secret{password})
		require.ErrorContains(t, err, "the answer to actors_test.secret is a actors_test.secret")
		require.NoError(t, sys.Stop(t.Context(), pid))
		sys.Send(pid, &secret{password})
	})
	for _, l := range logs.All() {
		for _, field := range l.Context {
			require.False(t, strings.Contains(field.String, password), "%s: %s", l.Message, field.Key)
		}
	}
	require.NotEmpty(t, logs.All())
}
