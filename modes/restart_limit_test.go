package modes

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// TestRestartLimitEndsTheMode fails if an actor that panics again and again is not
// given up, or if its mode goes on without it, or ends without saying why.
func TestRestartLimitEndsTheMode(t *testing.T) {
	agentArgs := []string{programName, "agent", "--node-id", "n1", "--node-role", "liaison", "--log-format", "json"}
	f := func(kind string, isAgent bool, args ...string) {
		t.Run(kind, func(t *testing.T) {
			var out, errOut bytes.Buffer
			run := func(log *zap.Logger) (err error) {
				synctest.Test(t, func(t *testing.T) { err = crashUntilTheModeEnds(t, kind, isAgent, log) })
				return err
			}
			code := runMain(t, args, &out, &errOut, Runners{
				Proxy: func(_ context.Context, _ ProxyConfig, p Program) error { return run(p.Log) },
				Agent: func(_ context.Context, _ AgentConfig, p Program) error { return run(p.Log) },
			})
			require.Equal(t, exitFailure, code, "%s", &errOut)
			require.Contains(t, errOut.String(), "actor "+kind+"-1 failed 11 times within 1m0s, the limit is 10; "+
				"at last on actorstest.Crash: a test made it panic")
		})
	}
	f("registry", false, programName, "proxy", "--log-format", "json")
	f("collector", false, programName, "proxy", "--log-format", "json")
	f("scraper", true, agentArgs...)
	f("selfmetrics", true, agentArgs...)
	f("telemetry", true, agentArgs...)
	f("nodeconfig", true, agentArgs...)
	f("link", true, agentArgs...)
}

// crashUntilTheModeEnds returns what await does; nil after a minute.
func crashUntilTheModeEnds(t *testing.T, kind string, isAgent bool, log *zap.Logger) error {
	w := startCluster(t, 1, plainPage)
	defer w.finish()
	sys := w.sys
	if isAgent {
		sys = w.agents[0].sys
	}
	ended := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() { ended <- await(ctx, sys, log, actorsMode{w}) }()
	crashes := 0
	for {
		select {
		case err := <-ended:
			require.Equal(t, 11, crashes)
			return err
		default:
		}
		if found := actorsOf(sys, kind); len(found) == 1 && found[0].State == "running" {
			crash(sys, found[0].ID)
			crashes++
		}
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
	}
}
