package modes

import (
	"testing"
	"time"

	"fodc/httpapi/promapi"

	"github.com/stretchr/testify/require"
)

func TestAQueryEndsBeforeItsAnswerIsLate(t *testing.T) {
	f := func(want, timeout, writeTimeout time.Duration) {
		t.Helper()
		c := QueryConfig{Timeout: timeout, MaxSamples: 7, Concurrency: 3}
		require.Equal(t, promapi.Limits{Timeout: want, MaxSamples: 7, Concurrency: 3, Memory: 1 << 20}, c.within(writeTimeout, 1<<20))
	}
	f(9500*time.Millisecond, 30*time.Second, 10*time.Second)
	f(5*time.Second, 5*time.Second, 10*time.Second)
	f(59500*time.Millisecond, time.Hour, time.Minute)
	f(300*time.Millisecond, time.Hour, 600*time.Millisecond)
}

// The write timeout of an agent has no flag, and makes room for what --query-timeout says.
func TestAnAgentsQueriesHaveTheirWholeTime(t *testing.T) {
	f := func(timeout time.Duration) {
		t.Helper()
		c := defaultAgent
		c.Queries.Timeout = timeout
		require.Equal(t, timeout, c.Queries.within(c.writeTimeout(), 0).Timeout)
		require.GreaterOrEqual(t, c.writeTimeout(), agentHTTPTimeout)
	}
	f(time.Second)
	f(30 * time.Second)
	f(time.Hour)
}

// The agent of a standalone process takes the proxy's limits, but not those of a large server.
func TestQueriesOfAStandaloneAgent(t *testing.T) {
	f := func(want QueryConfig, args ...string) {
		t.Helper()
		o := run(t, nil, nil, append([]string{"standalone"}, args...)...)
		require.Equal(t, want, o.config.(StandaloneConfig).Agent.Queries, o.stderr)
	}
	f(defaultAgent.Queries)
	f(QueryConfig{Timeout: time.Second, MaxSamples: 2_000_000, Concurrency: 4}, "--query-timeout", "1s", "--query-concurrency", "5")
	f(QueryConfig{Timeout: 30 * time.Second, MaxSamples: 5, Concurrency: 2}, "--query-max-samples", "5", "--query-concurrency", "2")
}
