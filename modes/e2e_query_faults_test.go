//go:build e2e && linux

package modes_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"
)

func withAgentID(ctx context.Context, id string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "agent_id", id)
}

// Of ten agents one is stopped, one is killed and one answers late: a query has the values of the
// others in time, warnings that name the three, and fodc_agent_up says the same.
func TestE2EQueryWithoutThreeOfTen(t *testing.T) {
	t.Parallel()
	const timeout, played = 2 * time.Second, 5
	proxy, node := startProxy(t, "--collect-timeout", timeout.String()), startNode(t, pageA)
	grpcAddr, addr := proxy.addr("grpc"), proxy.addr("http")
	agent := func(id string) *process { return startAgent(t, proxy, id, "liaison", node.endpoint()) }
	frozen, killed := agent("frozen"), agent("killed")
	agent("well-0")
	agent("well-1")
	for i := range played {
		playPeer(t, grpcAddr, fmt.Sprintf("well-%d", 2+i), 0)
	}
	late := playPeer(t, grpcAddr, "late", 0)
	const expr = `count by (node_id) ({__name__=~"requests_total|played"})`
	eventually(t, "all ten", func() error {
		if a := ask(t, addr, "query", "query", expr); len(a.Data.Result) != 10 || len(a.Warnings) != 0 {
			return fmt.Errorf("%d nodes, warnings %q, %s", len(a.Data.Result), a.Warnings, a.Error)
		}
		return nil
	})
	frozen.kill(syscall.SIGSTOP)
	defer frozen.kill(syscall.SIGCONT)
	killed.kill(syscall.SIGKILL)
	late.late.Store(int64(timeout + 2*time.Second))
	awaitStatus(t, proxy, patience, "killed", "unconnected")

	from := time.Now().Add(-5 * time.Second)
	for name, a := range map[string]apiAnswer{
		"instant": ask(t, addr, "query", "query", expr),
		"range":   askRange(t, addr, expr, from),
	} {
		t.Logf("%s: after %s, warnings %q", name, a.took, a.Warnings)
		require.Equal(t, http.StatusOK, a.code, name)
		require.Less(t, a.took, timeout+slack, name)
		for _, id := range []string{"well-0", "well-1", "well-2", "well-6"} {
			require.Len(t, a.of(id), 1, "%s: %s", name, id)
		}
		require.Len(t, a.Data.Result, 7, name)
		warnings := strings.Join(a.Warnings, "\n") // one for each reason
		for _, id := range []string{"frozen", "killed", "late"} {
			require.Equal(t, 1, strings.Count(warnings, strconv.Quote(id)), "%s: %s", name, warnings)
		}
		require.NotContains(t, warnings, "well", name)
	}
	up := ask(t, addr, "query", "query", "fodc_agent_up")
	require.Len(t, up.Data.Result, 10)
	for _, s := range up.Data.Result {
		require.Equal(t, strings.HasPrefix(s.Metric["node_id"], "well"), s.Value.v == 1, "%v is %v", s.Metric, s.Value.v)
	}
	strict := ask(t, addr, "query", "query", expr, "strict", "1")
	t.Logf("strict: %d, %s: %s", strict.code, strict.ErrorType, strict.Error)
	require.Equal(t, http.StatusServiceUnavailable, strict.code)
	require.Equal(t, "error", strict.Status)
	for _, id := range []string{"frozen", "killed", "late"} {
		require.Contains(t, strict.Error, id)
	}
	require.NotContains(t, strict.Error, "well")
}

// A database that has died has no values from then on; what it had before the agent was killed
// and started again is there.
func TestE2EQueryOfANodeThatDied(t *testing.T) {
	t.Parallel()
	proxy, node, dir := startProxy(t), startNode(t, pageA), t.TempDir()
	addr := proxy.addr("http")
	begin := time.Now()
	run := func() *process {
		return startAgent(t, proxy, "n1", "liaison", node.endpoint(), "--storage-dir", dir)
	}
	agent := run()
	const expr = `requests_total{path="/a"}`
	points := func() []point {
		a := askRange(t, addr, expr, begin)
		if len(a.Data.Result) == 0 {
			return nil
		}
		require.Len(t, a.Data.Result, 1)
		return a.Data.Result[0].Values
	}
	awaitPoints := func(what string, enough func([]point) bool) []point {
		var got []point
		eventually(t, what, func() error {
			if got = points(); !enough(got) {
				return fmt.Errorf("%v", got)
			}
			return nil
		})
		return got
	}
	awaitPoints("four seconds", func(p []point) bool { return len(p) >= 4 })
	agent.kill(syscall.SIGKILL)
	<-agent.exited
	killed := time.Now()
	run()
	both := awaitPoints("before the kill and after it", func(p []point) bool {
		return len(p) > 0 && p[0].at.Before(killed.Add(-2*time.Second)) && p[len(p)-1].at.After(killed.Add(2*time.Second))
	})
	t.Logf("killed at %s, points from %s to %s", killed, both[0].at, both[len(both)-1].at)

	node.Close()
	died := time.Now()
	eventually(t, "no value now", func() error {
		if a := ask(t, addr, "query", "query", expr); a.code != http.StatusOK || len(a.Data.Result) != 0 {
			return fmt.Errorf("%d, %v", a.code, a.Data.Result)
		}
		return nil
	})
	// Time goes on without values.
	eventually(t, "seconds without a node", func() error {
		if time.Since(died) < 4*time.Second {
			return fmt.Errorf("wait")
		}
		return nil
	})
	last := points()
	require.NotEmpty(t, last)
	t.Logf("died at %s, points from %s to %s", died, last[0].at, last[len(last)-1].at)
	require.False(t, last[0].at.After(both[0].at), "what was before is still there")
	require.WithinDuration(t, died, last[len(last)-1].at, 2*time.Second)
	up := askRange(t, addr, "fodc_agent_up", died.Add(time.Second))
	require.Len(t, up.Data.Result, 1)
	require.Equal(t, 1.0, up.Data.Result[0].Values[len(up.Data.Result[0].Values)-1].v, "the agent lives")
}

// The samples of an agent whose clock is off have the proxy's time, and the answer says so.
func TestE2EQueryOfAnAgentWhoseClockIsOff(t *testing.T) {
	t.Parallel()
	proxy := startProxy(t)
	addr := proxy.addr("http")
	const ahead = 5 * time.Second
	playPeer(t, proxy.addr("grpc"), "right", 0)
	playPeer(t, proxy.addr("grpc"), "ahead", ahead)
	eventually(t, "both are there", func() error {
		if a := ask(t, addr, "query", "query", "played"); len(a.Data.Result) != 2 {
			return fmt.Errorf("%v %s", a.Data.Result, a.Error)
		}
		return nil
	})
	from := time.Now().Add(-10 * time.Second)
	for name, a := range map[string]apiAnswer{
		"instant": ask(t, addr, "query", "query", "timestamp(played)"),
		"range":   askRange(t, addr, "timestamp(played)", from),
	} {
		t.Logf("%s: infos %q", name, a.Infos)
		require.Len(t, a.Data.Result, 2, name)
		for _, s := range a.Data.Result {
			for _, p := range append(s.Values, s.Value) {
				if !p.at.IsZero() {
					require.InDelta(t, float64(p.at.UnixMilli())/1000, p.v, 2, "%s of %s at %s", name, s.Metric["node_id"], p.at)
				}
			}
		}
		require.Len(t, a.Infos, 1, name)
		require.Contains(t, a.Infos[0], "ahead", name)
		require.NotContains(t, a.Infos[0], "right", name)
		require.Empty(t, a.Warnings, name)
	}
}
